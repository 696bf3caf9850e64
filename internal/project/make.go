package project

import (
	"bytes"
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// Make files make one build for each kernel image that they link. What is read are the rules, back from the link to the
// commands that compile: nothing is run, and no file's age is looked at.

// makeNames are the names of make files, in lower case; so are those with these extensions.
var (
	makeNames      = []string{"makefile", "gnumakefile", "nmakefile"}
	makeExtensions = []string{".mk", ".mak"}
	// After "makefile.": those for a compiler. Others, such as .in and .am, are made into make files first.
	makeVariants = []string{"msc", "msvc", "vc", "nmake", "win", "win32", "win64", "mingw", "mingw32", "mingw64", "gcc", "clang"}
)

// isMake goes by the names that GNU make looks for (manual, 3.2) and the extensions in use for others.
func isMake(p string) bool {
	name := strings.ToLower(path.Base(p))
	variant, ok := strings.CutPrefix(name, "makefile.")
	return slices.Contains(makeNames, name) || slices.Contains(makeExtensions, path.Ext(name)) ||
		ok && slices.Contains(makeVariants, variant)
}

// driverWords are what a make file that builds a driver mentions in some way, in lower case.
var driverWords = []string{".sys", "native", "driver", "ddk", "wdk", "_kernel_mode", "/kernel"}

// looksLikeMake keeps a walk from files that only happen to have the name.
func looksLikeMake(data []byte) bool {
	if tree.IsBinary(data) {
		return false
	}
	lower := bytes.ToLower(data[:min(len(data), maxBuildFile)]) // one that is too large is said to be
	return slices.ContainsFunc(driverWords, func(w string) bool { return bytes.Contains(lower, []byte(w)) })
}

var (
	nmakeSigns = regexp.MustCompile(`(?mi)^![ \t]*(if|ifdef|ifndef|else|elseif|endif|include|message|error|undef|cmdswitches)\b`)
	nmakeHints = regexp.MustCompile(`\$\(?\*\*|<<|(?m)^\.c(pp)?\.obj[ \t]*:|^\{[^}\n]*\}\.c`)
	gnuSigns   = regexp.MustCompile(`(?m)^[ \t]*(ifeq|ifneq|ifdef|ifndef|endif|-?include|define|export)\b|:=|\?=|\+=|\$\((subst|patsubst|wildcard|shell|call|foreach|filter|addprefix|addsuffix|notdir) |^%[^\n]*:`)
)

// isNmake says whether a make file is in the language of nmake rather than of GNU make.
func isNmake(p string, data []byte) bool {
	switch {
	case nmakeSigns.Match(data):
		return true
	case gnuSigns.Match(data):
		return false
	}
	name := strings.ToLower(path.Base(p))
	return name == "nmakefile" || path.Ext(name) == ".mak" || nmakeHints.Match(data)
}

// maxMakeWork bounds the evaluation of one make file, as maxWork does for others; the largest of real trees takes a tenth.
const maxMakeWork = 24 << 20

// loadMake reads a make file, as it is called by itself and as it calls itself again.
func (l *loader) loadMake(p string) loaded {
	x := &makeLoader{loader: l, project: p, reader: newReader(l.tree), known: placements{map[layerKey]*layer{}, map[*layer]bool{}, depths{}}, files: map[string]*file{},
		statements: map[string][]statement{}, user: map[string]bool{}, others: map[*layer]bool{}}
	x.budget = maxMakeWork
	data, err := readMake(l.tree, p)
	if err != nil {
		return loaded{reads: []string{p}, unreadable: []Skipped{{Path: p, Why: strings.TrimPrefix(err.Error(), p+": ")}}}
	}
	if isNmake(p, data) {
		x.nmake()
	} else {
		x.gnu()
	}
	return x.result()
}

// makeLoader is the reading of one make file.
type makeLoader struct {
	*loader
	*reader
	project    string
	known      placements
	files      map[string]*file
	statements map[string][]statement
	failed     error
	images     []*image
	user       map[string]bool // files compiled into what is no kernel image
	programs   []string        // names of these images
	others     map[*layer]bool // where the options for these come from
	unread     []text          // why the files of a kernel image can't be known
	kernel     string          // what shows that there is one
	compiles   bool
	calls      []makeCall
}

// nmakeRules are nmake's own, which count after those of the file.
const nmakeRules = `.c.obj:
	$(CC) $(CFLAGS) /c $<
.cpp.obj:
	$(CPP) $(CPPFLAGS) /c $<
.cxx.obj:
	$(CXX) $(CXXFLAGS) /c $<
.cc.obj:
	$(CXX) $(CXXFLAGS) /c $<
`

// nmake reads the file as nmake does.
func (x *makeLoader) nmake() {
	macros := map[string]text{"cc": plain("cl"), "cxx": plain("cl"), "cpp": plain("cl"), "as": plain("ml"), "rc": plain("rc"),
		"make": plain("nmake"), "makedir": plain(absoluteDirectory(x.project)), "os": plain("Windows_NT")}
	m := &makefile{reader: x.reader, project: x.project, texts: x.statements, known: x.known.layers, depths: x.known.depths, macros: macros}
	m.rules = newRules(x.reader, path.Dir(x.project), m.expandFor)
	m.rules.nmake = true
	list, err := m.read(x.project)
	if err == nil {
		err = m.run(list)
	}
	x.failed = err
	for _, s := range parseNmake(newFile("", []byte(nmakeRules))) {
		m.take(s)
	}
	x.find(m.rules)
	x.notes(m.notes)
}

// maxCalls bounds how often a make file that calls itself is read.
const maxCalls = 8

// gnu reads the file as GNU make does, and again as it calls itself with other variables.
func (x *makeLoader) gnu() {
	x.calls = []makeCall{{dir: path.Dir(x.project)}}
	for i := 0; i < min(len(x.calls), maxCalls); i++ {
		g := newGNUMake(x.reader, x.calls[i].dir, x.files, x.calls[i].variables)
		g.depths = x.known.depths
		if err := g.load(x.project); err != nil && x.failed == nil {
			x.failed = err
		}
		if err := g.run(plain(gnuRules)); err != nil {
			x.failed = cmp.Or(x.failed, err)
		}
		before := len(x.images)
		x.find(g.rules)
		for _, b := range x.images[before:] {
			b.notes = append(slices.Clone(g.notes), b.notes...)
		}
		x.again(g.rules)
	}
}

// notes puts what was said of the whole file before what was said of each image.
func (x *makeLoader) notes(list []driver.Step) {
	for _, b := range x.images {
		b.notes = append(slices.Clone(list), b.notes...)
	}
}

// makeCall is a call of make for the same file.
type makeCall struct {
	dir       string
	variables map[string]text
}

// again finds the recipes that call make for the same file, in another directory or with variables.
func (x *makeLoader) again(r *rules) {
	for _, t := range r.order {
		for _, c := range t.recipes {
			if len(x.calls) >= maxCalls || !slices.ContainsFunc(c.lines, func(line text) bool {
				return strings.Contains(line.String(), "MAKE)") || strings.Contains(line.String(), "MAKE}")
			}) {
				continue
			}
			m := made{name: t.name, needs: t.needs, stem: t.stem}
			for _, line := range c.lines {
				for _, list := range commandWords(r.expand(r.settingsOf(t.name), r.automatic(m), line), false) {
					x.call(r, list)
				}
			}
		}
	}
}

// call takes the words of one command: make -C dir -f file NAME=value.
func (x *makeLoader) call(r *rules, list []text) {
	if baseName(strings.TrimLeft(list[0].String(), "@+-")) != "make" {
		return
	}
	call := makeCall{dir: r.dir, variables: map[string]text{}}
	name := path.Base(x.project)
	for i := 1; i < len(list); i++ {
		s := list[i].String()
		variable, _, assigns := strings.Cut(s, "=")
		switch {
		case list[i].unknown():
			return
		case s == "-C" && i+1 < len(list):
			i++
			call.dir = r.tree.Join(r.dir, list[i].String())
		case s == "-f" && i+1 < len(list):
			i++
			name = list[i].String()
		case assigns && isIdentifier(variable):
			call.variables[variable] = list[i].slice(len(variable)+1, len(s))
		}
	}
	same := r.tree.Join(call.dir, name) == x.project && (call.dir != r.dir || len(call.variables) > 0)
	if same && !slices.ContainsFunc(x.calls, call.equal) && len(x.calls) < maxCalls {
		x.calls = append(x.calls, call)
	}
}

// equal keeps a make file that calls itself from being read again as it was read before.
func (a makeCall) equal(b makeCall) bool {
	if a.dir != b.dir || len(a.variables) != len(b.variables) {
		return false
	}
	for name, value := range a.variables {
		if value.String() != b.variables[name].String() {
			return false
		}
	}
	return true
}

// find finds the images that rules link.
func (x *makeLoader) find(r *rules) {
	g := &graph{rules: r, done: map[string]*steps{}, archived: map[string]bool{}}
	var list, libraries []*image
	for _, name := range r.names() {
		s := g.steps(name)
		for _, c := range s.commands {
			x.compiles = x.compiles || c.does == compiles && c.only()
			switch {
			case c.does == links || c.does == compiles && !c.only():
				list = append(list, g.image(s, c))
			case c.does == archives:
				libraries = append(libraries, g.image(s, c))
			}
		}
	}
	for _, b := range libraries { // those that are linked into an image are part of it
		if b.kernel != "" && !g.archived[r.key(b.name)] {
			list = append(list, b)
		}
	}
	for _, b := range list {
		x.take(r, b)
	}
}

// take keeps an image if it is one of the kernel.
func (x *makeLoader) take(r *rules, b *image) {
	x.compiles = x.compiles || len(b.units) > 0
	switch {
	case b.kernel != "" && len(b.units) > 0:
		x.images = append(x.images, b)
	case b.kernel != "":
		x.kernel = b.kernel
		x.unread = append(x.unread, b.unread...)
	default:
		if name := path.Base(b.name); len(b.units) > 0 && isProgram(name) && !slices.Contains(x.programs, name) {
			x.programs = append(x.programs, name)
		}
		for _, u := range b.units {
			x.user[u.path] = true
			x.share(u.command)
		}
	}
}

// isProgram says whether an image's name is that of a program or a library of user mode.
func isProgram(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return ext == ".exe" || ext == ".dll"
}

// share notes where the options of a command come from that compiles no kernel code.
func (x *makeLoader) share(c *command) {
	if c.shared {
		return
	}
	c.shared = true
	for _, y := range x.known.of(c.words, false) {
		x.others[y] = true
	}
}

// names are those of all targets and all that they need.
func (r *rules) names() []string {
	var list []string
	seen := map[string]bool{}
	take := func(name string) {
		if key := r.key(name); !seen[key] && r.spend(len(name)) {
			seen[key] = true
			list = append(list, name)
		}
	}
	for _, t := range r.order {
		take(t.name)
		for _, n := range t.needs {
			if !n.unknown() {
				take(n.String())
			}
		}
	}
	return list
}

// result gives the builds, or what stands in their place.
func (x *makeLoader) result() loaded {
	out := loaded{}
	for name := range x.files {
		out.reads = append(out.reads, name)
	}
	for name := range x.statements {
		out.reads = append(out.reads, name)
	}
	for name := range x.reads { // response files
		out.reads = append(out.reads, name)
	}
	slices.Sort(out.reads)
	x.builds(&out)
	if x.budget <= 0 {
		x.failed = errWork
		out.builds = nil
	}
	if x.failed != nil {
		out.unreadable = append(out.unreadable, Skipped{Path: x.project, Why: strings.TrimPrefix(x.failed.Error(), x.project+": ")})
	}
	for name, err := range x.broken {
		if name != x.project {
			out.unreadable = append(out.unreadable, Skipped{Path: name, Why: strings.TrimPrefix(err.Error(), name+": ")})
		}
	}
	switch {
	case len(out.configurations) > 0 && len(x.programs) > 0:
		slices.Sort(x.programs)
		out.skipped = append(out.skipped, Skipped{Path: x.project, Why: "user mode: " + strings.Join(x.programs, ", ") + ", no kernel image"})
	case len(out.configurations) > 0 || x.failed != nil:
	case x.kernel != "":
		out.skipped = append(out.skipped, Skipped{Path: x.project, Why: x.whyUnread()})
	case x.compiles:
		out.skipped = append(out.skipped, Skipped{Path: x.project, Why: "user mode: links no kernel image"})
	}
	if len(out.skipped) > 0 {
		out.compiled = map[string][]string{}
		for p := range x.user {
			out.compiled[x.project] = append(out.compiled[x.project], p)
		}
	}
	return out
}

// whyUnread says why a kernel image has no files that are known.
func (x *makeLoader) whyUnread() string {
	for _, t := range x.unread {
		for _, s := range t {
			if name, ok := strings.CutPrefix(s.text, "$("); ok && s.unknown && strings.HasPrefix(name, "shell ") {
				return "its files come from $(shell ...), which is not run"
			}
		}
	}
	if len(x.unread) > 0 {
		return "its files come from " + shortened(x.unread[0]) + ", which can't be evaluated"
	}
	return "links a kernel image (" + x.kernel + "), but no rule says from which C or C++ files"
}

// builds makes the builds of all images.
func (x *makeLoader) builds(out *loaded) {
	names, same := map[string]bool{}, map[string][]string{}
	for _, b := range x.images {
		names[strings.ToLower(baseName(b.name))] = true
		if key := b.key(); !slices.Contains(same[key], b.name) && len(same[key]) < 2 {
			same[key] = append(same[key], b.name)
		}
	}
	seen := map[string]bool{}
	for _, b := range x.images {
		configuration := "default"
		if ambiguous := len(same[b.key()]) > 1; ambiguous || len(names) > 1 {
			configuration += ":" + b.title(ambiguous)
		}
		processor := b.processor()
		id := x.project + "|" + configuration + "|" + string(processor)
		if seen[id] {
			continue
		}
		seen[id] = true
		out.configurations = append(out.configurations, configuration+"|"+string(processor))
		if x.wants(configuration, string(processor)) {
			out.builds = append(out.builds, x.build(b, id, configuration, processor))
		}
	}
}

// key is equal for images that have the same name, for the same processor.
func (b *image) key() string { return strings.ToLower(baseName(b.name)) + "|" + string(b.processor()) }

// title names an image among others: by its name without .sys, with its directory where another has that name.
func (b *image) title(ambiguous bool) string {
	if !ambiguous {
		return baseName(b.name)
	}
	name := strings.ReplaceAll(b.name, `\`, "/")
	return strings.TrimSuffix(name, path.Ext(name))
}
