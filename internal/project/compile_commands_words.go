package project

import (
	"path"
	"regexp"
	"strings"

	"github.com/nxport/nxport/nx"
)

// The words of a command line, and what the name of a compiler tells. Specification: JSON Compilation Database Format
// Specification, which leaves the quoting to the system the commands are for.

// windows says whether a command is quoted as on Windows. The directory tells, which the format wants to be absolute;
// without one, a compiler that is named as only on Windows.
func (e compileCommand) windows() bool {
	switch d := e.Directory; {
	case len(d) > 1 && d[1] == ':' || strings.HasPrefix(d, `\\`):
		return true
	case strings.HasPrefix(d, "/"):
		return false
	}
	first := split(e.Command, true)
	return len(first) > 0 && (strings.HasSuffix(strings.ToLower(first[0]), ".exe") || strings.Contains(first[0], `\`) || isCL(first[0]))
}

// split cuts a command line into words.
func split(s string, windows bool) []string {
	if windows {
		return splitWindows(s)
	}
	return splitShell(s)
}

// splitWindows follows CommandLineToArgvW: backslashes count for themselves, but before a quote two stand for one and a
// last odd one makes the quote literal. Two quotes inside quotes are one.
//
// Specification: "Parsing C command-line arguments" and CommandLineToArgvW on learn.microsoft.com.
func splitWindows(s string) []string {
	var w argv
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			n := len(s[i:]) - len(strings.TrimLeft(s[i:], `\`))
			if i+n == len(s) || s[i+n] != '"' {
				w.add(s[i : i+n])
				i += n - 1
				continue
			}
			w.add(s[i : i+n/2])
			i += n - 1
			if n%2 == 1 {
				w.add(`"`)
				i++
			}
		case c == '"':
			w.open = true
			if quoted && i+1 < len(s) && s[i+1] == '"' {
				w.add(`"`)
				i++
				continue
			}
			quoted = !quoted
		case strings.IndexByte(white, c) >= 0 && !quoted:
			w.end()
		default:
			w.add(s[i : i+1])
		}
	}
	w.end()
	return w.words
}

// argv gathers the words of a command line.
type argv struct {
	words []string
	word  []byte
	open  bool // a word has begun, an empty one perhaps
}

// add extends the word, or begins one.
func (w *argv) add(s string) { w.open, w.word = true, append(w.word, s...) }

// end closes the word, if one has begun.
func (w *argv) end() {
	if w.open {
		w.words = append(w.words, string(w.word))
	}
	w.open, w.word = false, w.word[:0]
}

// splitShell follows the POSIX shell's quoting: 'literal', "with \" and \\", and a backslash before anything.
//
// Specification: POSIX, Shell Command Language, 2.2 "Quoting". Variables and globs are not expanded: CMake and Bear
// write commands that are expanded already.
func splitShell(s string) []string {
	var w argv
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote == '\'' && c != '\'':
			w.add(s[i : i+1])
		case c == '\\' && i+1 < len(s) && (quote == 0 || strings.IndexByte("\"\\$`\n", s[i+1]) >= 0):
			i++
			w.open = true
			if s[i] != '\n' {
				w.add(s[i : i+1])
			}
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '\'' || c == '"'):
			quote, w.open = c, true
		case quote == 0 && strings.IndexByte(white, c) >= 0:
			w.end()
		default:
			w.add(s[i : i+1])
		}
	}
	w.end()
	return w.words
}

// launchers stand before the compiler.
var launchers = map[string]bool{"ccache": true, "sccache": true, "distcc": true, "icecc": true, "clcache": true}

// compilerOf gives the compiler of a command line, and what follows it.
func compilerOf(words []string) (string, []string) {
	for len(words) > 1 && launchers[programName(words[0])] {
		words = words[1:]
	}
	if len(words) == 0 {
		return "", nil
	}
	return words[0], words[1:]
}

// programName gives the name of a program in lower case, without directory and extension.
func programName(p string) string {
	return strings.TrimSuffix(strings.ToLower(path.Base(strings.ReplaceAll(p, `\`, "/"))), ".exe")
}

// isCL says whether a compiler takes options that begin with a slash.
func isCL(compiler string) bool {
	name := programName(compiler)
	return name == "cl" || name == "icl" || name == "clang-cl" || strings.HasPrefix(name, "clang-cl-")
}

// compilerProcessor reads the processor off a compiler's name: x86_64-w64-mingw32-gcc, or ...\Hostx64\x86\cl.exe.
func compilerProcessor(compiler string) nx.Processor {
	prefix, _, ok := strings.Cut(programName(compiler), "-")
	if ok && targetProcessors[prefix] != "" {
		return targetProcessors[prefix]
	}
	dir := path.Dir(strings.ReplaceAll(compiler, `\`, "/"))
	if !isCL(compiler) || !strings.HasPrefix(strings.ToLower(path.Base(path.Dir(dir))), "host") {
		return ""
	}
	p, _ := nx.ParseProcessor(path.Base(dir))
	return p
}

// definedProcessor is the one that the kit's own macros name.
func definedProcessor(f flags) nx.Processor {
	named := map[string]nx.Processor{"_AMD64_": nx.X64, "_X86_": nx.X86, "_ARM64_": nx.ARM64, "_ARM_": nx.ARM}
	for _, d := range f.defines {
		if p := named[d.Name]; p != "" {
			return p
		}
	}
	return ""
}

// objectDirectory is that of a target in a build made by CMake.
var objectDirectory = regexp.MustCompile(`(?:^|/)CMakeFiles/([^/]+)\.dir/`)

// targetOf reads the target off the path of an object file, "" where CMake did not choose that path.
func targetOf(object string) string {
	m := objectDirectory.FindStringSubmatch(strings.ReplaceAll(object, `\`, "/"))
	if m == nil {
		return ""
	}
	return m[1]
}
