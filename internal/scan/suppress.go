package scan

import (
	"bytes"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
)

// buildComments adds to the images what comments in their build files suppress, which cover all that is said of such a file.
func buildComments(t *tree.Tree, images []driver.Image) {
	read := map[string][]driver.Suppression{}
	for i := range images {
		m := &images[i]
		list, ok := read[m.Build.Project]
		if !ok {
			data, _ := t.Read(m.Build.Project) // none is left where the build has no file
			list = comments(m.Build.Project, data)
			read[m.Build.Project] = list
		}
		m.Suppressions = append(m.Suppressions, list...)
	}
}

var ignore = []byte("nxport:ignore")

// comments gives those of a build file that begin with nxport:ignore: <!-- ... --> in XML, # in all others.
func comments(path string, data []byte) []driver.Suppression {
	opening, blanks, closing := []byte("#"), " \t", []byte("\n")
	if bytes.HasPrefix(bytes.TrimLeft(data, "\xef\xbb\xbf \t\r\n"), []byte("<")) {
		opening, blanks, closing = []byte("<!--"), " \t\r\n", []byte("-->")
	}
	var list []driver.Suppression
	for line, off := 1, 0; ; {
		n := bytes.Index(data[off:], ignore)
		if n < 0 {
			return list
		}
		line += bytes.Count(data[off:off+n], []byte("\n"))
		at := off + n
		off = at + len(ignore)
		if !driver.IsIgnore(data[at:]) || !bytes.HasSuffix(bytes.TrimRight(data[:at], blanks), opening) {
			continue
		}
		comment, _, _ := bytes.Cut(data[at:], closing)
		s := driver.Suppression{Comment: true, Covers: []driver.Lines{driver.AllOf(path)}}
		s.Place = driver.Place{Path: path, Line: line, Column: at - bytes.LastIndexByte(data[:at], '\n'), Offset: at}
		s.Rules, s.Reason = driver.ParseIgnore(string(comment))
		list = append(list, s)
	}
}
