package project

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// flags are what a compiler's command line says.
type flags struct {
	defines          []Define
	undefines        []string
	includes, forced []string
	language         Language
	unreadable       []text // arguments of /D that name no macro
}

// parseFlags reads a command line. Both / and - begin an option; its argument may stand apart.
func parseFlags(line text) flags {
	var f flags
	arguments := fields(line)
	for i := 0; i < len(arguments); i++ {
		argument := arguments[i]
		s := argument.String()
		if len(s) < 2 || s[0] != '/' && s[0] != '-' {
			continue
		}
		letter := s[1:2]
		if strings.HasPrefix(s[1:], "FI") {
			letter = "FI"
		}
		value := argument.slice(1+len(letter), len(s)).trim()
		if !slices.Contains([]string{"D", "U", "I", "FI"}, letter) {
			f.other(s[1:])
			continue
		}
		if value.len() == 0 && i+1 < len(arguments) {
			i++
			value = arguments[i]
		}
		f.add(letter, value)
	}
	return f
}

func (f *flags) add(letter string, value text) {
	switch letter {
	case "D":
		f.define(value)
	case "U":
		f.undefines = append(f.undefines, value.String())
	case "I":
		f.includes = append(f.includes, value.String())
	case "FI":
		f.forced = append(f.forced, value.String())
	}
}

func (f *flags) other(option string) {
	switch option {
	case "TC":
		f.language = C
	case "TP":
		f.language = CXX
	}
}

func (f *flags) define(t text) {
	if d, ok := defineOf(t); ok {
		f.defines = append(f.defines, d)
	} else {
		f.unreadable = append(f.unreadable, t)
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
	return d, isIdentifier(d.Name) && !t.unknown()
}

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

func languageOf(name string) (Language, bool) {
	l, ok := languages[strings.ToLower(path.Ext(name))]
	return l, ok
}

// interner makes equal options and equal units the same pointer.
type interner struct {
	options map[string]*Options
	units   map[Unit]*Unit
}

func newInterner() *interner {
	return &interner{options: map[string]*Options{}, units: map[Unit]*Unit{}}
}

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
	fmt.Fprintf(&b, "%q %q %q %q %q", o.Processor, o.Language, o.Undefines, o.Includes, o.Forced)
	for _, d := range o.Defines {
		fmt.Fprintf(&b, " %q=%q@%q:%d", d.Name, d.Value, d.Place.Path, d.Place.Offset)
	}
	return b.String()
}

// value gives what a macro is on the command line, and whether it is defined at all.
func (o *Options) value(name string) (string, bool) {
	if slices.Contains(o.Undefines, name) {
		return "", false
	}
	for _, d := range slices.Backward(o.Defines) {
		if d.Name == name {
			return d.Value, true
		}
	}
	return "", false
}
