package project

import (
	"bytes"
	"strings"
)

// Statements of nmake: directives, assignments and rules, with their comments, continuations and inline files.

// statement is one logical line: an assignment, a directive (then name is that of the directive with its "!"), a rule
// or one of its commands.
type statement struct {
	file   *file
	at     int // of the first byte
	name   string
	value  text
	assign int // offset after "=", or after the directive's name
}

// parseNmake cuts a file into its statements.
func parseNmake(f *file) []statement {
	var list []statement
	inRule := false
	for at := 0; at < len(f.data); {
		indented := inRule && (f.data[at] == ' ' || f.data[at] == '\t')
		line, next := logicalLine(f, at, indented)
		at = next
		if line = line.trim(); len(line) == 0 {
			continue
		}
		if indented {
			line, at = inlineFiles(f, line, at)
			list = append(list, statement{file: f, at: line.place().Offset, name: commandLine, value: line})
			continue
		}
		if s, ok := parseStatement(f, line); ok {
			list = append(list, s)
			inRule = s.name == ruleLine || inRule && s.name[0] == '!'
		}
	}
	return list
}

// logicalLine joins the line at an offset with those it continues in. Comments are dropped, unless the line is a
// command; a line that is nothing but a comment does not end a continuation.
func logicalLine(f *file, at int, command bool) (line text, next int) {
	for continued := true; continued && at < len(f.data); {
		end := len(f.data)
		if i := bytes.IndexByte(f.data[at:], '\n'); i >= 0 {
			end = at + i
		}
		s := strings.TrimSuffix(string(f.data[at:end]), "\r")
		if at == 0 && strings.HasPrefix(s, bom) {
			s, at = s[len(bom):], len(bom)
		}
		code, commented := s, false
		if !command {
			code, commented = beforeComment(s)
		}
		only := commented && strings.Trim(code, white) == ""
		continued = !commented && strings.HasSuffix(code, `\`) && !strings.HasSuffix(code, `^\`) || only && line != nil
		if !only {
			code = strings.TrimSuffix(code, `\`)
			for i := strings.Index(code, "^#"); i >= 0 && !command; i = strings.Index(code, "^#") {
				line = append(line, span{text: code[:i], file: f, at: at}, span{text: "#", file: f, at: at + i + 1})
				code, at = code[i+2:], at+i+2
			}
			line = append(line, span{text: code, file: f, at: at}, span{text: " "})
		}
		at = end + 1
	}
	return line, min(at, len(f.data))
}

// beforeComment cuts a line at "#"; "^#" is the character itself.
func beforeComment(s string) (code string, commented bool) {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '#')
		if i < 0 {
			return s, false
		}
		if i += from; i == 0 || s[i-1] != '^' {
			return s[:i], true
		}
		from = i + 1
	}
}

// inlineFiles puts the text of inline files, which follow a command with "<<" and end in a line that begins so, in the
// place of "@<<NAME". Files that the command does not read its arguments from are dropped.
func inlineFiles(f *file, line text, at int) (text, int) {
	s := line.String()
	var out text
	c := cursor{text: line}
	for from := 0; ; {
		i := strings.Index(s[from:], "<<")
		if i < 0 {
			return append(out, c.slice(from, len(s))...), at
		}
		i += from
		body, next := inlineFile(f, at)
		at = next
		out = append(out, c.slice(from, max(from, i-1))...)
		if i > from && s[i-1] == '@' {
			out = append(append(out, span{text: " "}), body...)
		}
		from = i + indexOrEnd(s[i:], " ", "\t")
	}
}

// inlineFile reads the text of an inline file, and gives the offset of what follows it.
func inlineFile(f *file, at int) (body text, next int) {
	for at < len(f.data) {
		line, after := logicalLine(f, at, true)
		at = after
		if strings.HasPrefix(line.trim().String(), "<<") {
			break
		}
		body = append(body, line...)
	}
	return body, at
}

// parseStatement reads a directive, an assignment or a rule; false where the line is none of them.
func parseStatement(f *file, line text) (statement, bool) {
	s := line.String()
	st := statement{file: f, at: line.place().Offset}
	if s[0] == '!' {
		rest := strings.TrimLeft(s[1:], white)
		word := rest[:indexOrEnd(rest, " ", "\t", "(", "\"", "<", "$")]
		st.name = "!" + strings.ToLower(word)
		st.value = line.slice(len(s)-len(rest)+len(word), len(s)).trim()
		return st, true
	}
	equals := strings.IndexByte(s, '=')
	if name := strings.Trim(s[:max(equals, 0)], white); isName(name) {
		st.name = strings.ToLower(name)
		st.value = line.slice(equals+1, len(s)).trim()
		st.assign = line.slice(equals, equals+1).place().Offset + 1
		return st, true
	}
	if colon(s) >= 0 {
		st.name, st.value = ruleLine, line
		return st, true
	}
	return statement{}, false
}

// colon gives the index of the colon that ends the targets of a rule, -1 where there is none. That of a reference or of
// a drive is none.
func colon(s string) int {
	depth := 0
	for i := range len(s) {
		switch s[i] {
		case '(', '{':
			if depth > 0 || i > 0 && s[i-1] == '$' {
				depth++
			}
		case ')', '}':
			depth = max(0, depth-1)
		case ':':
			if depth == 0 && !isDrive(s, i) {
				return i
			}
		}
	}
	return -1
}

// isDrive says whether the colon at an index ends the letter of a drive.
func isDrive(s string, i int) bool {
	return i > 0 && i+1 < len(s) && s[i] == ':' && (s[i+1] == '/' || s[i+1] == '\\') && isWord(s[i-1]) &&
		(i == 1 || strings.IndexByte(white+":=;,(", s[i-2]) >= 0)
}
