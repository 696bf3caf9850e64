package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// How the value of a request comes about, what the opt-ins make of it, and what each Windows then gives: in words.

// derivation says step by step how a value comes about, and at the end what it is. Of a request that no image has, the steps
// say why.
func derivation(s driver.Site) []string {
	var lines []string
	for _, step := range s.Value.Steps {
		lines = append(lines, at(step))
	}
	terms := termsOf(s.Value)
	switch {
	case s.State != "" || s.DDI.Argument == 0:
	case s.Value.Unknown == "":
		lines = append(lines, "it is "+terms)
	case terms == "":
		lines = append(lines, "it is unknown: "+s.Value.Unknown)
	default:
		lines = append(lines, "it is "+terms+", or something unknown: "+s.Value.Unknown)
	}
	return lines
}

func at(s driver.Step) string {
	if s.Path == "" {
		return s.Says
	}
	return lineOf(s.Place) + ": " + s.Says
}

// termsOf gives what a value can be, as C.
func termsOf(v driver.Value) string {
	var list []string
	for _, t := range v.Terms {
		if s := t.String(); !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	if n := len(list); n > 1 {
		list = append(list[:n-2], list[n-2]+" or "+list[n-1])
	}
	return strings.Join(list, ", ")
}

// optInOf says what the opt-ins do to a request, by the mechanism of the file that names what they redefine.
func optInOf(s driver.Site, m driver.Image) []string {
	if s.State != "" {
		return nil
	}
	var lines []string
	for _, in := range mechanismsOf(s) {
		says := redefined[in]
		if s.DDI.Remapped {
			says = added[in]
		}
		lines = append(lines, compiled(in, s, m.Build)+": "+says)
		if in == nx.OptIn {
			lines = append(lines, runs(s, m))
		}
	}
	if len(lines) == 0 && s.Mechanism != nx.None {
		lines = append(lines, compiled(s.Mechanism, s, m.Build)+", which changes nothing here")
	}
	if says := addedBy(s.DDI); says != "" && s.Mechanism != nx.OptInAuto {
		lines = append(lines, says)
	}
	return lines
}

// mechanismsOf are those that decide: of the file, where the routine is redefined, and of the files that write a token which is.
func mechanismsOf(s driver.Site) []nx.Mechanism {
	var list []nx.Mechanism
	if s.DDI.Remapped {
		list = append(list, s.Mechanism)
	}
	for _, t := range s.Value.Terms {
		for _, tok := range t.Tokens {
			if (tok.Redefined() || tok.HangsOnCall()) && !slices.Contains(list, tok.In) {
				list = append(list, tok.In)
			}
		}
	}
	return list
}

// compiled names a mechanism, and says how an ARM build comes by one that it need not ask for.
func compiled(m nx.Mechanism, s driver.Site, b driver.Build) string {
	file := "compiled"
	if m != s.Mechanism {
		file = "where NonPagedPool is written, compiled"
	}
	if m == nx.OptInAuto && (b.Processor == nx.ARM || b.Processor == nx.ARM64) {
		return file + " with POOL_NX_OPTIN_AUTO, as the kit has it for " + string(b.Processor)
	}
	return file + " " + by(m)
}

var redefined = map[nx.Mechanism]string{
	nx.None:      "NonPagedPool is NonPagedPoolExecute (0)",
	nx.OptedOut:  "NonPagedPool stays NonPagedPoolExecute (0)",
	nx.OptInAuto: "NonPagedPool is NonPagedPoolNx (512)",
	nx.OptIn:     "NonPagedPool is a variable, which the opt-in call sets to NonPagedPoolNx (512) on Windows 8 and later",
}

var added = map[nx.Mechanism]string{
	nx.None:      "the kit adds no NX bit to what is passed",
	nx.OptedOut:  "the kit adds no NX bit to what is passed",
	nx.OptInAuto: "the kit adds the NX bit to what is passed",
	nx.OptIn:     "the kit adds a variable to what is passed, which the opt-in call sets to the NX bit on Windows 8 and later",
}

// runs says when a request runs that hangs on the opt-in call.
func runs(s driver.Site, m driver.Image) string {
	call := "the opt-in call"
	if list := optInCalls(m); len(list) > 0 {
		call += fmt.Sprintf(" (%s:%d)", list[0].Path, list[0].Line)
	}
	switch {
	case m.Build.Initialised == driver.InitNo:
		return "nothing makes the opt-in call: the variable keeps its initial value, 0"
	case m.Build.Library:
		return "this is a static library: whether the opt-in call is made is up to the image that links it; both values count"
	case m.Build.Initialised == driver.InitUnknown:
		return call + " was not found on every way from the entry routine: both values count"
	case s.Moment == driver.Before:
		return "runs before " + call
	case readEarly(s):
		return "the variable is read before " + call + ", or may be"
	case s.Moment == driver.After:
		return "runs after " + call
	}
	return "runs before " + call + " and after it, or it is not known when: both values count"
}

// readEarly says whether what decides may be kept from before the opt-in call.
func readEarly(s driver.Site) bool {
	return slices.ContainsFunc(s.Value.Terms, func(t driver.Term) bool {
		return slices.ContainsFunc(t.Tokens, func(tok driver.Token) bool {
			return tok.At&(driver.Before|driver.Initial) != 0 && tok.HangsOnCall()
		})
	})
}

// outcomes says what each Windows gets; versions that get the same stand together.
func outcomes(s driver.Site, b driver.Build) []string {
	var order []string
	versions := map[string][]string{}
	for _, w := range b.Windows {
		says := outcome(s, s.On(w))
		if versions[says] == nil {
			order = append(order, says)
		}
		versions[says] = append(versions[says], strings.TrimPrefix(w.Name(), "Windows "))
	}
	for i, says := range order {
		order[i] = fmt.Sprintf("Windows %s: %s", strings.Join(versions[says], ", "), says)
	}
	return order
}

// outcome gives each value by its number and name, with the judgement.
func outcome(s driver.Site, o driver.Outcome) string {
	if s.DDI.Argument == 0 || len(o.Values) == 0 {
		return judgement[o.Executable]
	}
	var list []string
	for _, v := range o.Values {
		says := number(v)
		if name := s.DDI.Kind.Spell(v); name != "" {
			says += " (" + name + ")"
		}
		list = append(list, says+", "+judgement[s.DDI.Executable(o.Windows, v)])
	}
	if s.Value.Unknown != "" {
		list = append(list, "something unknown")
	}
	if len(list) == 1 {
		return list[0]
	}
	return "one of\n      " + strings.Join(list, "\n      ")
}

func number(v uint32) string {
	if v >= 1<<16 {
		return fmt.Sprintf("%#x", v)
	}
	return fmt.Sprint(v)
}
