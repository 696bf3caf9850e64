package source

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// interest is what the reading looks for. It begins with the DDIs and what decides them, takes in every macro that leads
// there, and grows by what linking asks for: the callers of a wrapper, the writes to a field. Declarations that mention
// nothing of it are not even lexed.
type interest struct {
	mentions *names32 // text that mentions one of these is read
	endings  endings  // of what is mentioned or defined
	settled  *names32 // what mentions was when the files were lexed last
	bodies   *names32 // text that may define a function of these names is read
	uneven   *names32 // macros that open or close a bracket alone, by themselves or through another; nil before spread
	inner    map[string]bool
	// live are the macros that matter: those that a directive asks for, or text that is read mentions, or another of them.
	live      *names32
	pasting   *names32 // macros with ## in their body, or that lead to one
	fragments *names32 // identifiers out of which those may make others
	// sources are the words from which memory is copied; copied are those of them that functions and arrays of machine code
	// are declared by, makers functions that may return such.
	sources, copied, makers *names32
	// structs are types whose definition is read where it mentions one of their fields.
	structs *names32
	fields  map[name][]name
	// everything is set where nothing is left out.
	everything bool
}

// newInterest begins with what is looked for in every driver. The pool types are among it for the sake of the comparisons
// and initialisers that an opt-in changes; new, because the kit's stdunk.h declares one that takes a pool type; the pragma
// operators, because what they disable counts for all that follows.
func newInterest(known names, builds []*project.Build) *interest {
	in := &interest{mentions: newNames(), endings: newEndings(), settled: newNames(), bodies: newNames(), live: newNames(), fragments: newNames(),
		structs: newNames(), fields: map[name][]name{}, sources: newNames(), copied: newNames(), makers: newNames()}
	for _, name := range kitAsks {
		in.live.add(nameOf(name))
	}
	for _, list := range kitConstants() {
		for _, m := range list {
			for _, t := range m.body {
				in.live.add(nameOf(t.text))
			}
		}
	}
	for _, name := range []string{"new", "ExInitializeDriverRuntime", "POOL_TYPE", "__pragma", "_Pragma"} {
		in.mention(name)
	}
	for name := range known.ddis {
		in.mention(name)
	}
	for name, list := range known.methods {
		in.mention(name)
		for _, d := range list {
			if iface, _, _ := d.Method(); iface != "" && d.Kind == nx.PortDriver && d.Argument > 0 {
				in.mention(iface) // the classes that have such a method
			}
		}
	}
	for name := range known.entries {
		in.mention(name)
	}
	for _, name := range nx.Tokens() {
		if strings.HasPrefix(name, "NonPagedPool") {
			in.mention(name)
		}
	}
	seen := map[*project.Options]bool{}
	for _, b := range builds {
		for _, u := range b.Units {
			if !seen[u.Options] {
				seen[u.Options] = true
				in.addDefines(u.Options)
			}
		}
	}
	return in
}

// addDefines takes in the macros of a command line that lead to what is of interest.
func (in *interest) addDefines(o *project.Options) {
	for _, d := range o.Defines {
		in.live.addAll(skimDirective([]byte("#define " + d.Name + " " + d.Value)).words)
	}
	for range o.Defines { // as often as one can lead to another
		grown := false
		for _, d := range o.Defines {
			m := skimDirective([]byte("#define " + d.Name + " " + d.Value)).macro
			if m != nil && in.leads(m) {
				grown = in.mention(m.text) || grown
			}
		}
		if !grown {
			return
		}
	}
}

// mention adds a name to those that text is read for, and says whether it is new.
func (in *interest) mention(text string) bool {
	if !in.mentions.add(nameOf(text)) {
		return false
	}
	in.endings.learn(text)
	return true
}

// leads says whether a macro mentions what is of interest, or may make its name.
func (in *interest) leads(m *chunk) bool {
	return in.mentions.any(m.mentions) || in.endings.may(m.makes)
}

// takeAll makes every name one of interest, and so leaves nothing out.
func (in *interest) takeAll() { in.everything, in.mentions.all = true, true }

// names32 is a set of names. One bit for each value of their upper bits says at once of most names that they are not in it; a
// struct of a thousand fields would be read for the bit of one of them, if that decided.
type names32 struct {
	bits  []uint64
	names map[name]struct{}
	all   bool // it holds every name
}

const nameBits = 20

func newNames() *names32 {
	return &names32{bits: make([]uint64, 1<<nameBits/64), names: map[name]struct{}{}}
}

func (s *names32) has(n name) bool {
	if s.bits[n>>(32-nameBits+6)]&(1<<(n>>(32-nameBits)&63)) == 0 {
		return s.all
	}
	_, ok := s.names[n]
	return ok || s.all
}

// add says whether the name is new.
func (s *names32) add(n name) bool {
	if s.has(n) {
		return false
	}
	s.bits[n>>(32-nameBits+6)] |= 1 << (n >> (32 - nameBits) & 63)
	s.names[n] = struct{}{}
	return true
}

// copy gives a set of its own.
func (s *names32) copy() *names32 {
	return &names32{bits: slices.Clone(s.bits), names: maps.Clone(s.names), all: s.all}
}

func (s *names32) addAll(list []name) {
	for _, n := range list {
		s.add(n)
	}
}

func (s *names32) any(list []name) bool { return slices.ContainsFunc(list, s.has) }

// spread takes in the macros of the files that lead to what is of interest, and learns of the files where declarations
// begin and end otherwise than their text shows.
func (in *interest) spread(list []*file) {
	grow(list, func(m *chunk) bool { return in.leads(m) && in.mention(m.text) })
	in.spreadCode(list)
	in.uneven, in.inner, in.pasting = newNames(), map[string]bool{}, newNames()
	grow(list, in.pasting.by(func(m *chunk) bool { return m.pastes }))
	grow(list, in.uneven.by(func(m *chunk) bool { return m.uneven }))
	for _, f := range list {
		for _, header := range f.outline.inner {
			in.inner[header] = true
		}
	}
}

// grow goes over all macros until take takes none of them any more.
func grow(list []*file, take func(*chunk) bool) {
	for grown := true; grown; {
		grown = false
		for _, f := range list {
			for i := range f.outline.macros {
				grown = take(&f.outline.macros[i]) || grown
			}
		}
	}
}

// by takes the macros into a set that begin it, and those that mention one of it.
func (s *names32) by(begins func(*chunk) bool) func(*chunk) bool {
	return func(m *chunk) bool { return (begins(m) || s.any(m.mentions)) && s.add(m.defines[0]) }
}

// choose turns declarations of a file on, and says whether there are new ones. Where it can't be told where one ends, all
// of the file are turned on with the first.
func (in *interest) choose(f *file) (changed bool) {
	o := f.outline
	fragment := in.inner[strings.ToLower(path.Base(f.path))] || in.inner["*"]
	whole, wanted := o.ragged || fragment || in.everything, fragment || in.everything
	changed = in.chooseCode(o)
	for i := range o.chunks {
		c := &o.chunks[i]
		whole = whole || in.uneven.any(c.mentions)
		news := slices.ContainsFunc(c.mentions, in.isNew)
		if news || !c.on && (c.always || c.code || in.mentions.any(c.mentions) || in.bodies.any(c.defines) || in.structs.any(c.defines) && in.definesStruct(c)) {
			c.on, changed = true, true
		}
		wanted = wanted || c.on && !c.always
	}
	for i := range o.chunks {
		if whole && wanted && !o.chunks[i].on {
			o.chunks[i].on, changed = true, true
		}
	}
	return changed
}

// isNew says whether a name has become of interest since the files were lexed: text that mentions it is read anew.
func (in *interest) isNew(n name) bool { return in.mentions.has(n) && !in.settled.has(n) }

// revive turns the definitions of macros on that matter, given the declarations that are on, and tells the files where
// there are new ones.
func (in *interest) revive(list []*file, changed map[*file]bool) {
	for _, f := range list {
		in.live.addAll(f.outline.asked)
		for i := range f.outline.chunks {
			if c := &f.outline.chunks[i]; c.on {
				in.enliven(c)
			}
		}
	}
	for grown := true; grown; {
		grown = false
		for _, f := range list {
			for i := range f.outline.macros {
				m := &f.outline.macros[i]
				if m.on || !in.everything && !in.lives(m) {
					continue
				}
				m.on, grown, changed[f] = true, true, true
				in.enliven(m)
			}
		}
	}
}

// enliven makes the macros live that a text mentions.
func (in *interest) enliven(c *chunk) {
	in.live.addAll(c.mentions)
	if c.pastes || in.pasting.any(c.mentions) {
		in.fragments.addAll(c.mentions)
	}
}

// lives says whether a macro matters: by its name; because it leads to what is of interest, so that it is accounted for;
// or because ## can make its name out of an identifier that begins like it.
func (in *interest) lives(m *chunk) bool {
	return in.live.has(m.defines[0]) || in.mentions.has(m.defines[0]) || in.fragments.begins(m.text)
}

// begins says whether one of the set is how a text begins.
func (s *names32) begins(text string) bool {
	h := hashBasis
	for i := range len(text) {
		h = (h ^ name(text[i])) * hashPrime
		if s.has(h) {
			return true
		}
	}
	return false
}

// matters says whether a macro may be looked at.
func (in *interest) matters(macro string) bool {
	return in.everything || in.live.has(nameOf(macro)) || in.fragments.begins(macro)
}

// ask adds names that linking asks for, and says whether one of them is new.
func (in *interest) ask(mentions, bodies map[string]bool, structs map[structField]bool) (news bool) {
	for text := range mentions {
		news = in.mention(text) || news
	}
	for s := range structs {
		of, field := nameOf(s.of), nameOf(s.name)
		if in.structs.add(of) || !slices.Contains(in.fields[of], field) {
			in.fields[of] = append(in.fields[of], field)
			news = true
		}
	}
	for text := range bodies {
		if in.bodies.add(nameOf(text)) {
			in.endings.learn(text)
			news = true
		}
	}
	return news
}
