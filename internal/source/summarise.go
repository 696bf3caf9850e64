package source

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// names are what the parser looks out for.
type names struct {
	ddis    map[string]*nx.DDI
	hashes  map[name]bool // of their names
	methods nx.Methods
	entries map[string]bool // entry routines of any build
	*interest
}

// wanted says whether the arguments of a call by that name matter.
func (k names) wanted(callee string) bool { return k.mentions.has(nameOf(callee)) }

// summarise preprocesses and parses one unit, and notes which of the watched macros of its group it looked at.
func summarise(fs *files, known names, u *project.Unit, g *group) *summary {
	s := &summary{unit: u, mechanism: nx.None, named: map[string]bool{}}
	main, err := fs.load(u.Path)
	if err != nil {
		s.problem = err
		return s
	}
	p := newCPP(fs, known, u.Options, g.watched)
	buffer := fs.buffers.Get().(*[]token)
	toks := p.run(main, u.Options, (*buffer)[:0])
	if !p.kit.seen && slices.ContainsFunc(p.missing, mayBringKit) { // one of the missing headers must bring it: most likely the first
		p.giveBackMacros()
		p = newCPP(fs, known, u.Options, g.watched)
		p.assumeKit = true
		toks = p.run(main, u.Options, toks[:0])
	}
	s.files, s.looked = p.entered, p.looked
	if p.kit.seen {
		s.mechanism, s.zeroing = p.kit.mechanism, p.kit.zeroing
		f := driver.Fact{Kind: driver.KitInclude, Place: p.kit.include.place(), NXPool: p.kit.nxpool, Waits: p.kit.waits, Behind: p.kit.behind}
		if u.Options.Precompiled == "" {
			f.Span = p.kit.front
		}
		s.facts = append(s.facts, f)
	}
	for _, t := range p.missing {
		s.facts = append(s.facts, driver.Fact{Kind: driver.MissingHeader, Place: t.place(), Says: t.text})
	}
	for _, f := range p.mechanismFacts() {
		if u.Options.Precompiled != "" {
			f.Written = nil // what stands in front of a precompiled header has no effect
		}
		s.facts = append(s.facts, f)
	}
	s.facts = append(s.facts, p.assumed.facts()...)
	for i := range s.facts {
		s.facts[i].Unit, s.facts[i].Mechanism = u.Path, s.mechanism
	}
	if why := cmp.Or(p.stopped, p.trouble); why != "" {
		s.problem = fmt.Errorf("%s: %s", u.Path, why)
	}
	for _, t := range p.shadows {
		s.declared = append(s.declared, t.place())
	}
	s.placement, s.suppressions = p.placement, append(p.suppressions(), p.heard.ignored()...)
	(&parser{summary: s, toks: toks, known: known, under: &p.assumed, alike: g.alike}).declarations()
	s.facts, s.files = slices.Clone(s.facts), slices.Clone(s.files)
	p.giveBackMacros()
	clear(toks)
	*buffer = toks
	fs.buffers.Put(buffer)
	return s
}

// run adds all tokens of a unit to a list, after the forced includes, without __pragma(...).
func (p *cpp) run(main *file, options *project.Options, out []token) []token {
	p.push(main)
	forced := options.Forced
	if options.Precompiled != "" {
		var start int
		start, forced = afterPrecompiled(main, forced, options.Precompiled)
		p.stack[0].seek(start)
		p.skipped(main, start)
	}
	if len(forced) > 0 {
		var text strings.Builder
		for _, name := range forced {
			fmt.Fprintf(&text, "#include \"%s\"\n", name)
		}
		p.push(newText(main.path, main.dir, text.String()))
	}
	for t := p.next(); t.kind != eof; t = p.next() {
		if t.is("__pragma") || t.is("_Pragma") {
			p.operator(t)
			continue
		}
		out = append(out, t)
	}
	return out
}

// afterPrecompiled gives the token of the unit, and the forced includes, with which reading begins where a precompiled header
// is used: Microsoft's compiler skips all that stands before the include of that header, macros too, and takes what the
// header defined when it was precompiled (documentation of /Yu). A unit that does not include it is read whole.
func afterPrecompiled(main *file, forced []string, header string) (int, []string) {
	same := func(name string) bool { return path.Clean(canonical(name)) == path.Clean(canonical(header)) }
	if i := slices.IndexFunc(forced, same); i >= 0 {
		return 0, forced[i:]
	}
	for _, d := range main.directives {
		line := main.list(nil, int(d.at), int(d.end))
		if len(line) < 2 || !line[1].is("include") {
			continue
		}
		if name, _ := includeName(line[2:]); name != "" && same(name) {
			return int(d.at), nil
		}
	}
	return 0, forced
}

func canonical(name string) string { return strings.ToLower(strings.ReplaceAll(name, `\`, "/")) }
