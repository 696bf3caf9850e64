package project

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Options of compilers and linkers, in one table for cl, clang, gcc, link and ld: those that decide which code is
// compiled or whether it is for the kernel. Sources: "MSVC compiler options" and "MSVC linker options" on
// learn.microsoft.com, the manuals of GCC and GNU ld.

// flags are what the command line of a compiler or a linker says, in the options of cl, clang, gcc and link.
type flags struct {
	defines          []Define
	undefines        []string
	includes, forced []string
	language         Language
	precompiled      string   // header up to which a unit is skipped
	unreadable       []text   // arguments of /D that name no macro
	unvalued         []Define // those with a value that can't be evaluated, which is taken as written
	inputs           []text   // what is no option: source files, objects, libraries
	output           string
	processor        nx.Processor // "" where nothing says it
	entry            string       // the linker's entry point, "" where nothing says it
	kernel           string       // the option that shows kernel-mode code, "" where none does
}

// option is one that matters. Its argument follows at once or, where it must or can, in the next word.
type option struct {
	name  string
	takes argument
	set   func(f *flags, value text)
}

// argument says where that of an option stands.
type argument int

const (
	none   argument = iota
	joined          // to the option's name
	either          // there, or in the next word
)

// commandOptions begin with "-", which stands for "/" too where the compiler takes it. Of two that fit, the longer counts.
var commandOptions = []option{
	{"-D", either, (*flags).define},
	{"-U", either, func(f *flags, v text) { f.undefines = append(f.undefines, v.String()) }},
	{"-I", either, func(f *flags, v text) { f.includes = append(f.includes, v.String()) }},
	{"-isystem", either, func(f *flags, v text) { f.includes = append(f.includes, v.String()) }},
	{"-iquote", either, func(f *flags, v text) { f.includes = append(f.includes, v.String()) }},
	{"-idirafter", either, func(f *flags, v text) { f.includes = append(f.includes, v.String()) }},
	{"-imsvc", either, func(f *flags, v text) { f.includes = append(f.includes, v.String()) }},
	{"-external:I", either, func(f *flags, v text) { f.includes = append(f.includes, v.String()) }},
	{"-FI", either, func(f *flags, v text) { f.forced = append(f.forced, v.String()) }},
	{"-include", either, func(f *flags, v text) { f.forced = append(f.forced, v.String()) }},
	{"-imacros", either, func(f *flags, v text) { f.forced = append(f.forced, v.String()) }},
	{"-Yu", joined, func(f *flags, v text) { f.precompiled = v.String() }},
	{"-Y-", none, func(f *flags, _ text) { f.precompiled = "" }},
	{"-TC", none, func(f *flags, _ text) { f.language = C }},
	{"-TP", none, func(f *flags, _ text) { f.language = CXX }},
	{"-Tc", either, func(f *flags, v text) { f.inputs, f.language = append(f.inputs, v), C }},
	{"-Tp", either, func(f *flags, v text) { f.inputs, f.language = append(f.inputs, v), CXX }},
	{"-x", either, func(f *flags, v text) { f.language = languageNames[v.String()] }},
	{"-o", either, func(f *flags, v text) { f.output = v.String() }},
	{"-Fo", joined, func(f *flags, v text) { f.output = v.String() }},
	{"-out:", joined, func(f *flags, v text) { f.output = v.String() }},
	{"-m32", none, func(f *flags, _ text) { f.processor = nx.X86 }},
	{"-m64", none, func(f *flags, _ text) { f.processor = nx.X64 }},
	{"--target=", joined, (*flags).target},
	{"-target", either, (*flags).target},
	{"-machine:", joined, (*flags).machine},
	{"-kernel", none, func(f *flags, _ text) { f.kernel = "/kernel" }},
	{"-driver", joined, func(f *flags, _ text) { f.kernel = "/driver" }},
	{"-subsystem:", joined, (*flags).subsystem},
	{"-entry:", joined, func(f *flags, v text) { f.entry = v.String() }},
	{"-e", either, func(f *flags, v text) { f.entry = v.String() }},
	{"-Wl,", joined, (*flags).linker},
	{"-Xlinker", either, (*flags).linker},
	// These take an argument that is no input.
	{"-MF", either, nil}, {"-MT", either, nil}, {"-MQ", either, nil}, {"-arch", either, nil}, {"-L", either, nil}, {"-l", joined, nil},
}

// languageNames are the arguments of -x, which gcc and clang have.
var languageNames = map[string]Language{"c": C, "c++": CXX}

// parseFlags reads a command line in the options of cl or link. Both / and - begin an option.
func parseFlags(line text) flags { return parseArguments(fields(line), true) }

// parseArguments reads the words of a command line, the program's name not among them. slash says that options begin
// with "/" too, as those of cl and link.
func parseArguments(words []text, slash bool) flags {
	var f flags
	for i := 0; i < len(words); i++ {
		s := words[i].String()
		if s == "" || s[0] != '-' && (s[0] != '/' || !slash) {
			f.inputs = append(f.inputs, words[i])
			continue
		}
		o := findOption(s)
		if o == nil || slash && o.name == "-MT" { // which is cl's runtime library
			continue
		}
		value := words[i].slice(len(o.name), len(s)).trim()
		if o.takes == either && value.len() == 0 && i+1 < len(words) {
			i++
			value = words[i]
		}
		if o.set != nil {
			o.set(&f, value)
		}
	}
	return f
}

// findOption gives the option a word is, nil where it is none that matters. The linker's, which end in a colon, and long
// ones are compared without regard to case; cl's and gcc's letters with it.
func findOption(s string) *option {
	var best *option
	for i, o := range commandOptions {
		if len(s) < len(o.name) || o.takes == none && len(s) != len(o.name) {
			continue
		}
		head := "-" + s[1:len(o.name)]
		same := head == o.name || len(o.name) > 4 && strings.EqualFold(head, o.name)
		if same && (best == nil || len(o.name) > len(best.name)) {
			best = &commandOptions[i]
		}
	}
	return best
}

// target reads a clang target: x86_64-pc-windows-msvc.
func (f *flags) target(v text) {
	processor, _, _ := strings.Cut(v.String(), "-")
	f.processor = targetProcessors[strings.ToLower(processor)]
}

// targetProcessors are the first words of targets, and the prefixes of gcc's names.
var targetProcessors = map[string]nx.Processor{
	"x86_64": nx.X64, "amd64": nx.X64, "i386": nx.X86, "i486": nx.X86, "i586": nx.X86, "i686": nx.X86,
	"arm": nx.ARM, "armv7": nx.ARM, "thumbv7": nx.ARM, "aarch64": nx.ARM64, "arm64": nx.ARM64,
}

// machine is /MACHINE of the linker, which names the processor where the compiler does not.
func (f *flags) machine(v text) {
	if p, ok := nx.ParseProcessor(v.String()); ok {
		f.processor = p
	}
}

// subsystem is /SUBSYSTEM of the linker: NATIVE is what drivers have, and a few programs that run before Windows has
// started.
func (f *flags) subsystem(v text) {
	if s := strings.ToLower(v.String()); s == "native" || strings.HasPrefix(s, "native,") {
		f.kernel = "/subsystem:native"
	}
}

// linker reads what gcc passes on: --subsystem,native,--entry,DriverEntry or --entry=DriverEntry.
func (f *flags) linker(v text) {
	words := strings.FieldsFunc(v.String(), func(r rune) bool { return r == ',' || r == '=' })
	for i := 0; i+1 < len(words); i++ {
		switch strings.TrimLeft(words[i], "-/") {
		case "subsystem":
			if strings.HasPrefix(words[i+1], "native") {
				f.kernel = "--subsystem=native"
			}
		case "e", "entry":
			f.entry = words[i+1]
		}
	}
}

// define is -D. A define without a value is 1; one that is no identifier is left out, as the compiler refuses it.
func (f *flags) define(t text) {
	d, ok := defineOf(t)
	if !ok {
		f.unreadable = append(f.unreadable, t)
		return
	}
	f.defines = append(f.defines, d)
	if t.unknown() {
		f.unvalued = append(f.unvalued, d)
	}
	if d.Name == "_KERNEL_MODE" {
		f.kernel = cmp.Or(f.kernel, "_KERNEL_MODE")
	}
}

// doubts notes the defines that could not be read or evaluated.
func (f *flags) doubts(note func(at driver.Place, format string, arguments ...any)) {
	for _, t := range f.unreadable {
		note(t.place(), "%q defines no macro; it is left out", t)
	}
	for _, d := range f.unvalued {
		note(d.Place, "the value of the define %s can't be evaluated; it is taken as written: %s", d.Name, d.Value)
	}
}

// defineOf reads NAME, NAME=VALUE or NAME#VALUE.
func defineOf(t text) (Define, bool) {
	s := t.String()
	d := Define{Name: s, Value: "1", Place: t.place()}
	if i := strings.IndexAny(s, "=#"); i >= 0 {
		d.Name, d.Value = s[:i], s[i+1:]
	}
	d.Name = strings.Trim(d.Name, white)
	return d, isIdentifier(d.Name) && !t.slice(0, len(d.Name)).unknown()
}

// isIdentifier takes ASCII names alone; the kit has no others.
func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isWord(s[i]) && s[i] != '$' || i == 0 && s[i] >= '0' && s[i] <= '9' {
			return false
		}
	}
	return s != ""
}

// fields splits a command line at white space. Double quotes group and are dropped, \" stands for a quote.
func fields(t text) []text {
	var list []text
	var current text
	open, quoted, escaped := false, false, false
	for _, s := range t {
		from := 0
		flush := func(to int) {
			current = append(current, text{s}.slice(from, to)...)
			from = to + 1
		}
		for i := range len(s.text) {
			switch b := s.text[i]; {
			case escaped && b == '"':
				open = true
			case b == '\\' && strings.HasPrefix(s.text[i+1:], `"`):
				flush(i) // keeps the quote, drops the backslash
			case b == '"':
				flush(i)
				open, quoted = true, !quoted
			case quoted || strings.IndexByte(white, b) < 0:
				open = true
			default:
				flush(i)
				if open {
					list = append(list, current)
				}
				open, current = false, nil
			}
			escaped = s.text[i] == '\\'
		}
		flush(len(s.text))
	}
	if open {
		list = append(list, current)
	}
	return list
}

// unescape decodes the %XX of MSBuild.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(n))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// languages are the extensions of what a C compiler compiles, in lower case.
var languages = map[string]Language{".c": C, ".cc": CXX, ".cpp": CXX, ".cxx": CXX, ".c++": CXX}

// languageOf gives the language of a source file by its extension, without regard to case; false for all that is not
// compiled.
func languageOf(name string) (Language, bool) {
	l, ok := languages[strings.ToLower(path.Ext(name))]
	return l, ok
}

// interner makes equal options and equal units the same pointer.
type interner struct {
	options map[string]*Options
	units   map[Unit]*Unit
}

// newInterner begins with no options.
func newInterner() *interner {
	return &interner{options: map[string]*Options{}, units: map[Unit]*Unit{}}
}

// unit gives the unit with these options, the same pointer for the same: 48 configurations of 100 files have few
// different ones.
func (in *interner) unit(path string, o Options) *Unit {
	key := o.key(true)
	options, ok := in.options[key]
	if !ok {
		options = &o
		in.options[key] = options
	}
	u := Unit{path, options}
	if in.units[u] == nil {
		in.units[u] = &u
	}
	return in.units[u]
}

// key is equal for equal options; without places, for options that compile the same.
func (o Options) key(places bool) string {
	if !places {
		o.Defines = slices.Clone(o.Defines)
		for i := range o.Defines {
			o.Defines[i].Place = driver.Place{}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %q %q %q %q %t", o.Processor, o.Language, o.Undefines, o.Includes, o.Forced, o.Precompiled, o.NoOptIn)
	for _, d := range o.Defines {
		fmt.Fprintf(&b, " %q=%q@%q:%d", d.Name, d.Value, d.Place.Path, d.Place.Offset)
	}
	return b.String()
}

// value gives what a macro is on the command line, and whether it is defined at all.
func (o *Options) value(name string) (string, bool) {
	d, ok := o.last(name)
	return d.Value, ok
}

// last gives the define that a macro comes from: of two of a name, cl and gcc take the later.
func (o *Options) last(name string) (Define, bool) {
	if slices.Contains(o.Undefines, name) {
		return Define{}, false
	}
	for _, d := range slices.Backward(o.Defines) {
		if d.Name == name {
			return d, true
		}
	}
	return Define{}, false
}
