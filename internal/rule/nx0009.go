package rule

import (
	"fmt"
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

var notAConstant = Rule{
	ID:    "NX0009",
	Name:  "not-a-constant",
	Level: Error,
	Doc: Doc{
		What: `Under POOL_NX_OPTIN, NonPagedPool is used where the language wants a constant: in a static initialiser of C, as a case
label, an enumerator, a template argument, in constexpr or static_assert. A global variable of C++ that begins with it is a warning. Under
POOL_NX_OPTIN_AUTO it is a constant, but no case label beside NonPagedPoolNx.`,
		Why: `POOL_NX_OPTIN makes NonPagedPool a variable: such code does not compile. In C++ the global variable gets a dynamic
initialiser, which a driver without a C++ runtime never runs: it stays 0, the executable pool, and one with a runtime reads
the variable before DriverEntry has made the opt-in call.`,
		Fix: `Assign the value at run time, after the opt-in call. Or use POOL_NX_OPTIN_AUTO, under which it is a constant, if the
driver starts at Windows 8. The fix names NonPagedPoolNx, which is one, where every build that compiles the place starts there;
makes a case label two, one for each value that the switch lacks; and assigns a plain variable of the file behind the opt-in call. The rest has none.`,
		Before: vcxproj("POOL_NX_OPTIN=1", "drv.c") + constantSource("PoolType = NonPagedPool", ""),
		After:  vcxproj("POOL_NX_OPTIN=1", "drv.c") + constantSource("PoolType", "    PoolType = NonPagedPool;\n"),
	},
	check: checkNotAConstant,
	mend:  rewriteConstants,
}

func constantSource(declaration, assignment string) string {
	return `-- drv.c --
#include <ntddk.h>

static POOL_TYPE ` + declaration + `;

NTSTATUS DriverEntry(PDRIVER_OBJECT DriverObject, PUNICODE_STRING RegistryPath)
{
    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);
` + assignment + `    return ExAllocatePoolWithTag(PoolType, 4096, 'xErD') ? STATUS_SUCCESS : STATUS_NO_MEMORY;
}
`
}

func checkNotAConstant(m *driver.Image, _ nx.Mechanism) []Finding {
	var found []Finding
	for _, f := range constantFacts(m) {
		switch {
		case labelledTwice(f):
			found = append(found, Finding{
				Message: fmt.Sprintf("%s is a case label beside %s, which POOL_NX_OPTIN_AUTO makes of it: this does not compile", f.Names[0].Text, labelNames[f.Names[0].Text][1]),
				Place:   f.Place,
			})
		case f.Mechanism != nx.OptIn:
		case f.Kind == driver.ConstantNeeded:
			found = append(found, Finding{Message: f.Says + ", where POOL_NX_OPTIN makes it a variable: this does not compile", Place: f.Place})
		default:
			found = append(found, Finding{
				Message: f.Says + ", and runs before the opt-in call, or in a driver without a C++ runtime never: it stays 0, the executable pool",
				Place:   f.Place, Level: Warning,
			})
		}
	}
	return found
}

func constantFacts(m *driver.Image) []driver.Fact {
	return append(factsOf(m, driver.ConstantNeeded), factsOf(m, driver.DynamicInitialiser)...)
}

// constants knows where all images need some, and their opt-in calls.
type constants struct {
	*texts
	needed map[driver.Place][]need
	calls  map[*driver.Image][]driver.Fact
}

// need is a place as one build has it.
type need struct {
	image    *driver.Image
	optedOut bool
}

// rewriteConstants gives findings about one image their fixes. All builds that compile the place must agree: they share its text.
func rewriteConstants(all *texts, m *driver.Image, _ nx.Mechanism, found []Finding) []Finding {
	if len(found) == 0 {
		return nil
	}
	c := constants{all, map[driver.Place][]need{}, map[*driver.Image][]driver.Fact{}}
	for i := range all.images {
		img := &all.images[i]
		c.calls[img] = factsOf(img, driver.OptInCall)
		for _, f := range constantFacts(img) {
			c.needed[f.Place] = append(c.needed[f.Place], need{img, f.Mechanism == nx.OptedOut})
		}
	}
	facts := slices.DeleteFunc(constantFacts(m), func(f driver.Fact) bool { return f.Mechanism != nx.OptIn && !labelledTwice(f) })
	for i := range found {
		f, why := &found[i], ""
		if f.Fix, why = c.rewrite(facts[i]); f.Fix == nil {
			f.Steps = append(f.Steps, driver.Step{Place: f.Place, Says: "no rewrite: " + why})
		}
	}
	return found
}

// rewrite changes one place, or says why that can't be.
func (c constants) rewrite(f driver.Fact) (*Fix, string) {
	old := slices.ContainsFunc(c.needed[f.Place], func(n need) bool { return n.image.Build.Kit.NoOptIn })
	switch {
	case f.Labels != nil && old:
		return nil, "a kit that compiles it knows no other name for the value"
	case f.Labels != nil:
		return twoLabels(f), ""
	case f.Written != nil:
		return nil, "the label, or another of its switch, is no single name that is known"
	}
	fix, why := c.nameNX(f)
	if fix == nil && len(f.Initialisers) > 0 {
		fix = c.assignLater(f)
	}
	return fix, why
}

// nameNX has NonPagedPoolNx take the place of a name: where every build starts at Windows 8, that is what an opt-in makes of it.
// A macro may be used where nothing is noted, so that all builds count.
func (c constants) nameNX(f driver.Fact) (*Fix, string) {
	if len(f.Names) == 0 {
		return nil, "what it says hangs on the value, or it is written where nothing can be replaced"
	}
	builds := slices.Clip(c.needed[f.Place])
	if f.ByMacro {
		for i := range c.images {
			builds = append(builds, need{image: &c.images[i]})
		}
	}
	for _, n := range builds {
		switch b := n.image.Build; {
		case b.Minimum.Before(nx.Windows8):
			return nil, fmt.Sprintf("NonPagedPoolNx, which is a constant, is not known to %s, where %s runs", b.Minimum.Name(), b.ID)
		case b.Kit.NoOptIn:
			return nil, b.Kit.Name + " does not know NX pool"
		case n.optedOut:
			return nil, b.ID + " opts out there"
		}
	}
	fix := &Fix{Title: "name NonPagedPoolNx, which is a constant", Safe: true}
	for _, w := range f.Names {
		if why := c.held[textOf(w)]; why != "" {
			return nil, why
		}
		name := nxForms[nx.PoolType].tokens[w.Text]
		fix.Edits = append(fix.Edits, edit.Edit{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: name})
	}
	return fix, ""
}

// labelNames are the names of the values that a redefined one has, before Windows 8 and from there on.
var labelNames = map[string][2]string{
	"NonPagedPool":             {"NonPagedPoolExecute", "NonPagedPoolNx"},
	"NonPagedPoolCacheAligned": {"NonPagedPoolBaseCacheAligned", "NonPagedPoolNxCacheAligned"},
}

// twoLabels makes a label one for each value that callers can pass for it. Where the switch has one for no-execute pool, that is
// where they go.
func twoLabels(f driver.Fact) *Fix {
	w := f.Names[0]
	names := labelNames[w.Text]
	text := names[0]
	nxPool := labelValue(driver.Term{Tokens: []driver.Token{{Name: names[1]}}})
	if !slices.ContainsFunc(f.Labels, func(t driver.Term) bool { return labelValue(t) == nxPool }) {
		text += ":" + f.Span.Newline + f.Span.Indent + "case " + names[1]
		if f.Span.Inline {
			text = names[0] + ": case " + names[1]
		}
	}
	return &Fix{
		Title: "name the values that it can have", Safe: true,
		Edits: []edit.Edit{{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: text}},
	}
}

// labelledTwice says whether the constant that POOL_NX_OPTIN_AUTO has a label stand for is another of its switch.
func labelledTwice(f driver.Fact) bool {
	if f.Mechanism != nx.OptInAuto || f.Labels == nil {
		return false
	}
	nxPool := labelValue(driver.Term{Tokens: []driver.Token{{Name: labelNames[f.Names[0].Text][1]}}})
	return slices.ContainsFunc(f.Labels, func(t driver.Term) bool { return labelValue(t) == nxPool })
}

// labelValue is what a label stands for where nothing is opted in.
func labelValue(t driver.Term) uint32 {
	for _, tok := range t.Tokens {
		bits, _ := nx.Run{Windows: nx.Windows10}.Token(tok.Name)
		t.Bits |= bits
	}
	return t.Bits
}

// assignLater has a variable get its value behind each opt-in call. Those must all stand in its file, behind its declaration, and
// surely run: then nothing asks for the value before. A build that compiles a call has to know the variable.
func (c constants) assignLater(f driver.Fact) *Fix {
	v := f.Initialisers[0]
	fix := &Fix{Title: "assign it behind the opt-in call", Safe: true, Edits: []edit.Edit{{Path: v.Path, Start: v.Start, End: v.End}}}
	knows := map[*driver.Image]bool{}
	for _, n := range c.needed[f.Place] {
		knows[n.image] = true
	}
	for m, calls := range c.calls {
		if !knows[m] && slices.ContainsFunc(calls, func(f driver.Fact) bool { return f.Span.Path == v.Path }) {
			return nil
		}
	}
	for _, n := range c.needed[f.Place] {
		if n.image.Build.Initialised != driver.InitYes {
			return nil
		}
		for _, call := range c.calls[n.image] {
			at := call.Span
			switch {
			case !call.Effective:
				continue
			case at.Path != v.Path || at.Start < v.End || at.End <= at.Start:
				return nil
			}
			e := edit.Edit{Path: at.Path, Start: at.End, End: at.End, New: " " + v.Statement}
			if !at.Inline {
				e.New = at.Indent + v.Statement + at.Newline
			}
			if !slices.Contains(fix.Edits, e) {
				fix.Edits = append(fix.Edits, e)
			}
		}
	}
	return fix
}
