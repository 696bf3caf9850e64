package project

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// call is what stands in $(...) where that is more than a name: a property or a static member, and what is asked of it
// in turn. $(A.Split('.')[0]) has two steps.
type call struct {
	property string // in lower case; "" for a static member
	steps    []step
}

// step is one member of a string, an index, or, as the first of a static call, a static member.
type step struct {
	name      string // as in functions; "" for an index
	arguments []*template
}

// parseCall reads the inside of $(...). It gives the reason where that can't be read.
func (r *reader) parseCall(s string) (*call, string) {
	c := &call{}
	rest := s
	switch {
	case strings.HasPrefix(strings.ToLower(s), "registry:"):
		return nil, "it reads the registry"
	case strings.HasPrefix(s, "["):
		kind, member, ok := strings.Cut(s[1:], "]::")
		if !ok {
			return nil, "it is no call of a function"
		}
		name := strings.ToLower(strings.Trim(kind, white)) + "::"
		rest = r.member(c, name, member)
	default:
		end := indexOrEnd(s, ".", "[")
		c.property, rest = strings.ToLower(strings.Trim(s[:end], white)), s[end:]
		if !isName(c.property) {
			return nil, "it names no property"
		}
	}
	for rest != "" {
		switch {
		case rest[0] == '.':
			rest = r.member(c, ".", rest[1:])
		case rest[0] == '[' && strings.Contains(rest, "]"):
			end := strings.IndexByte(rest, ']')
			c.steps = append(c.steps, step{arguments: []*template{r.compile(plain(rest[1:end]))}})
			rest = rest[end+1:]
		default:
			return nil, "it is no call of a function"
		}
	}
	return c, ""
}

// member reads a name and the arguments after it, and gives what follows.
func (r *reader) member(c *call, prefix, s string) (rest string) {
	end := 0
	for end < len(s) && isWord(s[end]) {
		end++
	}
	st := step{name: prefix + strings.ToLower(s[:end])}
	rest = strings.TrimLeft(s[end:], white)
	if strings.HasPrefix(rest, "(") {
		if end := closing(rest, 0); end > 0 {
			for _, argument := range splitArguments(rest[1:end]) {
				st.arguments = append(st.arguments, r.compile(plain(argument)))
			}
			rest = rest[end+1:]
		}
	}
	c.steps = append(c.steps, st)
	return strings.TrimLeft(rest, white)
}

// splitArguments cuts a list of arguments at its commas and takes the quotes from each.
func splitArguments(s string) []string {
	if strings.Trim(s, white) == "" {
		return nil
	}
	var list []string
	quote, depth, from := byte(0), 0, 0
	add := func(to int) {
		argument := strings.Trim(s[from:to], white)
		if n := len(argument); n > 1 && strings.IndexByte("'\"`", argument[0]) >= 0 && argument[n-1] == argument[0] {
			argument = argument[1 : n-1]
		}
		list = append(list, argument)
		from = to + 1
	}
	for i := range len(s) {
		switch b := s[i]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case strings.IndexByte("'\"`", b) >= 0:
			quote = b
		case b == '(':
			depth++
		case b == ')':
			depth--
		case b == ',' && depth == 0:
			add(i)
		}
	}
	add(len(s))
	return list
}

// called evaluates a call.
func (e *evaluation) called(r *reference, in scope) text {
	var value string
	if r.call.property != "" {
		t := e.value(&reference{at: r.at, sigil: '$', name: r.call.property}, in)
		if t.unknown() {
			return unknownText(r.at, t.why())
		}
		value = t.String()
	}
	value, err := e.run(r.call, value, in)
	if err != nil {
		return unknownText(r.at, err.Error())
	}
	return plain(value).from(r.at)
}

// run takes the steps of a call one after the other. Only Split gives a list, of which an index takes a part.
func (e *evaluation) run(c *call, value string, in scope) (string, error) {
	var list []string
	isList := false
	for i, s := range c.steps {
		arguments, err := e.arguments(s, in)
		switch {
		case err != nil:
			return "", err
		case s.name == "" && isList:
			value, err = indexed(list, arguments[0])
		case s.name == "":
			value, err = character(value, arguments[0])
		case isList:
			return "", errors.New("only an index is read of what Split gives")
		case s.name == ".split":
			list = splitAt(value, arguments)
		default:
			if i > 0 || c.property != "" {
				arguments = append([]string{value}, arguments...)
			}
			value, err = e.apply(s.name, arguments, in)
		}
		if err != nil {
			return "", err
		}
		isList = s.name == ".split"
	}
	if isList {
		return strings.Join(list, ";"), nil
	}
	return value, nil
}

func (e *evaluation) arguments(s step, in scope) ([]string, error) {
	var list []string
	size := 0
	for _, a := range s.arguments {
		t := e.expand(a, in)
		if t.unknown() {
			return nil, errors.New(t.why())
		}
		value := t.String()
		if size += len(value); size > maxText || !e.spend(size) {
			return nil, errTooLong
		}
		list = append(list, value)
	}
	return list, nil
}

var errTooLong = errors.New("what it gives is too long")

// apply calls one function.
func (e *evaluation) apply(name string, arguments []string, in scope) (string, error) {
	f, ok := functions[name]
	if !ok {
		return "", errors.New(noFunction(name))
	}
	if len(arguments) < f.least || len(arguments) > f.most {
		return "", fmt.Errorf("%s takes another number of arguments", name)
	}
	value, err := f.call(caller{e, in.element}, arguments)
	if err == nil && (len(value) > maxText || !e.spend(len(value))) {
		err = errTooLong
	}
	return value, err
}

// noFunction says why a function has no value here.
func noFunction(name string) string {
	for _, u := range unanswered {
		if strings.HasPrefix(name, u.prefix) {
			return u.why
		}
	}
	return "the function " + strings.TrimPrefix(name, ".") + " is not known"
}

// unanswered are functions, by the beginning of their names, whose answer does not stand in the tree.
var unanswered = []struct{ prefix, why string }{
	{"system.datetime::", "it asks the clock"},
	{"system.guid::", "it is another in every build"},
	{"system.environment::", "it reads the environment"},
	{"system.io.file::", "it reads a file"},
	{"system.io.directory::", "it reads a directory"},
	{"system.runtime.interopservices.", "it depends on the machine"},
	{"system.text.regularexpressions.", "regular expressions are not evaluated"},
	{"microsoft.build.utilities.", "it depends on what is installed"},
	{"msbuild::getregistry", "it reads the registry"},
	{"msbuild::get", "it depends on what is installed"},
}

// caller is where a function is called: by which project and in which file.
type caller struct {
	evaluation *evaluation
	element    *element
}

// function is one that MSBuild allows in $(...), in the words of its documentation, "Property functions".
type function struct {
	least, most int // arguments; the first of a method is the string itself
	call        func(c caller, a []string) (string, error)
}

const many = 1 << 10

// functionOf gives a function that can't fail.
func functionOf(least, most int, f func(a []string) string) function {
	return function{least, most, func(_ caller, a []string) (string, error) { return f(a), nil }}
}

func predicate(least, most int, f func(a []string) bool) function {
	return functionOf(least, most, func(a []string) string { return truthText(f(a)) })
}

// truthText writes a boolean as .NET does.
func truthText(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

// functions are by name in lower case: methods of strings begin with a dot, static members with their class. As .NET's
// they tell small letters from capital ones unless told otherwise.
var functions = map[string]function{
	".contains":         predicate(2, 3, func(a []string) bool { a = folded(a); return strings.Contains(a[0], a[1]) }),
	".startswith":       predicate(2, 3, func(a []string) bool { a = folded(a); return strings.HasPrefix(a[0], a[1]) }),
	".endswith":         predicate(2, 3, func(a []string) bool { a = folded(a); return strings.HasSuffix(a[0], a[1]) }),
	".equals":           predicate(2, 3, func(a []string) bool { a = folded(a); return a[0] == a[1] }),
	".indexof":          functionOf(2, 3, func(a []string) string { a = folded(a); return strconv.Itoa(strings.Index(a[0], a[1])) }),
	".lastindexof":      functionOf(2, 3, func(a []string) string { a = folded(a); return strconv.Itoa(strings.LastIndex(a[0], a[1])) }),
	".length":           functionOf(1, 1, func(a []string) string { return strconv.Itoa(len([]rune(a[0]))) }),
	".replace":          {3, 3, replace},
	".substring":        {2, 3, substring},
	".remove":           {2, 3, remove},
	".insert":           {3, 3, insert},
	".tostring":         functionOf(1, 1, func(a []string) string { return a[0] }),
	".tolower":          functionOf(1, 1, func(a []string) string { return strings.ToLower(a[0]) }),
	".tolowerinvariant": functionOf(1, 1, func(a []string) string { return strings.ToLower(a[0]) }),
	".toupper":          functionOf(1, 1, func(a []string) string { return strings.ToUpper(a[0]) }),
	".toupperinvariant": functionOf(1, 1, func(a []string) string { return strings.ToUpper(a[0]) }),
	".trim":             functionOf(1, many, func(a []string) string { return strings.Trim(a[0], cutset(a)) }),
	".trimstart":        functionOf(1, many, func(a []string) string { return strings.TrimLeft(a[0], cutset(a)) }),
	".trimend":          functionOf(1, many, func(a []string) string { return strings.TrimRight(a[0], cutset(a)) }),
	".padleft":          {2, 3, func(_ caller, a []string) (string, error) { fill, err := padding(a); return fill + a[0], err }},
	".padright":         {2, 3, func(_ caller, a []string) (string, error) { fill, err := padding(a); return a[0] + fill, err }},
	".get_chars":        {2, 2, func(_ caller, a []string) (string, error) { return character(a[0], a[1]) }},

	"system.string::new":                functionOf(0, 1, func(a []string) string { return strings.Join(a, "") }),
	"system.string::copy":               functionOf(1, 1, func(a []string) string { return a[0] }),
	"system.string::concat":             functionOf(0, many, func(a []string) string { return strings.Join(a, "") }),
	"system.string::join":               functionOf(1, many, func(a []string) string { return strings.Join(a[1:], a[0]) }),
	"system.string::format":             {1, many, format},
	"system.string::isnullorempty":      predicate(1, 1, func(a []string) bool { return a[0] == "" }),
	"system.string::isnullorwhitespace": predicate(1, 1, func(a []string) bool { return strings.TrimSpace(a[0]) == "" }),
	"system.string::equals":             predicate(2, 3, func(a []string) bool { a = folded(a); return a[0] == a[1] }),

	"system.io.path::combine":                     functionOf(1, many, combine),
	"system.io.path::getfullpath":                 {1, 2, fullPath},
	"system.io.path::getdirectoryname":            functionOf(1, 1, func(a []string) string { return directoryName(a[0]) }),
	"system.io.path::getfilename":                 functionOf(1, 1, func(a []string) string { return fileName(a[0]) }),
	"system.io.path::getfilenamewithoutextension": functionOf(1, 1, func(a []string) string { return withoutExtension(fileName(a[0])) }),
	"system.io.path::getextension":                functionOf(1, 1, func(a []string) string { return path.Ext(fileName(a[0])) }),
	"system.io.path::directoryseparatorchar":      functionOf(0, 0, func([]string) string { return `\` }),
	"system.io.path::ispathrooted":                predicate(1, 1, func(a []string) bool { return isRooted(a[0]) }),
	"system.io.file::exists":                      {1, 1, exists},
	"system.io.directory::exists":                 {1, 1, exists},

	"msbuild::getdirectorynameoffileabove": {2, 2, directoryAbove},
	"msbuild::getpathoffileabove":          {1, 2, pathAbove},
	"msbuild::normalizepath":               {1, many, normalizePath},
	"msbuild::normalizedirectory":          {1, many, normalizeDirectory},
	"msbuild::ensuretrailingslash":         functionOf(1, 1, func(a []string) string { return trailingSlash(a[0]) }),
	"msbuild::makerelative":                {2, 2, makeRelative},
	"msbuild::valueordefault":              functionOf(2, 2, valueOrDefault),
	"msbuild::escape":                      functionOf(1, 1, func(a []string) string { return escape(a[0]) }),
	"msbuild::unescape":                    functionOf(1, 1, func(a []string) string { return unescape(a[0]) }),
	"msbuild::isosplatform":                predicate(1, 1, func(a []string) bool { return strings.EqualFold(a[0], "Windows") }),
	"msbuild::isosunixlike":                predicate(0, 0, func([]string) bool { return false }),

	"msbuild::add":        {2, 2, arithmetic(func(x, y float64) float64 { return x + y })},
	"msbuild::subtract":   {2, 2, arithmetic(func(x, y float64) float64 { return x - y })},
	"msbuild::multiply":   {2, 2, arithmetic(func(x, y float64) float64 { return x * y })},
	"msbuild::divide":     {2, 2, arithmetic(divide)},
	"msbuild::modulo":     {2, 2, arithmetic(math.Mod)},
	"msbuild::bitwiseor":  {2, 2, bits(func(x, y int32) int32 { return x | y })},
	"msbuild::bitwiseand": {2, 2, bits(func(x, y int32) int32 { return x & y })},
	"msbuild::bitwisexor": {2, 2, bits(func(x, y int32) int32 { return x ^ y })},

	"msbuild::versionequals":              {2, 2, version(func(order int) bool { return order == 0 })},
	"msbuild::versionnotequals":           {2, 2, version(func(order int) bool { return order != 0 })},
	"msbuild::versiongreaterthan":         {2, 2, version(func(order int) bool { return order > 0 })},
	"msbuild::versiongreaterthanorequals": {2, 2, version(func(order int) bool { return order >= 0 })},
	"msbuild::versionlessthan":            {2, 2, version(func(order int) bool { return order < 0 })},
	"msbuild::versionlessthanorequals":    {2, 2, version(func(order int) bool { return order <= 0 })},
}

// folded makes strings equal that are so for the StringComparison which the third argument names.
func folded(a []string) []string {
	if len(a) == 3 && strings.HasSuffix(strings.ToLower(a[2]), "ignorecase") {
		return []string{strings.ToLower(a[0]), strings.ToLower(a[1])}
	}
	return a
}

// cutset gives the characters to trim: white space, unless they are named.
func cutset(a []string) string {
	if set := strings.Join(a[1:], ""); set != "" {
		return set
	}
	return white
}

func indexed(list []string, index string) (string, error) {
	i, err := strconv.Atoi(strings.Trim(index, white))
	if err != nil || i < 0 || i >= len(list) {
		return "", fmt.Errorf("the index %q is out of range", index)
	}
	return list[i], nil
}

// character gives one of a string, as its indexer does.
func character(s, index string) (string, error) {
	return indexed(strings.Split(s, ""), index)
}

// splitAt cuts a string at any of the characters of the arguments, which .NET takes for an array of characters; at
// white space where there is none.
func splitAt(s string, a []string) []string {
	set := strings.Join(a, "")
	if set == "" {
		set = white
	}
	var list []string
	for {
		i := strings.IndexAny(s, set)
		if i < 0 {
			return append(list, s)
		}
		list, s = append(list, s[:i]), s[i+1:]
	}
}

func replace(_ caller, a []string) (string, error) {
	if a[1] == "" || len(a[0])+strings.Count(a[0], a[1])*len(a[2]) > maxText {
		return "", errors.New("a replacement of nothing, or too long")
	}
	return strings.ReplaceAll(a[0], a[1], a[2]), nil
}

// stretch gives the ends of a stretch of a string: from a[1] on, of the length a[2] where that is given.
func stretch(a []string) (from, to int, err error) {
	from, err = strconv.Atoi(strings.Trim(a[1], white))
	to = len(a[0])
	if err == nil && len(a) == 3 {
		to, err = strconv.Atoi(strings.Trim(a[2], white))
		to += from
	}
	if err != nil || from < 0 || to < from || to > len(a[0]) {
		return 0, 0, fmt.Errorf("%q has no such part", a[0])
	}
	return from, to, nil
}

func substring(_ caller, a []string) (string, error) {
	from, to, err := stretch(a)
	return a[0][from:to], err
}

func remove(_ caller, a []string) (string, error) {
	from, to, err := stretch(a)
	return a[0][:from] + a[0][to:], err
}

func insert(_ caller, a []string) (string, error) {
	at, _, err := stretch(a[:2])
	return a[0][:at] + a[2] + a[0][at:], err
}

// padding gives what makes a string as long as is asked for.
func padding(a []string) (string, error) {
	n, err := strconv.Atoi(strings.Trim(a[1], white))
	if err != nil || n > maxText {
		return "", errTooLong
	}
	fill := " "
	if len(a) == 3 && len(a[2]) == 1 {
		fill = a[2]
	}
	return strings.Repeat(fill, max(0, n-len([]rune(a[0])))), nil
}

// format puts arguments into {0}, {1} and so on.
func format(_ caller, a []string) (string, error) {
	var b strings.Builder
	for s := a[0]; s != ""; {
		next := indexOrEnd(s, "{", "}")
		b.WriteString(s[:next])
		s = s[next:]
		switch end := strings.IndexByte(s, '}'); {
		case s == "":
		case strings.HasPrefix(s, "{{") || strings.HasPrefix(s, "}}"):
			b.WriteByte(s[0])
			s = s[2:]
		case end < 0 || s[0] == '}':
			return "", errors.New("a format of unpaired braces")
		default:
			value, err := indexed(a[1:], s[1:end])
			if err != nil || b.Len()+len(value) > maxText {
				return "", errors.New("a format of what is not there, or too long")
			}
			b.WriteString(value)
			s = s[end+1:]
		}
	}
	return b.String(), nil
}

func arithmetic(f func(x, y float64) float64) func(caller, []string) (string, error) {
	return func(_ caller, a []string) (string, error) {
		x, okX := number(strings.Trim(a[0], white))
		y, okY := number(strings.Trim(a[1], white))
		if !okX || !okY {
			return "", fmt.Errorf("%q or %q is no number", a[0], a[1])
		}
		n := f(x, y)
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return "", errors.New("it divides by zero")
		}
		return strconv.FormatFloat(n, 'f', -1, 64), nil
	}
}

// divide is that of integers where both are such, as MSBuild's since 15.
func divide(x, y float64) float64 {
	if x == math.Trunc(x) && y == math.Trunc(y) && y != 0 {
		return math.Trunc(x / y)
	}
	return x / y
}

func bits(f func(x, y int32) int32) func(caller, []string) (string, error) {
	return func(_ caller, a []string) (string, error) {
		x, errX := strconv.ParseInt(strings.Trim(a[0], white), 0, 32)
		y, errY := strconv.ParseInt(strings.Trim(a[1], white), 0, 32)
		return strconv.Itoa(int(f(int32(x), int32(y)))), errors.Join(errX, errY)
	}
}

// version compares versions as [MSBuild]::VersionEquals and its family do: a leading v, and what follows - or +, do not
// count.
func version(holds func(order int) bool) func(caller, []string) (string, error) {
	core := func(s string) string {
		s = strings.TrimLeft(strings.Trim(s, white), "vV")
		return s[:indexOrEnd(s, "-", "+")]
	}
	return func(_ caller, a []string) (string, error) {
		order, ok := compareVersions(core(a[0]), core(a[1]))
		if !ok {
			return "", fmt.Errorf("%q or %q is no version", a[0], a[1])
		}
		return truthText(holds(order)), nil
	}
}

func valueOrDefault(a []string) string {
	if a[0] != "" {
		return a[0]
	}
	return a[1]
}

// escape is the reverse of unescape, for the characters that mean something to MSBuild.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte("%*?@$();'", s[i]) >= 0 {
			fmt.Fprintf(&b, "%%%02x", s[i])
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// Paths in project files are Windows's.

func isRooted(p string) bool {
	return strings.HasPrefix(p, `\`) || strings.HasPrefix(p, "/") || len(p) > 1 && p[1] == ':'
}

func directoryName(p string) string { return strings.TrimRight(p[:len(p)-len(fileName(p))], `\/`) }

func fileName(p string) string { return p[strings.LastIndexAny(p, `\/`)+1:] }

func withoutExtension(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

func trailingSlash(p string) string {
	if p == "" || strings.HasSuffix(p, `\`) || strings.HasSuffix(p, "/") {
		return p
	}
	return p + `\`
}

func combine(a []string) string {
	joined := ""
	for _, p := range a {
		if isRooted(p) {
			joined = p
		} else if p != "" {
			joined = trailingSlash(joined) + p
		}
	}
	return joined
}

// absolute gives the full path of one that is relative to the project's directory.
func (c caller) absolute(p string) string {
	if !isRooted(p) {
		p = c.evaluation.directory(c.evaluation.project) + "/" + p
	}
	slashed := strings.ReplaceAll(p, `\`, "/")
	cleaned := path.Clean(slashed)
	if strings.HasSuffix(slashed, "/") {
		return trailingSlash(cleaned)
	}
	return cleaned
}

func fullPath(c caller, a []string) (string, error) {
	if len(a) == 2 {
		a = []string{combine([]string{a[1], a[0]})}
	}
	return c.absolute(a[0]), nil
}

func normalizePath(c caller, a []string) (string, error) { return c.absolute(combine(a)), nil }

func normalizeDirectory(c caller, a []string) (string, error) {
	return trailingSlash(c.absolute(combine(a))), nil
}

func exists(c caller, a []string) (string, error) {
	return truthText(c.evaluation.exists(path.Dir(c.evaluation.project), a[0])), nil
}

// directoryAbove gives the first directory, from the first argument up, that holds the file which the second names.
func directoryAbove(c caller, a []string) (string, error) {
	dir, ok := c.evaluation.above(c.absolute(a[0]), a[1])
	if !ok {
		return "", nil
	}
	return c.evaluation.directory(dir + "/x"), nil
}

// pathAbove takes the arguments the other way round; without a directory it begins with that of the file it stands in.
func pathAbove(c caller, a []string) (string, error) {
	start := c.evaluation.directory(c.element.file.path)
	if len(a) == 2 {
		start = a[1]
	}
	dir, err := directoryAbove(c, []string{start, a[0]})
	if dir == "" {
		return "", err
	}
	return dir + `\` + a[0], nil
}

// makeRelative gives the second path relative to the first.
func makeRelative(c caller, a []string) (string, error) {
	base := strings.Split(strings.TrimRight(c.absolute(a[0]), `\/`), "/")
	target := strings.Split(c.absolute(a[1]), "/")
	same := 0
	for same < min(len(base), len(target)) && strings.EqualFold(base[same], target[same]) {
		same++
	}
	return strings.Join(append(slices.Repeat([]string{".."}, len(base)-same), target[same:]...), `\`), nil
}
