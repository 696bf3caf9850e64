package project

import (
	"errors"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"
)

// Property functions that are evaluated, by their names. A hostile project could ask for a string of any length, so
// each result is bounded by maxText and paid for.

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

// many stands for any number of arguments: .NET methods with params arrays have no limit of their own.
const many = 1 << 10

// functionOf gives a function that can't fail.
func functionOf(least, most int, f func(a []string) string) function {
	return function{least, most, func(_ caller, a []string) (string, error) { return f(a), nil }}
}

// predicate gives a function that answers True or False.
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

	"msbuild::versionequals":              {2, 2, version("==")},
	"msbuild::versionnotequals":           {2, 2, version("!=")},
	"msbuild::versiongreaterthan":         {2, 2, version(">")},
	"msbuild::versiongreaterthanorequals": {2, 2, version(">=")},
	"msbuild::versionlessthan":            {2, 2, version("<")},
	"msbuild::versionlessthanorequals":    {2, 2, version("<=")},
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

// indexed gives one item by its number from 0.
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

// replace refuses an empty pattern, which .NET throws an exception for.
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

// substring is s.Substring(start[, length]).
func substring(_ caller, a []string) (string, error) {
	from, to, err := stretch(a)
	return a[0][from:to], err
}

// remove is s.Remove(start[, count]).
func remove(_ caller, a []string) (string, error) {
	from, to, err := stretch(a)
	return a[0][:from] + a[0][to:], err
}

// insert is s.Insert(at, what).
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
//
// Alignment and formats such as {0:x} are not evaluated: the value is unknown then.
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

// arithmetic makes a function of two numbers. MSBuild computes in double precision, and prints whole numbers without
// a point.
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

// bits makes a function of two integers of 32 bits.
func bits(f func(x, y int32) int32) func(caller, []string) (string, error) {
	return func(_ caller, a []string) (string, error) {
		x, errX := strconv.ParseInt(strings.Trim(a[0], white), 0, 32)
		y, errY := strconv.ParseInt(strings.Trim(a[1], white), 0, 32)
		return strconv.Itoa(int(f(int32(x), int32(y)))), errors.Join(errX, errY)
	}
}

// version compares versions as [MSBuild]::VersionEquals and its family do: a leading v, and what follows - or +, do not
// count.
func version(relation string) func(caller, []string) (string, error) {
	core := func(s string) string {
		s = strings.TrimLeft(strings.Trim(s, white), "vV")
		return s[:indexOrEnd(s, "-", "+")]
	}
	return func(_ caller, a []string) (string, error) {
		order, ok := compareVersions(core(a[0]), core(a[1]))
		if !ok {
			return "", fmt.Errorf("%q or %q is no version", a[0], a[1])
		}
		return truthText(holdsFor(order, relation)), nil
	}
}

// valueOrDefault gives the second text where the first is empty.
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
