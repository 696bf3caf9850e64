package project

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// From a command that links to the units it links: objects are followed through rules and libraries to the sources
// that commands compile. That needs no order of building, and no file but the sources to be there.

// image is what one command links, or puts into a library.
type image struct {
	name   string
	link   *command
	kernel string // what shows that it is kernel-mode code
	units  []makeUnit
	unread []text
	notes  []driver.Step
}

// makeUnit is a source file with the command that compiles it.
type makeUnit struct {
	path    string
	command *command
}

// graph follows rules from images to what they are compiled from.
type graph struct {
	*rules
	done     map[string]*steps
	archived map[string]bool // libraries that are part of an image, by key
}

// steps are how one file is made.
type steps struct {
	made
	ok       bool
	commands []*command
}

// steps looks a file up once; the entry is kept before it is followed, which ends cycles.
func (g *graph) steps(name string) *steps {
	key := g.key(name)
	s := g.done[key]
	if s == nil {
		s = &steps{}
		g.done[key] = s
		if s.made, s.ok = g.make(name); s.ok {
			s.commands = g.rules.commands(s.made)
		}
	}
	return s
}

// image gives what a command links.
func (g *graph) image(s *steps, link *command) *image {
	b := &image{name: cmp.Or(link.flags.output, s.name), link: link, kernel: link.flags.kernel}
	if link.does == archives && link.flags.output == "" && !link.slash {
		b.name = s.name
	}
	w := &imageWalk{graph: g, image: b, seen: map[string]bool{g.key(s.name): true}, here: map[string]*command{}}
	for _, c := range s.commands {
		if c.does == compiles && c.only() {
			w.outputs(c)
		}
	}
	if link.does == compiles {
		w.compile(s, link)
	}
	w.inputs(s, link)
	if b.kernel == "" && strings.Contains(strings.ToLower(link.flags.entry), "driverentry") {
		b.kernel = "/entry:" + link.flags.entry
	}
	for _, name := range []string{s.name, b.name} {
		if b.kernel == "" && strings.EqualFold(path.Ext(name), ".sys") {
			b.kernel = name
		}
	}
	for _, u := range b.units {
		b.kernel = cmp.Or(b.kernel, u.command.flags.kernel)
	}
	return b
}

// imageWalk collects the units of one image.
type imageWalk struct {
	*graph
	image *image
	seen  map[string]bool
	here  map[string]*command // objects that the recipe of the link makes itself, by key
}

// outputs notes what objects a command of the link's own recipe makes.
func (w *imageWalk) outputs(c *command) {
	for _, t := range c.flags.inputs {
		if _, ok := languageOf(t.String()); !ok {
			continue
		}
		for _, extension := range []string{".o", ".obj"} {
			w.here[w.key(baseName(t.String())+extension)] = c
		}
	}
	if c.flags.output != "" {
		w.here[w.key(c.flags.output)] = c
	}
}

// inputs follows what a command links. Where it is not all known, the needs of its rule are followed.
func (w *imageWalk) inputs(s *steps, link *command) {
	for _, t := range link.flags.inputs {
		w.object(t.String(), 0)
	}
	for _, t := range link.words {
		if name, ok := strings.CutPrefix(t.String(), "-l"); ok && name != "" && !link.slash {
			w.library("lib" + name + ".a")
		}
	}
	if unknown := link.unknown(); len(unknown) > 0 {
		for _, n := range s.needs {
			if n.unknown() {
				unknown = append(unknown, n)
			} else {
				w.object(n.String(), 0)
			}
		}
		w.image.unread = append(w.image.unread, unknown...)
	}
}

// library follows a library by its name alone.
func (w *imageWalk) library(name string) {
	if !w.spend(8 * len(w.order)) {
		return
	}
	for _, t := range w.order {
		if strings.EqualFold(path.Base(strings.ReplaceAll(t.name, `\`, "/")), name) {
			w.object(t.name, 0)
			return
		}
	}
}

// objectExtensions are those of what a compiler makes.
var objectExtensions = map[string]bool{".o": true, ".obj": true}

// object follows one file that is linked.
func (w *imageWalk) object(name string, depth int) {
	key := w.key(name)
	if w.seen[key] || depth > maxParents || !w.spend(unitWork) {
		return
	}
	w.seen[key] = true
	if c := w.here[key]; c != nil {
		w.compile(&steps{made: made{name: name}}, c)
		return
	}
	s := w.steps(name)
	if !s.ok {
		if objectExtensions[strings.ToLower(path.Ext(name))] {
			w.note(driver.Place{}, "no rule says how %s is made; it is left out", name)
		}
		return
	}
	for _, c := range s.commands {
		switch {
		case c.does == compiles && c.only():
			w.compile(s, c)
		default:
			w.archived[key] = true
			for _, t := range c.flags.inputs {
				w.object(t.String(), depth+1)
			}
		}
	}
	if len(s.recipe) == 0 {
		for _, n := range s.needs {
			if _, source := languageOf(n.String()); !source && !n.unknown() {
				w.object(n.String(), depth+1)
			}
		}
	}
}

// note says something once about this image.
func (w *imageWalk) note(at driver.Place, format string, arguments ...any) {
	w.image.notes = addNote(w.image.notes, at, format, arguments...)
}

// compile adds the sources of a command that compiles: those it names, else the first that its target needs.
func (w *imageWalk) compile(s *steps, c *command) {
	var sources []text
	for _, t := range c.flags.inputs {
		if _, ok := languageOf(t.String()); ok {
			sources = append(sources, t)
		}
	}
	if own := slices.IndexFunc(sources, func(t text) bool { return strings.EqualFold(baseName(t.String()), baseName(s.name)) }); own >= 0 && c.only() {
		sources = sources[own : own+1]
	}
	if len(sources) == 0 && c.only() {
		for _, n := range s.needs {
			if _, ok := languageOf(n.String()); ok && !n.unknown() {
				found, _ := w.find(n.String())
				sources = append(sources, plain(found).from(n))
				break
			}
		}
	}
	for _, t := range sources {
		if !w.spend(unitWork) {
			return
		}
		found, ok := w.tree.Find(w.tree.Join(c.dir, t.String()))
		if !ok {
			w.note(t.place(), "%s is not there; it is left out (a file made by the build, perhaps)", t)
			continue
		}
		w.image.units = append(w.image.units, makeUnit{found, c})
	}
	for _, t := range c.unknown() {
		w.note(t.place(), "%s can't be evaluated; it is left out", shortened(t))
	}
}
