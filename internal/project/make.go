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
	"github.com/nxport/nxport/nx"
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

func isMake(p string) bool {
	name := strings.ToLower(path.Base(p))
	variant, ok := strings.CutPrefix(name, "makefile.")
	return slices.Contains(makeNames, name) || slices.Contains(makeExtensions, path.Ext(name)) ||
		ok && slices.Contains(makeVariants, variant)
}

// driverWords are what a make file that builds a driver mentions in some way, in lower case.
var driverWords = []string{".sys", "native", "driver", "ddk", "wdk", "_kernel_mode", "/kernel"}

func looksLikeMake(data []byte) bool {
	if len(data) > maxXML || tree.IsBinary(data) {
		return false
	}
	lower := bytes.ToLower(data)
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

// loadMake reads a make file, as it is called by itself and as it calls itself again.
func (l *loader) loadMake(p string) loaded {
	x := &makeLoader{loader: l, project: p, reader: newReader(l.tree), known: placements{map[layerKey]*layer{}, map[*layer]bool{}, depths{}}, files: map[string]*file{},
		statements: map[string][]statement{}, user: map[string]bool{}, others: map[*layer]bool{}}
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
		"make": plain("nmake"), "makedir": plain(slashDirectory(x.project)), "os": plain("Windows_NT")}
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

// find finds the images that rules link.
func (x *makeLoader) find(r *rules) {
	g := &graph{rules: r, done: map[string]*steps{}, archived: map[string]bool{}}
	var list, libraries []*image
	for _, name := range r.names() {
		s := g.steps(name)
		for _, c := range s.commands {
			if c.does == compiles {
				x.compiles = true
			}
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
	switch {
	case b.kernel != "" && len(b.units) > 0:
		x.images = append(x.images, b)
	case b.kernel != "":
		x.kernel = b.kernel
		x.unread = append(x.unread, b.unread...)
	default:
		for _, u := range b.units {
			x.user[u.path] = true
			x.share(u.command)
		}
	}
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

// result gives the builds, or what stands in their place.
func (x *makeLoader) result() loaded {
	out := loaded{}
	for name := range x.files {
		out.reads = append(out.reads, name)
	}
	for name := range x.statements {
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
	seen, names := map[string]bool{}, map[string]map[string]bool{}
	for _, b := range x.images {
		key := strings.ToLower(baseName(b.name))
		if names[key] == nil {
			names[key] = map[string]bool{}
		}
		names[key][b.name] = true
	}
	for _, b := range x.images {
		configuration := "default"
		if len(x.images) > 1 {
			configuration = "default:" + b.title(len(names[strings.ToLower(baseName(b.name))]) > 1)
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

// title names an image among others: by its name without .sys, with its directory where another has that name.
func (b *image) title(ambiguous bool) string {
	if !ambiguous {
		return baseName(b.name)
	}
	name := strings.ReplaceAll(b.name, `\`, "/")
	return strings.TrimSuffix(name, path.Ext(name))
}

// processorDefines say what is compiled for, where nothing else does.
var processorDefines = map[string]nx.Processor{
	"_AMD64_": nx.X64, "AMD64": nx.X64, "_WIN64": nx.X64, "_X86_": nx.X86, "i386": nx.X86, "_ARM64_": nx.ARM64, "_ARM_": nx.ARM,
}

// processor gives the one that an image is for: by options, the compiler's prefix, or the kit's defines.
func (b *image) processor() nx.Processor {
	commands, seen := []*command{b.link}, map[*command]bool{}
	for _, u := range b.units {
		if !seen[u.command] {
			commands = append(commands, u.command)
		}
		seen[u.command] = true
	}
	for _, c := range commands {
		if p := cmp.Or(c.flags.processor, c.processor); p != "" {
			return p
		}
	}
	for _, c := range commands {
		for _, d := range c.flags.defines {
			if p := processorDefines[d.Name]; p != "" && d.Name != "_WIN64" {
				return p
			}
		}
	}
	return nx.X64
}

func (x *makeLoader) build(b *image, id, configuration string, processor nx.Processor) *Build {
	to := &Build{Build: driver.Build{
		ID: id, Project: x.project, Configuration: configuration, Processor: processor, Library: b.link.does == archives,
		Minimum: nx.Windows7, MinimumSource: "default",
	}}
	if !to.Library {
		to.Entries = entries(strings.TrimPrefix(b.link.flags.entry, "_"))
	}
	for _, u := range b.units {
		x.unit(to, b, u)
	}
	to.Notes = b.notes
	x.finish(to)
	return to
}

func (x *makeLoader) unit(to *Build, b *image, u makeUnit) {
	c := u.command
	if !x.spend(unitWork + 8*len(c.words)) {
		return
	}
	language, _ := languageOf(u.path)
	o := Options{Processor: to.Processor, Language: cmp.Or(c.flags.language, c.language, language), Defines: c.flags.defines,
		Undefines: slices.Clone(c.flags.undefines), Forced: c.flags.forced, Precompiled: c.flags.precompiled}
	for _, dir := range c.flags.includes {
		if dir = x.loader.tree.Join(c.dir, dir); !slices.Contains(o.Includes, dir) {
			o.Includes = append(o.Includes, dir)
		}
	}
	for _, t := range c.flags.unreadable {
		b.notes = addNote(b.notes, t.place(), "the define %q can't be read; it is left out", t)
	}
	var kit []Define
	switch {
	case c.gnu():
		kit = gnuDefines(to.Processor)
		o.Undefines = append(o.Undefines, "_MSC_VER")
		if !slices.ContainsFunc(o.Defines, func(d Define) bool { return d.Name == "_KERNEL_MODE" }) {
			o.Undefines = append(o.Undefines, "_KERNEL_MODE")
		}
	case c.usesKit() || b.link.usesKit():
		kit = toolset(to.Processor, false, nx.Version{}, 0)
	}
	x.add(to, u.path, o, kit, x.layers(c))
}

// layers gives those of a command: if some serve kernel images alone, these are better than others.
func (x *makeLoader) layers(c *command) []*layer {
	if c.layers != nil {
		return c.layers
	}
	isShared := func(y *layer) bool { return x.others[y] }
	c.layers = x.known.of(c.words, false)
	for _, defining := range []bool{true, false} {
		if own := slices.DeleteFunc(x.known.of(c.words, defining), isShared); len(own) > 0 {
			c.layers = x.known.depths.outermost(own)
			break
		}
	}
	return c.layers
}

// gnu says whether a compiler is gcc, or clang in its place, and not one in the place of Microsoft's.
func (c *command) gnu() bool {
	return !c.slash && !slices.ContainsFunc(c.words, func(t text) bool { return strings.HasSuffix(t.String(), "-msvc") })
}

// usesKit says whether a command names a directory of a driver kit.
func (c *command) usesKit() bool {
	return slices.ContainsFunc(append([]text{c.program}, c.words...), func(t text) bool {
		s := strings.ToLower(t.String())
		return strings.Contains(s, "ddk") || strings.Contains(s, "wdk") || strings.Contains(s, "windows kits")
	})
}

// gnuProcessors are the macros that gcc of MinGW-w64 defines for each processor, by "gcc -dM -E" of version 12; for ARM
// by that of llvm-mingw.
var gnuProcessors = map[nx.Processor][]string{
	nx.X86:   {"_X86_", "i386", "__i386", "__i386__"},
	nx.X64:   {"_WIN64", "WIN64", "__WIN64", "__WIN64__", "__MINGW64__", "__x86_64", "__x86_64__", "__amd64", "__amd64__"},
	nx.ARM:   {"__arm__", "__thumb__"},
	nx.ARM64: {"_WIN64", "WIN64", "__WIN64", "__WIN64__", "__MINGW64__", "__aarch64__"},
}

// gnuDefines are the macros that gcc of MinGW-w64 defines itself, and those that its headers make of them.
func gnuDefines(p nx.Processor) []Define {
	list := []Define{{Name: "__GNUC__", Value: "12"}, {Name: "__GNUC_MINOR__", Value: "2"}}
	for _, name := range []string{"_WIN32", "WIN32", "__WIN32", "__WIN32__", "WINNT", "__WINNT", "__WINNT__", "__MINGW32__"} {
		list = append(list, Define{Name: name, Value: "1"})
	}
	for _, name := range gnuProcessors[p] {
		list = append(list, Define{Name: name, Value: "1"})
	}
	if p == nx.X64 {
		list = append(list, Define{Name: "_AMD64_", Value: "1"})
	}
	return list
}
