package project

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// A compile_commands.json holds the command line of each unit, as Clang's JSON Compilation Database describes it. It is
// generated, most often on another machine: so paths are found again in the tree, and nothing is edited.
//
// It does not say which units are linked to what. CMake's object directories tell targets apart; else all units with
// signs of kernel mode make one build.

// isCommands goes by the name that CMake, Bear and clangd write and look for.
func isCommands(p string) bool { return strings.EqualFold(path.Base(p), "compile_commands.json") }

// compileCommand is one entry.
type compileCommand struct {
	Directory string   `json:"directory"`
	File      string   `json:"file"`
	Command   string   `json:"command"`
	Arguments []string `json:"arguments"`
	Output    string   `json:"output"`

	at int // offset in the file
}

// Limits on one database.
const (
	maxCommands     = 200_000
	maxResponse     = 1 << 20 // bytes of a response file
	maxResponses    = 4       // inside each other
	maxCommandWords = 20_000
	maxSuffixes     = 64 // parts of a path that are tried
)

// readCommands reads entries up to the first that is no JSON; the error says where that is.
func readCommands(f *file) ([]compileCommand, error) {
	data := f.data
	if bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return nil, errors.New("line 1: UTF-16 is not read: save the file as UTF-8")
	}
	if tree.IsBinary(data) {
		return nil, errors.New("line 1: binary, no text")
	}
	skipped := len(data) - len(bytes.TrimPrefix(data, []byte(bom)))
	d := json.NewDecoder(bytes.NewReader(data[skipped:]))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, f.jsonError(skipped+int(d.InputOffset()), cmp.Or(err, errors.New("no list of commands")))
	}
	var list []compileCommand
	for d.More() {
		at := skipped + int(d.InputOffset())
		at += max(bytes.IndexByte(data[at:], '{'), 0)
		e := compileCommand{at: at}
		err := d.Decode(&e)
		var mistyped *json.UnmarshalTypeError
		var syntax *json.SyntaxError
		switch {
		case errors.As(err, &mistyped): // the decoder is behind the entry all the same; what it could read stands in e
		case errors.As(err, &syntax):
			return list, f.syntaxError(at)
		case err != nil:
			return list, f.jsonError(len(data), err)
		}
		if list = append(list, e); len(list) >= maxCommands {
			return list, f.jsonError(at, fmt.Errorf("more than %d commands; the rest is left out", maxCommands))
		}
	}
	if _, err := d.Token(); err != nil {
		return list, f.jsonError(len(data), err)
	}
	return list, nil
}

// syntaxError reads the entry at an offset once more, alone: within a list, the decoder's offsets do not count all.
func (f *file) syntaxError(at int) error {
	var entry json.RawMessage
	err := json.NewDecoder(bytes.NewReader(f.data[at:])).Decode(&entry)
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		at += int(syntax.Offset) - 1
	}
	return f.jsonError(at, cmp.Or(err, errors.New("no list of commands")))
}

// jsonError is an error of the decoder, with its line.
func (f *file) jsonError(at int, err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		at, err = len(f.data), errors.New("the file ends within the list")
	}
	at = max(min(at, len(f.data)), 0)
	return fmt.Errorf("line %d: byte %d: %w", f.line(at), at, err)
}

// database is a compile_commands.json being read.
type database struct {
	tree  *tree.Tree
	file  *file
	first map[string]int // where a word stands first: equal options of two units have equal places
	paths *pathFinder
	notes []driver.Step
}

// commandUnit is an entry with its options understood.
type commandUnit struct {
	entry     compileCommand
	path      string // in the tree
	flags     flags
	language  Language
	processor nx.Processor
	target    string // of CMake, "" where the object's directory says none
	kernel    string // the sign of kernel mode, "" where there is none
}

// note says something about the entry that begins at an offset.
func (db *database) note(at int, format string, arguments ...any) {
	db.notes = addNote(db.notes, db.file.place(at), format, arguments...)
}

// loadCommands reads a compile_commands.json.
func (l *loader) loadCommands(p string) loaded {
	out := loaded{reads: []string{p}}
	data, err := l.tree.Read(p)
	var entries []compileCommand
	f := newFile(p, data)
	if err == nil {
		entries, err = readCommands(f)
	}
	if err != nil {
		out.unreadable = append(out.unreadable, Skipped{Path: p, Why: strings.TrimPrefix(err.Error(), p+": ")})
	}
	db := &database{tree: l.tree, file: f, first: map[string]int{}, paths: newPathFinder(l.tree, path.Dir(p))}
	units := db.units(entries)
	kernel, rest := kernelUnits(units)
	switch {
	case len(units) == 0 && len(entries) > 0:
		out.missing(l, p, len(entries))
		return out
	case len(kernel) == 0 && l.named[p]:
		kernel, rest = units, nil
	case len(kernel) > 0 && !l.named[p] && l.compiledElsewhere(kernel):
		out.skipped = append(out.skipped, Skipped{Path: p, Why: "generated; builds of what it is generated from compile all its files"})
		return out
	}
	l.commandBuilds(db, kernel, &out)
	if len(rest) > 0 || len(kernel) == 0 && err == nil {
		why := fmt.Sprintf("user mode: no sign of kernel mode in %d commands (-kernel, _KERNEL_MODE, a driver kit's directories)", len(rest))
		out.skipped = append(out.skipped, Skipped{Path: p, Why: why})
		out.compiled = map[string][]string{p: unitPaths(rest)}
	}
	return out
}

// missing says that no file of a database is in the tree: an error only where the database itself was named.
func (out *loaded) missing(l *loader, p string, n int) {
	why := fmt.Sprintf("no C or C++ file of its %d commands is in the tree: name the directory that holds them", n)
	list := &out.skipped
	if l.named[p] {
		list = &out.unreadable
	}
	*list = append(*list, Skipped{Path: p, Why: why})
}

// unitPaths are the files of units, for those that share one.
func unitPaths(units []*commandUnit) []string {
	var list []string
	for _, u := range units {
		list = append(list, u.path)
	}
	return list
}

// compiledElsewhere says whether builds of other build files, which are loaded before, compile all of the files.
func (l *loader) compiledElsewhere(units []*commandUnit) bool {
	compiled := map[string]bool{}
	for _, b := range l.set.Builds {
		for _, u := range b.Units {
			compiled[u.Path] = true
		}
	}
	return !slices.ContainsFunc(units, func(u *commandUnit) bool { return !compiled[u.path] })
}

// units reads the options of the entries whose files are in the tree. Files come first: by them directories of another
// machine are found.
func (db *database) units(entries []compileCommand) []*commandUnit {
	var list []*commandUnit
	for _, e := range entries {
		if e.File == "" {
			db.note(e.at, "an entry names no file; it is left out")
			continue
		}
		p, ok := db.paths.file(joinForeign(e.Directory, e.File))
		if !ok {
			db.note(e.at, "%s is not there; it is left out", clip(e.File))
			continue
		}
		list = append(list, &commandUnit{entry: e, path: p})
	}
	return slices.DeleteFunc(list, func(u *commandUnit) bool { return !db.options(u) })
}

// options reads a command line. It says whether it compiles C or C++.
func (db *database) options(u *commandUnit) bool {
	e := u.entry
	windows := e.windows()
	words := e.Arguments
	if words == nil {
		words = split(e.Command, windows)
	}
	words = db.responses(e, words, windows, 0)
	compiler, words := compilerOf(words)
	slash := isCL(compiler)
	var list []text
	for i, w := range words {
		if w == "--" {
			for _, input := range words[i+1:] {
				list = append(list, text{{text: "./" + input}}) // never an option
			}
			break
		}
		if w != e.File {
			list = append(list, db.word(w, e.at))
		}
	}
	u.flags = parseArguments(list, slash)
	for _, t := range u.flags.unreadable {
		db.note(e.at, "%q defines no macro; it is left out", clip(t.String()))
	}
	language, ok := languageOf(u.path)
	u.language = cmp.Or(u.flags.language, language)
	u.processor = cmp.Or(u.flags.processor, compilerProcessor(compiler), definedProcessor(u.flags), nx.X64)
	u.target = targetOf(cmp.Or(e.Output, u.flags.output))
	u.kernel = u.flags.kernel
	for _, dir := range u.flags.includes {
		if u.kernel == "" && isKitDirectory(dir) {
			u.kernel = dir
		}
	}
	return ok || u.flags.language != ""
}

// word gives a word of a command line the place of the first entry that has it.
func (db *database) word(w string, at int) text {
	if _, ok := db.first[w]; !ok {
		db.first[w] = at
	}
	return text{{text: w, file: db.file, at: db.first[w], fixed: true}}
}

// responses replaces @file by the words in it, if it is in the tree.
func (db *database) responses(e compileCommand, words []string, windows bool, depth int) []string {
	var out []string
	for i, w := range words {
		name, ok := strings.CutPrefix(w, "@")
		if !ok || name == "" || i == 0 && depth == 0 {
			out = append(out, w)
			continue
		}
		p, ok := db.paths.file(joinForeign(e.Directory, name))
		data, err := []byte(nil), error(nil)
		if ok {
			data, err = db.tree.Read(p)
		}
		if !ok || err != nil || len(data) > maxResponse || depth >= maxResponses || len(out) > maxCommandWords || checkText(data) != nil {
			db.note(e.at, "the response file %s is not there, or can't be read; its options are left out", clip(name))
			continue
		}
		s := strings.ReplaceAll(strings.TrimPrefix(string(data), bom), "\r\n", "\n")
		out = append(out, db.responses(e, split(s, windows), windows, depth+1)...)
	}
	return out[:min(len(out), maxCommandWords)]
}

// kernelUnits finds the entries that belong to drivers: those with a sign of kernel mode, and what CMake compiles for
// the same target.
func kernelUnits(units []*commandUnit) (kernel, rest []*commandUnit) {
	targets := map[string]bool{}
	for _, u := range units {
		if u.kernel != "" && u.target != "" {
			targets[u.target] = true
		}
	}
	for _, u := range units {
		if u.kernel != "" || targets[u.target] {
			kernel = append(kernel, u)
		} else {
			rest = append(rest, u)
		}
	}
	return kernel, rest
}

// commandBuilds makes a build of each target and processor.
func (l *loader) commandBuilds(db *database, units []*commandUnit, out *loaded) {
	type key struct {
		target    string
		processor nx.Processor
	}
	groups := map[key][]*commandUnit{}
	targets := map[string]bool{}
	var order []key
	for _, u := range units {
		k := key{u.target, u.processor}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], u)
		targets[u.target] = true
	}
	slices.SortFunc(order, func(a, b key) int {
		return cmp.Or(strings.Compare(a.target, b.target), strings.Compare(string(a.processor), string(b.processor)))
	})
	for _, k := range order {
		configuration := "default"
		if len(targets) > 1 && k.target != "" {
			configuration += ":" + k.target
		}
		platform := string(k.processor)
		out.configurations = append(out.configurations, configuration+"|"+platform)
		if l.wants(configuration, platform) {
			library := len(targets) > 1 && k.target != "" && !db.hasEntry(groups[k])
			out.builds = append(out.builds, l.commandBuild(db, configuration, k.processor, library, groups[k]))
		}
	}
}

// commandBuild makes one build. A database says nothing of the linker, so that entry and minimum Windows are the
// defaults.
func (l *loader) commandBuild(db *database, configuration string, processor nx.Processor, library bool, units []*commandUnit) *Build {
	p := db.file.path
	b := &Build{Build: driver.Build{
		ID: p + "|" + configuration + "|" + string(processor), Project: p, Configuration: configuration, Processor: processor,
		Minimum: nx.Windows7, MinimumSource: "default", Library: library,
	}}
	if !library {
		b.Entries = entries("")
	}
	for _, u := range units {
		o := Options{Processor: processor, Language: u.language, Defines: u.flags.defines, Undefines: u.flags.undefines,
			Precompiled: u.flags.precompiled}
		for _, dir := range u.flags.includes {
			if dir, ok := db.paths.directory(joinForeign(u.entry.Directory, dir)); ok && !slices.Contains(o.Includes, dir) {
				o.Includes = append(o.Includes, dir)
			}
		}
		for _, name := range u.flags.forced {
			if name, ok := db.forced(u, name); ok {
				o.Forced = append(o.Forced, name)
			}
		}
		l.add(b, u.path, o, toolset(processor, false, nx.Version{}, 0), nil)
	}
	b.Notes = db.notes
	if library {
		b.Notes = append(slices.Clone(db.notes), driver.Step{Place: driver.Place{Path: p},
			Says: configuration + ": no file has an entry routine, so it is taken for a static library"})
	}
	l.finish(b)
	return b
}

// forced gives a header that is included first: a path from the directory of the command, else what the include
// directories are searched for.
func (db *database) forced(u *commandUnit, name string) (string, bool) {
	if p, ok := db.paths.file(joinForeign(u.entry.Directory, name)); ok {
		return absolutePath(p), true
	}
	name = strings.ReplaceAll(name, `\`, "/")
	if isAbsolute(name) { // a precompiled header made by the build, perhaps
		db.note(u.entry.at, "%s, which is included first, is not there; it is left out", name)
	}
	return name, !isAbsolute(name)
}

// hasEntry says whether the text of any unit names a routine by which Windows enters a driver. Which units are linked
// into an image stands in no database.
func (db *database) hasEntry(units []*commandUnit) bool {
	return slices.ContainsFunc(units, func(u *commandUnit) bool {
		data, err := db.tree.Read(u.path)
		return err != nil || slices.ContainsFunc(entries(""), func(name string) bool { return bytes.Contains(data, []byte(name)) })
	})
}

// generated is what is said of a build file that a tool makes.
func (p *placer) generated(g group) error {
	missing := slices.IndexFunc(g.builds, func(b *Build) bool { return !b.has(g.defines) })
	if missing < 0 {
		return nil
	}
	var all []*Build
	for _, b := range p.set.Builds {
		if b.Project == g.project {
			all = append(all, b)
		}
	}
	if h, ok := p.inHeader(g, loaded{builds: all}); ok {
		p.header(g, h)
		return nil
	}
	d := g.defines[0]
	return fmt.Errorf("%s: it is generated, so nothing is edited there: define %s in the build file it is generated from (in a "+
		"CMakeLists.txt, target_compile_definitions(<target> PRIVATE %s)), generate it again, or pass -D %s here",
		g.project, g.text(), d.text(), d.text())
}
