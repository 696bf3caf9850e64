package source

import (
	"bytes"
	"testing"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// The tokens of any file lie in it, one behind the other, hold what stands there, and end with a line and the file.
func FuzzLexer(f *testing.F) {
	f.Add([]byte("#include <a//b.h>\n#define A(x) x \\\r\n  #@x \"s\\\"\" L'c' R\"x(a\\\nb)x\" <: %:%: 1.5e+3 // c\r/* d */"))
	f.Add([]byte("\xef\xbb\xbf\"a\x00\x1ab"))
	f.Add([]byte("__has_include(\"a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := newFile("f.c", ".", data)
		toks := file.list(nil, 0, len(file.tokens))
		if n := len(toks); n < 2 || toks[n-1].kind != eof || toks[n-2].kind != newline {
			t.Fatalf("the tokens end with %v", toks[max(0, n-2):])
		}
		spliced := bytes.Contains(data, []byte("\\\n")) || bytes.Contains(data, []byte("\\\r"))
		at := 0
		for i, tok := range toks[:len(toks)-2] {
			start := int(tok.off)
			if start < at || start >= len(data) {
				t.Fatalf("token %d, %q, begins at %d; the one before ends at %d, the file at %d", i, tok.text, start, at, len(data))
			}
			at = start + 1
			if spliced || tok.text == "" {
				continue
			}
			at = start + len(tok.text)
			if at > len(data) || string(data[start:at]) != tok.text {
				if at = start + 2*len(tok.text); at > len(data) || digraphs[string(data[start:at])] != tok.text {
					t.Fatalf("token %d at %d is %q, which does not stand there", i, start, tok.text)
				}
			}
		}
	})
}

// Preprocessing any file ends, in both modes, and every token and what it came through stand in a file that was read.
func FuzzPreprocessor(f *testing.F) {
	f.Add([]byte("#define f(x,...) x##__VA_ARGS__ #x\nf(f(1,2\n#if 1\n)\n#include \"h.h\"\n"), []byte("f(3)\n#ifdef X\n"), true)
	f.Add([]byte("#include \"h.h\"\n__pragma(push_macro(\"f\")) f f (1) __LINE__\n#if defined f && f(1) ? 2 : 3\n"), []byte("#define f(a) a g\n#define g f\n#include \"f.c\"\n"), false)
	f.Fuzz(func(t *testing.T, text, header []byte, traditional bool) {
		tr, err := tree.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		fs := everything(tr.With(map[string][]byte{"f.c": text, "h.h": header}))
		main, err := fs.load("f.c")
		if err != nil {
			return // binary
		}
		o := &project.Options{Processor: nx.X64, Language: project.C}
		p := newCPP(fs, names{interest: fs.interest}, o, nil)
		p.traditional = traditional
		for i, tok := range p.run(main, o, nil) {
			root := tok.root()
			for _, x := range []token{tok, root} {
				if x.file == nil || int(x.off) < 0 || int(x.off) > x.file.size {
					t.Fatalf("token %d, %q, stands nowhere", i, tok.text)
				}
			}
			if tok.exp != nil && !bytes.HasPrefix(root.file.bytes()[root.off:], []byte(root.text)) && !bytes.Contains(root.file.bytes(), []byte("\\")) {
				t.Fatalf("token %d, %q, came through %q, which does not stand at %s", i, tok.text, root.text, root.place())
			}
		}
		if p.held != 0 && p.stopped == "" {
			t.Errorf("%d tokens are held at the end", p.held)
		}
	})
}
