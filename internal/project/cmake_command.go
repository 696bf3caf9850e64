package project

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// cmakeCall is one command being run, with its arguments.
type cmakeCall struct {
	*cmake
	fr   *frame
	in   *invocation
	args []text
}

// commandTable gives the commands that change what is compiled.
func commandTable() map[string]func(*cmakeCall) {
	table := map[string]func(*cmakeCall){
		"set": (*cmakeCall).setVariable, "unset": (*cmakeCall).unsetVariable, "option": (*cmakeCall).option, "list": (*cmakeCall).list,
		"string": (*cmakeCall).stringCommand, "math": (*cmakeCall).math, "project": (*cmakeCall).project,
		"enable_language": (*cmakeCall).enableLanguage, "include": (*cmakeCall).include,
		"cmake_language": (*cmakeCall).language, "add_subdirectory": (*cmakeCall).addSubdirectory, "find_package": (*cmakeCall).findPackage, "file": (*cmakeCall).fileCommand,
		"get_filename_component": (*cmakeCall).filenameComponent, "cmake_path": (*cmakeCall).cmakePath,
		"cmake_parse_arguments": (*cmakeCall).parseArguments, "set_property": (*cmakeCall).setProperty,
		"get_property": (*cmakeCall).getProperty, "get_target_property": (*cmakeCall).getTargetProperty,
		"aux_source_directory": (*cmakeCall).auxSources, "separate_arguments": (*cmakeCall).separateArguments, "find_package_handle_standard_args": (*cmakeCall).packageFound,
	}
	for name, at := range outputs {
		table[name] = func(k *cmakeCall) { k.unknownOutputs(at) }
	}
	for name, do := range targetCommands() {
		table[name] = do
	}
	return table
}

// harmless are commands that change nothing that is compiled.
var harmless = map[string]bool{
	"cmake_minimum_required": true, "message": true, "install": true, "cmake_policy": true, "mark_as_advanced": true,
	"source_group": true, "enable_testing": true, "add_test": true, "export": true, "link_directories": true,
	"target_link_directories": true, "include_guard": true, "add_dependencies": true, "configure_file": true,
	"target_compile_features": true, "set_tests_properties": true, "define_property": true, "write_file": true,
	"include_external_msproject": true, "variable_watch": true, "configure_package_config_file": true,
	"write_basic_package_version_file": true, "feature_summary": true,
	"set_package_properties": true, "find_package_message": true, "include_regular_expression": true, "site_name": true,
	"endif": true, "endforeach": true, "endwhile": true, "endfunction": true, "endmacro": true, "endblock": true,
	"build_command": true, "create_test_sourcelist": true, "ctest_submit": true,
	"if": true, "else": true, "elseif": true, "foreach": true, "while": true, "break": true, "continue": true,
	"add_feature_info": true, "externalproject_add": true,
}

// output says which arguments of a command that is not run name the variables that it sets: by index, or by the words
// that stand before them.
type output struct {
	at    int
	words []string
}

var outputs = map[string]output{
	"find_program": {at: 0}, "find_path": {at: 0}, "find_library": {at: 0}, "find_file": {at: 0}, "try_compile": {at: 0},
	"try_run": {at: 0}, "execute_process": {at: noIndex, words: []string{"OUTPUT_VARIABLE", "RESULT_VARIABLE", "ERROR_VARIABLE", "RESULTS_VARIABLE"}},
	"exec_program":            {at: noIndex, words: []string{"OUTPUT_VARIABLE", "RETURN_VALUE"}},
	"check_c_source_compiles": {at: 1}, "check_cxx_source_compiles": {at: 1}, "check_c_compiler_flag": {at: 1},
	"check_cxx_compiler_flag": {at: 1}, "check_include_file": {at: 1}, "check_include_files": {at: 1},
	"check_function_exists": {at: 1}, "check_symbol_exists": {at: 2}, "check_cxx_symbol_exists": {at: 2},
	"check_type_size": {at: 1}, "check_library_exists": {at: 3}, "check_ipo_supported": {at: noIndex, words: []string{"RESULT", "OUTPUT"}},
	"check_linker_flag": {at: 2}, "check_compiler_flag": {at: 2}, "check_source_compiles": {at: 2}, "check_struct_has_member": {at: 3},
	"check_c_source_runs": {at: 1}, "check_cxx_source_runs": {at: 1}, "check_include_file_cxx": {at: 1},
	"cmake_host_system_information": {at: noIndex, words: []string{"RESULT"}}, "get_cmake_property": {at: 0},
	"get_directory_property": {at: 0}, "get_source_file_property": {at: 0}, "get_test_property": {at: 2},
	"load_cache": {at: noIndex},
}

// noIndex stands where no argument counts by its index.
const noIndex = -1 << 10

func (k *cmakeCall) unknownOutputs(o output) {
	if o.at >= 0 && o.at < len(k.args) {
		k.setUnknown(k.fr, k.arg(o.at))
	}
	for i := range k.args {
		if i > 0 && slices.Contains(o.words, k.arg(i-1)) {
			k.setUnknown(k.fr, k.arg(i))
		}
	}
}

// arg gives an argument, "" where there is none.
func (k *cmakeCall) arg(i int) string {
	if i < 0 || i >= len(k.args) {
		return ""
	}
	return k.args[i].String()
}

func (k *cmakeCall) rest(from int) []text { return k.args[min(from, len(k.args)):] }

func (k *cmakeCall) place() driver.Place { return k.in.file.place(k.in.at) }

func (k *cmakeCall) say(format string, arguments ...any) {
	k.note(k.fr, k.place(), format, arguments...)
}

// set sets a variable. A value that is too long is not known.
func (k *cmakeCall) set(name string, v text) {
	const most = 100 // pieces of what is not known as a whole
	affords := k.affords(v)
	if !affords {
		k.say("the value of %s is too long; it is not known", clip(name))
	}
	if !affords || len(v) > most && v.unknown() {
		v = text{{text: "${" + clip(name) + "}", unknown: true}}
	}
	k.fr.vars.set(name, v)
}

func (k *cmakeCall) variable(name string) text {
	v, _ := k.get(k.fr, name)
	return v
}

func (k *cmakeCall) setVariable() {
	name := k.arg(0)
	values := k.rest(1)
	if env, ok := strings.CutPrefix(name, "ENV{"); ok {
		if len(values) > 0 {
			k.env[strings.TrimSuffix(env, "}")] = append(text{}, values[0]...)
		}
		return
	}
	switch n := len(values); {
	case len(k.args) == 0 || k.args[0].unknown():
	case n == 0:
		k.fr.vars.vars[name] = cmakeVariable{unset: true}
	case values[n-1].String() == "PARENT_SCOPE":
		if around := k.fr.vars.around; around != nil {
			around.set(name, joinList(values[:n-1]))
			if n == 1 {
				around.vars[name] = cmakeVariable{unset: true}
			}
		}
	default:
		i := slices.IndexFunc(values, func(t text) bool { return t.String() == "CACHE" })
		if i < 0 || len(values)-i < 3 {
			k.set(name, joinList(values))
			return
		}
		forced := values[n-1].String() == "FORCE" || values[i+1].String() == "INTERNAL"
		if _, ok := k.variables[name]; !ok || forced {
			k.variables[name] = joinList(values[:i])
			if forced {
				delete(k.fr.vars.vars, name)
			}
		}
	}
}

func (k *cmakeCall) unsetVariable() {
	switch name := k.arg(0); {
	case strings.HasPrefix(name, "ENV{"):
		delete(k.env, strings.TrimSuffix(name[len("ENV{"):], "}"))
	case k.arg(1) == "CACHE":
		delete(k.variables, name)
	case k.arg(1) == "PARENT_SCOPE":
		if around := k.fr.vars.around; around != nil {
			around.vars[name] = cmakeVariable{unset: true}
		}
	default:
		k.fr.vars.vars[name] = cmakeVariable{unset: true}
	}
}

// option has the value that the file gives: what a user would choose is not known.
func (k *cmakeCall) option() {
	if _, ok := k.get(k.fr, k.arg(0)); !ok {
		k.variables[k.arg(0)] = plain("OFF")
		if len(k.args) > 2 {
			k.variables[k.arg(0)] = k.args[2]
		}
	}
}

// list runs list(WORK VARIABLE ...).
func (k *cmakeCall) list() {
	name := k.arg(1)
	items := splitList(k.variable(name))
	if !k.spend(len(items)) {
		return
	}
	work := k.arg(0)
	if do := listWork[work]; do != nil {
		if items, ok := do(k, items, k.rest(2)); ok {
			k.set(name, joinList(items))
		}
		return
	}
	if do := listQueries[work]; do != nil && len(k.args) > 2 {
		v, ok := do(k, items, k.args[2:len(k.args)-1])
		if ok && !k.variable(name).unknown() {
			k.set(k.arg(len(k.args)-1), v)
			return
		}
	}
	k.setUnknown(k.fr, k.arg(len(k.args)-1))
}

// listWork changes a list. ok is false where it stays as it is.
var listWork = map[string]func(k *cmakeCall, items, args []text) (changed []text, ok bool){
	"APPEND": func(_ *cmakeCall, items, args []text) ([]text, bool) { return append(items, args...), len(args) > 0 },
	"PREPEND": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		return slices.Concat(args, items), len(args) > 0
	},
	"INSERT": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		i, ok := indexIn(items, args, 1)
		if !ok || len(args) == 0 {
			return nil, false
		}
		return slices.Insert(items, i, args[1:]...), true
	},
	"REMOVE_ITEM": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		gone := textSet(args)
		return slices.DeleteFunc(items, func(t text) bool { return gone[t.String()] }), true
	},
	"REMOVE_AT": func(_ *cmakeCall, items, args []text) ([]text, bool) {
		i, ok := indexIn(items, args, 0)
		if !ok {
			return nil, false
		}
		return slices.Delete(items, i, i+1), true
	},
	"REMOVE_DUPLICATES": func(_ *cmakeCall, items, _ []text) ([]text, bool) { return uniqueTexts(items), true },
	"REVERSE":           func(_ *cmakeCall, items, _ []text) ([]text, bool) { slices.Reverse(items); return items, true },
	"SORT": func(_ *cmakeCall, items, _ []text) ([]text, bool) {
		slices.SortStableFunc(items, func(a, b text) int { return strings.Compare(a.String(), b.String()) })
		return items, true
	},
	"FILTER":    (*cmakeCall).filter,
	"TRANSFORM": (*cmakeCall).transform,
	"POP_BACK":  func(k *cmakeCall, items, args []text) ([]text, bool) { return k.pop(items, args, len(items)-1) },
	"POP_FRONT": func(k *cmakeCall, items, args []text) ([]text, bool) { return k.pop(items, args, 0) },
}

// indexIn reads an index, which counts from the end where it is negative.
func indexIn(items, args []text, beyond int) (int, bool) {
	if len(args) == 0 {
		return 0, false
	}
	i, err := strconv.Atoi(args[0].String())
	if i < 0 {
		i += len(items)
	}
	return i, err == nil && i >= 0 && i < len(items)+beyond
}

func textSet(list []text) map[string]bool {
	set := map[string]bool{}
	for _, t := range list {
		set[t.String()] = true
	}
	return set
}

// uniqueTexts keeps the first of equal texts.
func uniqueTexts(list []text) []text {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(t text) bool {
		s := t.String()
		was := seen[s]
		seen[s] = true
		return was
	})
}

func (k *cmakeCall) pop(items, args []text, i int) ([]text, bool) {
	if len(items) == 0 {
		return nil, false
	}
	if len(args) > 0 {
		k.set(args[0].String(), items[i])
	}
	return slices.Delete(items, i, i+1), true
}

func (k *cmakeCall) filter(items, args []text) ([]text, bool) {
	if len(args) != 3 {
		return nil, false
	}
	re, err := cmakeRegexp(args[2].String())
	if err != nil || args[2].unknown() {
		k.say("list(FILTER): the expression %q is not understood; the list stays as it is", clip(args[2].String()))
		return nil, false
	}
	keep := args[0].String() == "INCLUDE"
	return slices.DeleteFunc(items, func(t text) bool { return re.MatchString(t.String()) != keep }), true
}

func (k *cmakeCall) transform(items, args []text) ([]text, bool) {
	if len(args) == 0 {
		return nil, false
	}
	change := map[string]func(t text) text{
		"TOUPPER": func(t text) text { return recased(t, strings.ToUpper) },
		"TOLOWER": func(t text) text { return recased(t, strings.ToLower) },
		"STRIP":   text.trim,
	}[args[0].String()]
	if len(args) == 2 {
		change = map[string]func(t text) text{
			"APPEND":  func(t text) text { return slices.Concat(t, args[1]) },
			"PREPEND": func(t text) text { return slices.Concat(args[1], t) },
		}[args[0].String()]
	}
	if change == nil {
		k.say("list(TRANSFORM %s) is not evaluated; the list stays as it is", clip(args[0].String()))
		return nil, false
	}
	for i := range items {
		items[i] = change(items[i])
	}
	return items, true
}

// recased changes the case of a text, which keeps its places.
func recased(t text, change func(string) string) text {
	out := slices.Clone(t)
	for i := range out {
		if s := change(out[i].text); len(s) == len(out[i].text) && !out[i].unknown {
			out[i].text = s
		}
	}
	return out
}

// listQueries give a value for the variable that the last argument names.
var listQueries = map[string]func(k *cmakeCall, items, args []text) (text, bool){
	"LENGTH": func(_ *cmakeCall, items, _ []text) (text, bool) { return plain(strconv.Itoa(len(items))), true },
	"GET": func(_ *cmakeCall, items, args []text) (text, bool) {
		var out []text
		for i := range args {
			n, ok := indexIn(items, args[i:], 0)
			if !ok {
				return plain("NOTFOUND"), true
			}
			out = append(out, items[n])
		}
		return joinList(out), len(out) > 0
	},
	"FIND": func(_ *cmakeCall, items, args []text) (text, bool) {
		if len(args) == 0 {
			return nil, false
		}
		i := slices.IndexFunc(items, func(t text) bool { return t.String() == args[0].String() })
		return plain(strconv.Itoa(i)), true
	},
	"JOIN": func(_ *cmakeCall, items, args []text) (text, bool) {
		if len(args) == 0 {
			return nil, false
		}
		return joinTexts(items, args[0]), true
	},
	"SUBLIST": func(_ *cmakeCall, items, args []text) (text, bool) {
		from, ok := indexIn(items, args, 1)
		if !ok || len(args) < 2 {
			return nil, false
		}
		n, err := strconv.Atoi(args[1].String())
		if n < 0 || n > len(items)-from {
			n = len(items) - from
		}
		return joinList(items[from : from+n]), err == nil
	},
}

func joinTexts(items []text, separator text) text {
	var out text
	for i, item := range items {
		if i > 0 {
			out = append(out, separator...)
		}
		out = append(out, item...)
	}
	return out
}

// stringWork are string(WORK ...): which argument names the variable that is set, and what it is set to. A result that
// is not ok is unknown.
var stringWork = map[string]struct {
	out  int
	work func(k *cmakeCall, args []text) (text, bool)
}{
	"TOLOWER": {2, func(_ *cmakeCall, args []text) (text, bool) { return recased(args[0], strings.ToLower), true }},
	"TOUPPER": {2, func(_ *cmakeCall, args []text) (text, bool) { return recased(args[0], strings.ToUpper), true }},
	"STRIP":   {2, func(_ *cmakeCall, args []text) (text, bool) { return args[0].trim(), true }},
	"LENGTH":  {2, func(_ *cmakeCall, args []text) (text, bool) { return plain(strconv.Itoa(args[0].len())), true }},
	"REPLACE": {3, replaced},
	"CONCAT":  {1, func(_ *cmakeCall, args []text) (text, bool) { return slices.Concat(args[1:]...), true }},
	"JOIN":    {2, func(_ *cmakeCall, args []text) (text, bool) { return joinTexts(args[2:], args[0]), true }},
	"APPEND": {1, func(k *cmakeCall, args []text) (text, bool) {
		return slices.Concat(append([]text{k.variable(args[0].String())}, args[1:]...)...), true
	}},
	"PREPEND": {1, func(k *cmakeCall, args []text) (text, bool) {
		return slices.Concat(append(slices.Clone(args[1:]), k.variable(args[0].String()))...), true
	}},
	"SUBSTRING": {4, func(_ *cmakeCall, args []text) (text, bool) {
		from, err := strconv.Atoi(args[1].String())
		n, err2 := strconv.Atoi(args[2].String())
		if err != nil || err2 != nil || from < 0 || from > args[0].len() {
			return nil, false
		}
		if n < 0 || n > args[0].len()-from {
			n = args[0].len() - from
		}
		return args[0].slice(from, from+n), true
	}},
	"FIND": {3, func(_ *cmakeCall, args []text) (text, bool) {
		s, what := args[0].String(), args[1].String()
		if len(args) > 3 && args[3].String() == "REVERSE" {
			return plain(strconv.Itoa(strings.LastIndex(s, what))), true
		}
		return plain(strconv.Itoa(strings.Index(s, what))), true
	}},
	"MAKE_C_IDENTIFIER": {2, func(_ *cmakeCall, args []text) (text, bool) {
		return recased(args[0], func(s string) string {
			b := []byte(s)
			for i := range b {
				if !isWord(b[i]) {
					b[i] = '_'
				}
			}
			return string(b)
		}), true
	}},
	"COMPARE": {4, func(k *cmakeCall, args []text) (text, bool) {
		test := cmakeBinary["STR"+args[0].String()]
		e := &cmakeCondition{cmake: k.cmake, fr: k.fr, in: k.in}
		if args[0].String() == "NOTEQUAL" {
			return plain(fmt.Sprint(e.equal(args[1], args[2]).not())), true
		}
		if test == nil {
			return nil, false
		}
		return plain(strconv.Itoa(int(test(e, args[1], args[2])))), true
	}},
	"REGEX": {4, (*cmakeCall).regex},
}

func (k *cmakeCall) stringCommand() {
	w, ok := stringWork[k.arg(0)]
	if !ok || len(k.args) <= w.out {
		for _, out := range []int{2, len(k.args) - 1} { // UUID, TIMESTAMP, hashes, JSON, CONFIGURE
			k.unknownOutputs(output{at: out})
		}
		return
	}
	args := k.rest(1)
	if k.arg(0) == "REGEX" {
		w.out = map[string]int{"MATCH": 3, "MATCHALL": 3, "REPLACE": 4}[k.arg(1)]
	}
	size := 0
	for _, a := range args {
		size += a.len() + spanWork*len(a)
	}
	if w.out >= len(k.args) || !k.spend(size) {
		return
	}
	v, ok := w.work(k, args)
	if !ok {
		k.setUnknown(k.fr, k.arg(w.out))
		return
	}
	k.set(k.arg(w.out), v)
}

// replaced is string(REPLACE what by out input...).
func replaced(_ *cmakeCall, args []text) (text, bool) {
	what, by, in := args[0].String(), args[1], slices.Concat(args[3:]...)
	if what == "" || args[0].unknown() {
		return in, args[0].len() > 0 && !args[0].unknown()
	}
	s := in.String()
	n := strings.Count(s, what)
	if n > maxItems {
		return nil, false
	}
	if n == 0 {
		return in, true
	}
	if by.len() == 0 && n < 100 {
		var out text // what is left keeps its places
		for at := 0; ; {
			i := strings.Index(s[at:], what)
			if i < 0 {
				return append(out, in.slice(at, len(s))...), true
			}
			out = append(out, in.slice(at, at+i)...)
			at += i + len(what)
		}
	}
	if len(s)+n*by.len() > maxText {
		return nil, false
	}
	return text{{text: strings.ReplaceAll(s, what, by.String()), unknown: in.unknown() || by.unknown()}}.from(in), true
}

// regex is string(REGEX MATCH|MATCHALL|REPLACE expression ...).
func (k *cmakeCall) regex(args []text) (text, bool) {
	re, err := cmakeRegexp(args[1].String())
	if err != nil || args[1].unknown() {
		return nil, false
	}
	if args[0].String() == "REPLACE" {
		return regexReplaced(re, args[2].String(), slices.Concat(args[4:]...))
	}
	in := slices.Concat(args[3:]...)
	if in.unknown() {
		return nil, false
	}
	if args[0].String() == "MATCHALL" {
		var out []text
		for _, at := range re.FindAllStringIndex(in.String(), 1000) {
			out = append(out, in.slice(at[0], at[1]))
		}
		return joinList(out), true
	}
	at := re.FindStringSubmatchIndex(in.String())
	if at == nil {
		return nil, true
	}
	k.matched(k.fr, in, at)
	return in.slice(at[0], at[1]), true
}

func regexReplaced(re *regexp.Regexp, by string, in text) (text, bool) {
	s := in.String()
	matches := re.FindAllStringSubmatchIndex(s, 1000)
	if len(matches) == 0 {
		return in, true
	}
	if in.unknown() {
		return nil, false
	}
	var out text
	at := 0
	for _, m := range matches {
		out = append(out, in.slice(at, m[0])...)
		for i := 0; i < len(by); i++ {
			if by[i] != '\\' || i+1 == len(by) {
				out = append(out, span{text: by[i : i+1]})
				continue
			}
			i++
			if n := int(by[i] - '0'); n <= 9 && 2*n+1 < len(m) && m[2*n] >= 0 {
				out = append(out, in.slice(m[2*n], m[2*n+1])...)
			} else if n > 9 {
				out = append(out, span{text: by[i : i+1]})
			}
		}
		at = m[1]
	}
	return append(out, in.slice(at, len(s))...).from(in), true
}

// matched sets CMAKE_MATCH_<n> after a match.
func (c *cmake) matched(fr *frame, in text, at []int) {
	for n := 0; 2*n+1 < len(at) && n < 10; n++ {
		fr.vars.set(fmt.Sprint("CMAKE_MATCH_", n), in.slice(max(at[2*n], 0), max(at[2*n+1], 0)))
	}
	fr.vars.set("CMAKE_MATCH_COUNT", plain(strconv.Itoa(len(at)/2-1)))
}

// cmakeRegexp translates an expression of CMake, which knows no {n} and no classes such as \d.
func cmakeRegexp(s string) (*regexp.Regexp, error) {
	const most = 1000
	if len(s) > most {
		return nil, fmt.Errorf("an expression of %d bytes", len(s))
	}
	var b strings.Builder
	class := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteString(regexp.QuoteMeta(s[i : i+1]))
		case class && c == '[' || !class && (c == '{' || c == '}'):
			b.WriteString(`\` + string(c))
		case !class && c == '[':
			class = true
			b.WriteByte(c)
			if rest := s[i+1:]; strings.HasPrefix(rest, "^]") || strings.HasPrefix(rest, "]") {
				n := strings.IndexByte(rest, ']')
				b.WriteString(rest[:n] + `\]`)
				i += n + 1
			}
		case class && c == ']':
			class = false
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return regexp.Compile(b.String())
}

// math evaluates sums; what is more is unknown.
func (k *cmakeCall) math() {
	v, ok := cmakeMath(k.arg(2))
	if k.arg(0) != "EXPR" || !ok {
		k.setUnknown(k.fr, k.arg(1))
		return
	}
	k.set(k.arg(1), plain(strconv.FormatInt(v, 10)))
}

// cmakeMath evaluates + - * / % from the left, products first, without parentheses.
func cmakeMath(s string) (int64, bool) {
	s = strings.ReplaceAll(s, " ", "")
	var sum, product int64
	sign, operator := int64(1), byte('*')
	product = 1
	for i := 0; i < len(s); {
		n := i
		if s[n] == '-' {
			n++
		}
		for n < len(s) && (isWord(s[n])) {
			n++
		}
		v, err := strconv.ParseInt(s[i:n], 0, 64)
		if err != nil || v == 0 && (operator == '/' || operator == '%') {
			return 0, false
		}
		switch operator {
		case '*':
			product *= v
		case '/':
			product /= v
		case '%':
			product %= v
		}
		if n == len(s) {
			return sum + sign*product, true
		}
		switch operator = s[n]; operator {
		case '+', '-':
			sum += sign * product
			sign, product = map[byte]int64{'+': 1, '-': -1}[operator], 1
			operator = '*'
		case '*', '/', '%':
		default:
			return 0, false
		}
		i = n + 1
	}
	return 0, false
}

// project sets the names of the project, and enables its languages.
func (k *cmakeCall) project() {
	name := k.arg(0)
	here := plain(absolutePath(k.fr.dir.path))
	for _, n := range []string{"PROJECT", name} {
		k.set(n+"_SOURCE_DIR", here)
		k.set(n+"_BINARY_DIR", k.variable("CMAKE_CURRENT_BINARY_DIR"))
	}
	k.set("PROJECT_NAME", plain(name))
	if k.fr.dir.above == nil {
		k.variables["CMAKE_PROJECT_NAME"] = plain(name)
	}
	list, keyword := []string{"C", "CXX"}, ""
	if len(k.args) > 1 {
		list = nil
	}
	for i := range k.rest(1) {
		switch s := k.arg(i + 1); s {
		case "VERSION", "DESCRIPTION", "HOMEPAGE_URL", "LANGUAGES":
			keyword = s
			if s != "LANGUAGES" && list == nil {
				list = []string{}
			}
		default:
			if keyword == "VERSION" {
				k.projectVersion(name, s)
			}
			if keyword == "" || keyword == "LANGUAGES" {
				list = append(list, s)
			}
		}
	}
	if len(list) == 0 {
		list = []string{"C", "CXX"}
	}
	for _, l := range list {
		k.languages[l] = true
	}
}

func (k *cmakeCall) projectVersion(name, version string) {
	parts := strings.SplitN(version, ".", 4)
	for _, n := range []string{"PROJECT", name} {
		k.set(n+"_VERSION", plain(version))
		for i, part := range []string{"MAJOR", "MINOR", "PATCH", "TWEAK"} {
			v := ""
			if i < len(parts) {
				v = parts[i]
			}
			k.set(n+"_VERSION_"+part, plain(v))
		}
	}
}

// language is cmake_language(CALL command arguments...) or (EVAL CODE text...).
func (k *cmakeCall) language() {
	switch {
	case k.arg(0) == "CALL" && len(k.args) > 1:
		in := *k.in
		in.name = strings.ToLower(k.arg(1))
		in.args = in.args[min(2, len(in.args)):]
		if closers[in.name] == "" && k.deeper(k.fr, k.in) {
			k.invoke(k.fr, &in)
			k.depth--
		}
	case k.arg(0) == "EVAL" && len(k.args) > 2:
		code := joinTexts(k.args[2:], plain(" ")).String()
		if !k.spend(len(code)) || !k.deeper(k.fr, k.in) {
			return
		}
		sc := parseCMake(newFile(k.in.file.path, []byte(code)))
		for i := range sc.list { // no edit goes into text that is made
			sc.list[i].file, sc.list[i].at, sc.list[i].end = k.in.file, k.in.at, k.in.end
			for n := range sc.list[i].args {
				a := &sc.list[i].args[n]
				a.text.file, a.text.at, a.text.fixed = k.in.file, k.in.at, true
				a.at, a.end = k.in.at, k.in.at
			}
		}
		inner := k.fr.enter(k.in)
		inner.made = true
		k.run(inner, sc.list, 0, len(sc.list))
		k.depth--
	default:
		k.say("cmake_language(%s) is not evaluated; it is left out", clip(k.arg(0)))
	}
}

func (k *cmakeCall) enableLanguage() {
	for _, a := range k.args {
		k.languages[a.String()] = true
	}
}

// parseArguments is cmake_parse_arguments(prefix options one_value_keywords multi_value_keywords args...), or with
// PARSE_ARGV n first, which takes the arguments from the function's.
func (k *cmakeCall) parseArguments() {
	args := k.args
	if k.arg(0) == "PARSE_ARGV" && len(args) > 5 {
		from, _ := strconv.Atoi(k.arg(1))
		args = args[2:6]
		argv := splitList(k.variable("ARGV"))
		args = append(slices.Clone(args), argv[min(max(from, 0), len(argv)):]...)
	}
	if len(args) < 4 {
		return
	}
	prefix := args[0].String() + "_"
	options, one, multi := textSet(splitList(args[1])), textSet(splitList(args[2])), textSet(splitList(args[3]))
	for name := range options {
		k.set(prefix+name, plain("FALSE"))
	}
	for _, set := range []map[string]bool{one, multi} {
		for name := range set {
			k.fr.vars.vars[prefix+name] = cmakeVariable{unset: true}
		}
	}
	got := map[string][]text{}
	keyword := ""
	for _, a := range args[4:] {
		s := a.String()
		switch {
		case options[s]:
			k.set(prefix+s, plain("TRUE"))
			keyword = ""
		case one[s] || multi[s]:
			keyword = s
		case keyword == "":
			got["UNPARSED_ARGUMENTS"] = append(got["UNPARSED_ARGUMENTS"], a)
		default:
			got[keyword] = append(got[keyword], a)
			if one[keyword] {
				keyword = ""
			}
		}
	}
	k.fr.vars.vars[prefix+"UNPARSED_ARGUMENTS"] = cmakeVariable{unset: true}
	for name, values := range got {
		k.set(prefix+name, joinList(values))
	}
}

// include reads a file of the tree, or a module of it. Those of CMake itself are known not to matter.
func (k *cmakeCall) include() {
	name := k.arg(0)
	if len(k.args) == 0 || k.args[0].unknown() {
		k.say("the include of %q can't be evaluated; it is left out", clip(name))
		return
	}
	p, ok := k.findScript(name)
	switch {
	case ok:
		k.runFile(p)
	case name == "GNUInstallDirs":
		k.opaque = append(k.opaque, "CMAKE_INSTALL_")
	case !strings.ContainsAny(name, "./\\") || slices.ContainsFunc(k.args, func(t text) bool { return t.String() == "OPTIONAL" }):
	default:
		k.say("the include %s is not there", clip(name))
	}
}

// findScript looks for a file, or for a module in CMAKE_MODULE_PATH.
func (k *cmakeCall) findScript(name string) (string, bool) {
	if p, ok := k.tree.Find(k.tree.Join(k.fr.dir.path, name)); ok && strings.ContainsAny(name, "./\\") {
		return p, k.isFile(p)
	}
	for _, dir := range splitList(k.variable("CMAKE_MODULE_PATH")) {
		if p, ok := k.tree.Find(k.tree.Join(k.fr.dir.path, dir.String()+"/"+name+".cmake")); ok && !dir.unknown() {
			return p, k.isFile(p)
		}
	}
	return "", false
}

func (k *cmakeCall) isFile(p string) bool {
	_, err := k.tree.Read(p)
	return err == nil
}

// runFile reads a file in the scope of the command.
func (k *cmakeCall) runFile(p string) {
	if !k.deeper(k.fr, k.in) {
		return
	}
	defer func() { k.depth-- }()
	if !k.tree.Within(p) {
		k.say("%s was read, outside of what was named", p)
	}
	sc := k.script(p)
	if len(sc.list) > 0 && sc.list[0].name == "include_guard" {
		if k.once[p] {
			return
		}
		k.once[p] = true
	}
	if sc.err != nil {
		k.say("%s can't be read whole: %v", p, sc.err)
	}
	inner := *k.fr
	inner.file = &file{path: p}
	k.run(&inner, sc.list, 0, len(sc.list))
}

// script reads a file, once.
func (c *cmake) script(p string) script {
	if sc, ok := c.scripts[p]; ok {
		return sc
	}
	var sc script
	data, err := c.tree.Read(p)
	if err != nil {
		sc.err = err
	} else if c.spend(len(data)) {
		sc = parseCMake(newFile(p, data))
	}
	if sc.err != nil {
		c.broken[p] = sc.err
	}
	c.scripts[p] = sc
	return sc
}

// findPackage reads a module of the tree, as far as that goes without looking at what is installed. What any other sets
// is unknown: by custom it begins with the package's name.
func (k *cmakeCall) findPackage() {
	name := k.arg(0)
	p, ok := k.findScript("Find" + name)
	if !ok {
		for _, prefix := range []string{name + "_", strings.ToUpper(name) + "_"} {
			if !slices.Contains(k.opaque, prefix) && name != "" {
				k.opaque = append(k.opaque, prefix)
			}
		}
		return
	}
	if slices.ContainsFunc(k.args, func(t text) bool { return t.String() == "REQUIRED" }) {
		k.set(name+"_FIND_REQUIRED", plain("1"))
	}
	before := k.fr
	inner := *before
	inner.quiet = true
	k.fr = &inner
	k.runFile(p)
	k.fr = before
}

// packageFound is find_package_handle_standard_args.
func (k *cmakeCall) packageFound() {
	k.setUnknown(k.fr, k.arg(0)+"_FOUND", strings.ToUpper(k.arg(0))+"_FOUND")
}

func (k *cmakeCall) addSubdirectory() {
	name := k.arg(0)
	if len(k.args) == 0 || k.args[0].unknown() {
		k.say("the directory %q can't be evaluated; it is left out", clip(name))
		return
	}
	dir := k.tree.Join(k.fr.dir.path, name)
	p, ok := k.tree.Find(path.Join(dir, "CMakeLists.txt"))
	switch {
	case !ok || !k.isFile(p):
		k.say("the directory %s has no CMakeLists.txt", clip(name))
		return
	case k.added[p] != nil:
		k.say("the directory %s is added twice; the second time is left out", clip(name))
		return
	case !k.tree.Within(p):
		k.say("the directory %s lies outside of what was named; it is left out", clip(name))
		return
	case !k.deeper(k.fr, k.in):
		return
	}
	k.directory(k.fr.dir, k.fr.vars, p)
	k.depth--
}

// directory reads the CMakeLists.txt of a directory in a scope of its own.
func (c *cmake) directory(above *cmakeDir, vars *cmakeScope, p string) *cmakeDir {
	d := &cmakeDir{above: above, path: path.Dir(p), properties: map[string][]entry{},
		sources: map[string]map[string][]entry{}, vars: &cmakeScope{around: vars, vars: map[string]cmakeVariable{}}}
	if above != nil {
		for name, list := range above.properties {
			d.properties[name] = slices.Clone(list)
		}
	}
	c.added[p] = d
	build := absolutePath(path.Dir(c.top)) + "/build"
	if rest, ok := strings.CutPrefix(absolutePath(d.path), absolutePath(path.Dir(c.top))); ok {
		build += rest
	}
	d.vars.set("CMAKE_CURRENT_SOURCE_DIR", plain(absolutePath(d.path)))
	d.vars.set("CMAKE_CURRENT_BINARY_DIR", plain(build))
	sc := c.script(p)
	fr := &frame{dir: d, vars: d.vars, file: &file{path: p}}
	if sc.err != nil {
		c.note(fr, driver.Place{Path: p}, "it can't be read whole: %v", sc.err)
	}
	c.run(fr, sc.list, 0, len(sc.list))
	d.flags = map[string]text{}
	for _, name := range flagVariables {
		d.flags[name], _ = c.get(fr, name)
	}
	return d
}

// flagVariables are those that count as they are at the end of a directory.
var flagVariables = []string{
	"CMAKE_C_FLAGS", "CMAKE_CXX_FLAGS", "CMAKE_EXE_LINKER_FLAGS", "CMAKE_SHARED_LINKER_FLAGS", "CMAKE_MODULE_LINKER_FLAGS",
	"CMAKE_C_FLAGS_RELEASE", "CMAKE_CXX_FLAGS_RELEASE", "CMAKE_C_FLAGS_DEBUG", "CMAKE_CXX_FLAGS_DEBUG",
	"CMAKE_C_FLAGS_RELWITHDEBINFO", "CMAKE_CXX_FLAGS_RELWITHDEBINFO", "CMAKE_C_FLAGS_MINSIZEREL", "CMAKE_CXX_FLAGS_MINSIZEREL",
	"CMAKE_BUILD_TYPE", "CMAKE_GENERATOR_PLATFORM", "CMAKE_INCLUDE_CURRENT_DIR", "CMAKE_CURRENT_BINARY_DIR",
}

// separateArguments is separate_arguments(variable [mode] [text]).
func (k *cmakeCall) separateArguments() {
	t := k.variable(k.arg(0))
	if len(k.args) > 2 {
		t = k.args[len(k.args)-1]
	}
	k.set(k.arg(0), joinList(fields(t)))
}

// items gives the variable of a foreach, and what it is in each round.
func (c *cmake) items(fr *frame, in *invocation) (string, []text) {
	args := c.evaluate(fr, in)
	if len(args) == 0 {
		return "", nil
	}
	name, args := args[0].String(), args[1:]
	if len(args) == 0 {
		return name, nil
	}
	switch args[0].String() {
	case "RANGE":
		return name, c.countedItems(fr, in, args[1:])
	case "IN":
	default:
		return name, args
	}
	var out []text
	mode := ""
	for _, a := range args[1:] {
		switch s := a.String(); {
		case s == "LISTS" || s == "ITEMS" || s == "ZIP_LISTS":
			mode = s
		case mode == "LISTS":
			v, _ := c.get(fr, s)
			out = append(out, splitList(v)...)
		case mode == "ITEMS":
			out = append(out, a)
		}
	}
	if mode == "ZIP_LISTS" {
		c.note(fr, in.file.place(in.at), "foreach(IN ZIP_LISTS) is not evaluated; it is left out")
	}
	return name, out
}

// countedItems are those of foreach(i RANGE [start] stop [step]).
func (c *cmake) countedItems(fr *frame, in *invocation, args []text) []text {
	var n [3]int
	for i, a := range args[:min(len(args), 3)] {
		v, err := strconv.Atoi(a.String())
		if err != nil {
			c.note(fr, in.file.place(in.at), "foreach: %q is no number that is known; the loop is left out", clip(a.String()))
			return nil
		}
		n[i] = v
	}
	start, stop, step := n[0], n[1], max(n[2], 1)
	if len(args) < 2 {
		start, stop = 0, n[0]
	}
	var out []text
	for i := start; i <= stop && len(out) <= maxIterations; i += step {
		out = append(out, plain(strconv.Itoa(i)))
	}
	return out
}
