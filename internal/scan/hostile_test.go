//go:build unix

package scan

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nxport/nxport/nx"
)

const (
	fine    = "#include <ntddk.h>\nvoid Fine(void) { ExAllocatePool(PagedPool, 1); }\n"
	vcxproj = `<Project xmlns="http://schemas.microsoft.com/developer/msbuild/2003"><ItemGroup Label="ProjectConfigurations">` +
		`<ProjectConfiguration Include="Release|x64"><Configuration>Release</Configuration><Platform>x64</Platform>` +
		`</ProjectConfiguration></ItemGroup><PropertyGroup Label="Configuration"><ConfigurationType>Driver</ConfigurationType>` +
		`<DriverType>WDM</DriverType></PropertyGroup><ItemGroup><ClCompile Include="fine.c"/>ITEMS</ItemGroup></Project>`
)

// body is a function around a request.
func body(text string) string { return "#include <ntddk.h>\nvoid f(int a)\n" + text + "\n" }

// Whatever lies in a tree, a scan of it ends in good time, names what it did not read, and reads the rest: the request of
// fine.c is there.
func TestHostileTrees(t *testing.T) {
	const many = 100_000
	nested := func(open, between, end string) string {
		return strings.Repeat(open, many) + between + strings.Repeat(end, many)
	}
	const request = "ExAllocatePool(NonPagedPool, 1);"
	for _, tt := range []struct {
		name  string
		files map[string]string // "100 MB", "pipe", "directory" and "-> target" stand for such files
		want  string            // what is named, a line each: a beginning
		sites int               // besides that of fine.c
	}{
		{"a source of 100 MB", map[string]string{"a.c": "100 MB"}, "a.c: 104857600 bytes, more than the 67108864 that are read of one file", 0},
		{"a header of 100 MB", map[string]string{"a.c": "\n#include \"h.h\"\n" + body("{ "+request+" }"), "h.h": "100 MB"},
			"a.c: line 2: includes h.h: 104857600 bytes, more", 1},
		{"a project of 100 MB", map[string]string{"p.vcxproj": "100 MB"}, "p.vcxproj: 104857600 bytes, more", 0},
		{"a project with a long line", map[string]string{"p.vcxproj": strings.Replace(vcxproj, "ITEMS", strings.Repeat("x", 9<<20), 1)},
			"p.vcxproj: line 1: 9437", 0},
		{"a line with many tokens", map[string]string{"a.c": body("{ " + request + " a = 1" + strings.Repeat("+1", 2_100_000) + "; }")},
			"a.c: a.c:3:", 1},
		{"pipes, devices and directories in a walk", map[string]string{"pipe.c": "pipe", "zero.c": "-> /dev/zero", "dir.c": "directory", "p.vcxproj": "pipe"},
			"p.vcxproj: no regular file\npipe.c: no regular file", 0},
		{"pipes, devices and directories in a project", map[string]string{
			"p.vcxproj": strings.Replace(vcxproj, "ITEMS", `<ClCompile Include="pipe.c;zero.c;dir.c;a.c;b.c"/>`, 1),
			"pipe.c":    "pipe", "zero.c": "-> /dev/zero", "dir.c": "directory", "dir.h": "directory", "pipe.h": "pipe", "zero.h": "-> /dev/zero",
			"a.c": "#include \"dir.h\"\n#include \"pipe.h\"\n" + body("{ "+request+" }"), "b.c": "#include \"zero.h\"\n" + body("{ "+request+" }")},
			"a.c: line 1: includes dir.h: no regular file\nb.c: line 1: includes zero.h: no regular file\ndir.c: no regular file\n" +
				"pipe.c: no regular file\npipe.h: no regular file\nzero.c: no regular file", 2},
		{"a link in a circle", map[string]string{"a.c": "-> a.c", "h.h": "-> h.h"}, "", 0},
		{"headers that include each other", map[string]string{"a.c": "#include \"a.h\"\n" + body("{ }"), "a.h": "#include \"b.h\"\n", "b.h": "#include \"a.h\"\n"},
			"a.c: a.h:1: more than 200 headers inside each other: do they include themselves?", 0},
		{"a source that includes itself", map[string]string{"a.c": "#include \"a.c\"\n"}, "a.c: a.c:1: more than 200 headers", 0},
		{"binaries", map[string]string{"a.c": "MZ\x00\x01", "b.c": body("{ "+request+" }") + strings.Repeat(" ", 10_000) + "\x00"}, "a.c: offset 2: a NUL byte", 1},
		{"parentheses", map[string]string{"a.c": body("{ ExAllocatePool(" + nested("(", "NonPagedPool", ")") + ", 1); }")}, "", 1},
		{"parentheses that are not closed", map[string]string{"a.c": body("{ ExAllocatePool(" + nested("(", "NonPagedPool, 1); }", ""))}, "", 1},
		{"brackets", map[string]string{"a.c": body("{ a" + nested("[", "1", "]") + "; " + request + " }")}, "", 1},
		{"braces", map[string]string{"a.c": body(nested("{", request, "}"))}, "", 1},
		{"braces that are not closed", map[string]string{"a.c": body(nested("{", request, ""))}, "", 1},
		{"braces that were not opened", map[string]string{"a.c": nested("}", "", ")") + body("{ "+request+" }")}, "", 1},
		{"conditions", map[string]string{"a.c": nested("#if 1\n", body("{ "+request+" }"), "#endif\n")}, "", 1},
		{"conditions that are not closed", map[string]string{"a.c": nested("#if 1\n", body("{ "+request+" }"), "")}, "", 1},
		{"statements", map[string]string{"a.c": body("{ " + nested("if (a) ", request, "") + " }")}, "", 1},
		{"casts", map[string]string{"a.c": body("{ ExAllocatePool(" + nested("(int)", "NonPagedPool", "") + ", 1); }")}, "", 1},
		{"choices", map[string]string{"a.c": body("{ ExAllocatePool(" + nested("a ? 1 : ", "NonPagedPool", "") + ", 1); }")}, "", 1},
		{"template parameters", map[string]string{"a.cpp": "#include <ntddk.h>\ntemplate " + nested("<", " void f() { "+request+" }", "")}, "", 1},
		{"template arguments", map[string]string{"a.cpp": body("{ g" + nested("<g", " "+request+" }", ""))}, "", 1},
		{"classes", map[string]string{"a.cpp": "#include <ntddk.h>\n" + nested("struct a { ", "void f() { "+request+" }", "};")}, "", 1},
		{"namespaces", map[string]string{"a.cpp": "#include <ntddk.h>\n" + nested("namespace a { ", "void f() { "+request+" }", "}")}, "", 1},
		{"lambdas", map[string]string{"a.cpp": body("{ " + nested("[]() { ", request, "};") + " }")}, "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			lay(t, "fine.c", fine)
			for name, text := range tt.files {
				lay(t, name, text)
			}
			start := time.Now()
			r, err := Run([]string{"."}, Options{DDIs: nx.DDIs()})
			if err != nil {
				t.Fatal(err)
			}
			took := time.Since(start)
			var named []string
			for _, s := range r.Unreadable {
				named = append(named, s.Path+": "+s.Why)
			}
			slices.Sort(named)
			var want []string
			if tt.want != "" {
				want = strings.Split(tt.want, "\n")
			}
			if !slices.EqualFunc(named, want, strings.HasPrefix) {
				t.Errorf("named:\n%s\nwant:\n%s", strings.Join(named, "\n"), tt.want)
			}
			got := map[string]int{}
			sites := slices.Clone(r.Dormant)
			for _, m := range r.Images {
				sites = append(sites, m.Sites...)
			}
			for _, s := range sites {
				got[s.Place.Path]++
			}
			fine := got["fine.c"]
			delete(got, "fine.c")
			others := 0
			for _, n := range got {
				others += n
			}
			if fine != 1 || others != tt.sites {
				t.Errorf("%d requests of fine.c and %v", fine, got)
			}
			if took > 20*time.Second {
				t.Errorf("%s", took)
			}
			t.Log(took)
		})
	}
}

func lay(t *testing.T, name, text string) {
	t.Helper()
	var err error
	target, link := strings.CutPrefix(text, "-> ")
	switch {
	case text == "100 MB":
		if err = os.WriteFile(name, nil, 0o644); err == nil {
			err = os.Truncate(name, 100<<20)
		}
	case text == "pipe":
		err = syscall.Mkfifo(name, 0o644)
	case text == "directory":
		err = os.Mkdir(filepath.Clean(name), 0o755)
	case link:
		err = os.Symlink(target, name)
	default:
		err = os.WriteFile(name, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
