package project

import (
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/nx"
)

// Recipes are read for what they compile and link; all other commands are passed over.

// tool is a program that matters.
type tool struct {
	does     work
	slash    bool // options begin with "/" too
	language Language
}

// work is what a program is called for.
type work int

const (
	compiles work = iota + 1 // and links, where no option says to compile only
	links
	archives
)

// tools are by name, without directory, extension, and the prefix of a cross compiler.
var tools = map[string]tool{
	"cl": {compiles, true, ""}, "clang-cl": {compiles, true, ""}, "icl": {compiles, true, ""},
	"gcc": {compiles, false, ""}, "cc": {compiles, false, ""}, "clang": {compiles, false, ""}, "tcc": {compiles, false, ""},
	"g++": {compiles, false, CXX}, "c++": {compiles, false, CXX}, "clang++": {compiles, false, CXX},
	"link": {links, true, ""}, "lld-link": {links, true, ""}, "ld": {links, false, ""}, "ld.lld": {links, false, ""},
	"lib": {archives, true, ""}, "llvm-lib": {archives, true, ""}, "ar": {archives, false, ""}, "llvm-ar": {archives, false, ""},
}

// wrappers stand before the program that does the work.
var wrappers = map[string]bool{"ccache": true, "sccache": true, "distcc": true, "env": true, "exec": true, "time": true, "call": true}

// toolNamed finds the tool that a program's name says, and the processor that a prefix such as x86_64-w64-mingw32- does.
func toolNamed(program string) (tool, nx.Processor, bool) {
	name := strings.ToLower(program[strings.LastIndexAny(program, `/\`)+1:])
	name = strings.TrimSuffix(name, ".exe")
	if i := strings.LastIndexByte(name, '-'); i > 0 && strings.Trim(name[i+1:], "0123456789.") == "" {
		name = name[:i] // gcc-12
	}
	for rest := name; ; {
		if t, ok := tools[rest]; ok {
			first, _, _ := strings.Cut(name, "-")
			return t, targetProcessors[first], true
		}
		_, after, ok := strings.Cut(rest, "-")
		if !ok {
			return tool{}, "", false
		}
		rest = after
	}
}

// command is one that a recipe runs and that matters.
type command struct {
	tool
	dir       string
	program   text
	words     []text // without the program's name
	flags     flags
	processor nx.Processor
	layers    []*layer // where its options come from
	shared    bool     // these are known to serve what is no kernel code
}

// only says whether a compiler is told not to link.
func (c *command) only() bool {
	return slices.ContainsFunc(c.words, func(t text) bool {
		s := t.String()
		return s == "-c" || c.slash && s == "/c"
	})
}

// commands gives those of a recipe that matter, expanded.
func (r *rules) commands(m made) []*command {
	settings, automatic := r.settingsOf(m.name), r.automatic(m)
	var list []*command
	for _, line := range m.recipe {
		if !r.spend(line.len()) {
			break
		}
		dir := r.dir
		for _, list2 := range commandWords(r.expand(settings, automatic, line), r.nmake) {
			if len(list2) == 2 && list2[0].String() == "cd" {
				dir = r.tree.Join(dir, list2[1].String())
				continue
			}
			if c := r.commandOf(list2, dir); c != nil {
				list = append(list, c)
			}
		}
	}
	return list
}

// commandOf reads the words of a command; nil where it is none that matters.
func (r *rules) commandOf(list []text, dir string) *command {
	for i, w := range list {
		s := w.String()
		if i == 0 {
			s = strings.TrimLeft(s, "@-+!")
		}
		name, _, assigns := strings.Cut(s, "=")
		if s == "" || wrappers[strings.ToLower(s)] || assigns && isIdentifier(name) {
			continue
		}
		if w.unknown() {
			s = endOfUnknown(s)
		}
		t, processor, ok := toolNamed(s)
		if !ok {
			return nil
		}
		c := &command{tool: t, dir: dir, program: w, words: r.responses(list[i+1:], dir, 0), processor: processor}
		if !r.spend(len(c.words) * 8) {
			return nil
		}
		c.parse()
		return c
	}
	return nil
}

// responses replaces @file by the words in it, as compilers and linkers do. One that is not there, because the build makes
// it, is unknown.
func (r *rules) responses(words []text, dir string, depth int) []text {
	if !slices.ContainsFunc(words, func(w text) bool { return strings.HasPrefix(w.String(), "@") }) {
		return words
	}
	var out []text
	for _, w := range words {
		name, ok := strings.CutPrefix(w.String(), "@")
		if !ok || name == "" || w.unknown() {
			out = append(out, w)
			continue
		}
		p, ok := r.tree.Find(r.tree.Join(dir, name))
		data, err := []byte(nil), error(nil)
		if ok {
			data, err = r.tree.Read(p)
		}
		if !ok || err != nil || len(data) > maxResponse || depth >= maxResponses || checkText(data) != nil || !r.spend(8*len(data)) {
			out = append(out, unknownText(w, "the response file is not there, or can't be read"))
			continue
		}
		r.reads[p] = true
		out = append(out, r.responses(fields(text{{text: string(data), file: newFile(p, data)}}), dir, depth+1)...)
	}
	return out
}

// endOfUnknown gives what may be the name of a program at the end of one that can't be evaluated: "$(shell x)gcc" or
// "$(shell which gcc)". Where it is no tool's, the program is taken for a compiler.
func endOfUnknown(s string) string {
	s = strings.TrimRight(s, ")}")
	if s = s[strings.LastIndexAny(s, ")} ")+1:]; s != "" {
		if _, _, ok := toolNamed(s); ok {
			return s
		}
	}
	return "cc"
}

// parse reads the words of a command. MSYS passes "//D" on as "/D"; what is unknown is left out.
func (c *command) parse() {
	var list []text
	for i, w := range c.words {
		if s := w.String(); c.slash && strings.HasPrefix(s, "//") {
			c.words[i] = w.slice(1, len(s))
		}
		if !w.unknown() {
			list = append(list, c.words[i])
		}
	}
	c.flags = parseArguments(list, c.slash)
	if c.slash {
		return
	}
	var linker []string
	for _, w := range list {
		if s, ok := strings.CutPrefix(w.String(), "-Wl,"); ok || c.does == links {
			linker = append(linker, s)
		}
	}
	c.flags.linker(plain(strings.Join(linker, ",")))
}

// unknown gives the words that can't be evaluated.
func (c *command) unknown() []text {
	return slices.DeleteFunc(slices.Clone(c.words), func(w text) bool { return !w.unknown() })
}

// commandWords cuts a line into commands, and these into words, as sh does, or cmd for nmake.
func commandWords(t text, cmd bool) [][]text {
	w := &wordCutter{cmd: cmd}
	for _, s := range t {
		if s.unknown {
			w.word, w.open = append(w.word, s), true
		} else {
			w.cut(s)
		}
	}
	w.endCommand()
	return w.commands
}

// wordCutter keeps its state from one span to the next: a quote may open in one and close in another.
type wordCutter struct {
	cmd      bool
	commands [][]text
	words    []text // of the command so far
	word     text
	open     bool // a word has begun, an empty one perhaps
	quote    byte // that is open, 0 for none
}

// endWord keeps an empty word that was quoted.
func (w *wordCutter) endWord() {
	if w.open {
		w.words = append(w.words, w.word)
	}
	w.word, w.open = nil, false
}

// endCommand passes over separators without a command between them, as in "&&".
func (w *wordCutter) endCommand() {
	w.endWord()
	if len(w.words) > 0 {
		w.commands = append(w.commands, w.words)
	}
	w.words = nil
}

// cut takes a span, which may begin or end within a word.
func (w *wordCutter) cut(s span) {
	from := 0
	flush := func(to int) {
		w.word = append(w.word, text{s}.slice(from, to)...)
		from = to + 1
	}
	for i := 0; i < len(s.text); i++ {
		b, next := s.text[i], byte(0)
		if i+1 < len(s.text) {
			next = s.text[i+1]
		}
		switch {
		case w.quote == '\'' && b != w.quote:
		case b == '\\' && w.escapes(next):
			flush(i)
			w.open = true
			i++ // keeps what follows
		case w.quote != 0 && b == w.quote:
			flush(i)
			w.quote = 0
		case w.quote == 0 && (b == '"' || b == '\'' && !w.cmd):
			flush(i)
			w.open, w.quote = true, b
		case w.quote != 0:
		case strings.IndexByte(white, b) >= 0:
			flush(i)
			w.endWord()
		case w.separates(b, next):
			flush(i)
			w.endCommand()
		default:
			w.open = true
		}
	}
	flush(len(s.text))
}

// escapes says whether a backslash makes the next character an ordinary one; else it is part of a path.
func (w *wordCutter) escapes(next byte) bool {
	if w.cmd {
		return next == '"'
	}
	return next != 0 && strings.IndexByte("\\\"' $;()&|<>#", next) >= 0
}

// separates says whether a character ends a command. A brace does only as a word of its own.
func (w *wordCutter) separates(b, next byte) bool {
	switch b {
	case '&', '|':
		return true
	case ';', '(', ')':
		return !w.cmd
	case '{', '}':
		return !w.cmd && !w.open && (next == 0 || strings.IndexByte(white+";", next) >= 0)
	}
	return false
}

// placements are the layers of a make file: each is a logical line, of an assignment or a recipe, that holds an option.
type placements struct {
	layers   map[layerKey]*layer
	defining map[*layer]bool // the option is a define
	depths   depths
}

// depths say in how many conditionals lines stand. What is added to the outermost serves other configurations too, which
// are not read here.
type depths map[layerKey]int

// note keeps the depth of a line.
func (d depths) note(line text, depth int) {
	if len(line) > 0 && line[0].file != nil && depth > 0 {
		f := line[0].file
		d[layerKey{f, f.lineStart(line[0].at)}] = depth
	}
}

// outermost keeps the layers that stand in the fewest conditionals.
func (d depths) outermost(list []*layer) []*layer {
	least := -1
	for _, y := range list {
		if n := d[layerKey{y.file, y.at}]; least < 0 || n < least {
			least = n
		}
	}
	return slices.DeleteFunc(list, func(y *layer) bool { return d[layerKey{y.file, y.at}] > least })
}

// of gives the layers by which words came to a command: all, or those that hold a define.
func (p *placements) of(commandWords []text, defining bool) []*layer {
	var list []*layer
	seen := map[*layer]bool{}
	argument := false // of the option in front: a path may begin as an option of Microsoft's compiler does
	for _, w := range commandWords {
		s := w.String()
		if argument {
			argument = false
			continue
		}
		if len(w) != 1 || w[0].file == nil || w[0].fixed || s == "" || s[0] != '-' && s[0] != '/' {
			continue
		}
		o := findOption("-" + strings.TrimLeft(s, "-/"))
		if o != nil && o.takes == either && strings.TrimLeft(s, "-/") == strings.TrimLeft(o.name, "-") {
			argument = true
			continue
		}
		f, end := w[0].file, w[0].at+len(s)
		if end < len(f.data) && strings.IndexByte(white, f.data[end]) < 0 || end > len(f.data) {
			continue
		}
		y := p.at(f, w[0].at, s, o != nil && o.name == "-D")
		if (p.defining[y] || !defining) && !seen[y] {
			list = append(list, y)
			seen[y] = true
		}
	}
	return list
}

// maxLines bounds the lines of one logical line that are looked at for where it begins.
const maxLines = 1000

// at gives the layer of the logical line that holds an option, always the same one. What is added goes after the last
// define there, else after the last option.
func (p *placements) at(f *file, at int, option string, defines bool) *layer {
	start := f.lineStart(at)
	for range maxLines {
		if start == 0 || !strings.HasSuffix(strings.TrimRight(string(f.data[f.lineStart(start-1):start]), "\r\n"), `\`) {
			break
		}
		start = f.lineStart(start - 1)
	}
	key := layerKey{f, start}
	y := p.layers[key]
	if y == nil {
		y = &layer{file: f, at: start, inherits: true}
		p.layers[key] = y
	}
	end := at + len(option)
	if defines && !p.defining[y] || defines == p.defining[y] && end > y.spot.end {
		prefix := " " + option[:1] + "D"
		if at > 0 && option[0] == '/' && f.data[at-1] == '/' {
			prefix = " //D"
		}
		y.spot = spot{start: end, end: end, before: prefix, separator: prefix}
	}
	p.defining[y] = p.defining[y] || defines
	return y
}

// baseName gives the name of a file without its directory and extension.
func baseName(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.TrimSuffix(name, path.Ext(name))
}
