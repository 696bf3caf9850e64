package project

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/tree"
)

const optIn = "POOL_NX_OPTIN"

// wantAll wants the opt-in in the builds whose ID contains one of the patterns.
func wantAll(s *Set, patterns ...string) []Want {
	var list []Want
	for _, b := range s.Builds {
		if slices.ContainsFunc(patterns, func(p string) bool { return strings.Contains(b.ID, p) }) {
			list = append(list, Want{Build: b, Name: optIn, Value: "1"})
		}
	}
	return list
}

// headsAt gives every unit the same head: where a text stands in a file.
func headsAt(t testing.TB, tr *tree.Tree, s *Set, path, include string) map[*Unit]Head {
	t.Helper()
	data, err := tr.Read(path)
	at := bytes.Index(data, []byte(include))
	if err != nil || at < 0 {
		t.Fatalf("no %q in %s: %v", include, path, err)
	}
	heads := map[*Unit]Head{}
	for _, b := range s.Builds {
		for _, u := range b.Units {
			heads[u] = Head{driver.Place{Path: path, Offset: at}}
		}
	}
	return heads
}

// applied gives the lines that edits add, without the white space before them, and the tree after them.
func applied(t testing.TB, tr *tree.Tree, edits []edit.Edit) (string, *tree.Tree) {
	t.Helper()
	changes, err := edit.Apply(tr.Read, edits)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	var added []string
	for _, c := range changes {
		overlay[c.Path] = c.New
	}
	for _, line := range strings.Split(edit.Diff(changes), "\n") {
		if strings.HasPrefix(line, "+") && !strings.HasPrefix(line, "+++") {
			added = append(added, strings.TrimSpace(line[1:]))
		}
	}
	return strings.Join(added, "\n"), tr.With(overlay)
}

// checkAfter loads the edited tree: wanted builds have the define, and a second Place has nothing to do.
func checkAfter(t testing.TB, after *tree.Tree, patterns ...string) {
	t.Helper()
	s, err := Load(after, []string{"."}, LoadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := wantAll(s, patterns...)
	for _, w := range want {
		if !w.Build.has([]Define{{Name: optIn, Value: "1"}}) {
			t.Errorf("%s lacks the define", w.Build.ID)
		}
	}
	if again, err := place(after, want, nil); err != nil || len(again) > 0 {
		t.Errorf("again: %v, %v", again, err)
	}
}

func definitions(condition, value string) string {
	if condition != "" {
		condition = fmt.Sprintf(` Condition="'$(Configuration)|$(Platform)'=='%s'"`, condition)
	}
	return "  <ItemDefinitionGroup" + condition + ">\n    <ClCompile>\n      <PreprocessorDefinitions>" + value +
		"</PreprocessorDefinitions>\n    </ClCompile>\n  </ItemDefinitionGroup>\n"
}

const (
	compiled  = "  <ItemGroup>\n    <ClCompile Include=\"a.c\" />\n    <ClCompile Include=\"b.c\" />\n  </ItemGroup>\n"
	inherit   = "%(PreprocessorDefinitions)"
	inserted  = "<ItemDefinitionGroup>\n<ClCompile>\n<PreprocessorDefinitions>POOL_NX_OPTIN=1;%(PreprocessorDefinitions)</PreprocessorDefinitions>\n</ClCompile>\n</ItemDefinitionGroup>"
	all       = "p.vcxproj"
	debugOnly = "|Debug|x64"
)

func spliced(values ...string) string {
	var lines []string
	for _, v := range values {
		lines = append(lines, "<PreprocessorDefinitions>"+v+"</PreprocessorDefinitions>")
	}
	return strings.Join(lines, "\n")
}

func TestPlaceInProject(t *testing.T) {
	six := "A|x64 B|x64 C|x64 D|x64 E|x64 F|x64"
	var sixGroups, fiveGroups strings.Builder
	for _, c := range strings.Fields(six) {
		sixGroups.WriteString(definitions(c, "X;"+inherit))
		if c != "F|x64" {
			fiveGroups.WriteString(definitions(c, "X;"+inherit))
		}
	}
	for _, c := range []struct {
		name, configurations, body, wanted, added string
	}{
		{"last", "Debug|x64", definitions("", "A;B=2;"+inherit), all, spliced("A;B=2;POOL_NX_OPTIN=1;" + inherit)},
		{"first", "Debug|x64", definitions("", inherit+";A;B"), all, spliced(inherit + ";POOL_NX_OPTIN=1;A;B")},
		{"first, with white space", "Debug|x64", definitions("", " "+inherit+" ; A"), all, spliced(" " + inherit + " ;POOL_NX_OPTIN=1; A")},
		{"alone", "Debug|x64", definitions("", inherit), all, spliced("POOL_NX_OPTIN=1;" + inherit)},
		{"alone, with a semicolon", "Debug|x64", definitions("", inherit+";"), all, spliced(inherit + ";POOL_NX_OPTIN=1;")},
		{"amid", "Debug|x64", definitions("", "A;"+inherit+";B"), all, spliced("A;POOL_NX_OPTIN=1;" + inherit + ";B")},
		{"missing", "Debug|x64", definitions("", "A;B"), all, spliced("POOL_NX_OPTIN=1;A;B")},
		{"empty", "Debug|x64", definitions("", ""), all, spliced("POOL_NX_OPTIN=1")},
		{"self-closing", "Debug|x64", strings.Replace(definitions("", ""), "></PreprocessorDefinitions>", " />", 1), all, spliced("POOL_NX_OPTIN=1")},
		{"one of each", two, definitions("Debug|x64", "A;"+inherit) + definitions("Release|Win32", "B;"+inherit), all,
			spliced("A;POOL_NX_OPTIN=1;"+inherit, "B;POOL_NX_OPTIN=1;"+inherit)},
		{"one for all rather than one of each", two, definitions("Debug|x64", "A;"+inherit) + definitions("", "C;"+inherit) + definitions("Release|Win32", "B;"+inherit), all,
			spliced("C;POOL_NX_OPTIN=1;" + inherit)},
		{"the one that counts", two, definitions("", "LOST;"+inherit) + definitions("", "A"), all, spliced("POOL_NX_OPTIN=1;A")},
		{"only the wanted", two, definitions("Debug|x64", "A;"+inherit) + definitions("Release|Win32", "B;"+inherit) + definitions("", "C;"+inherit), debugOnly,
			spliced("A;POOL_NX_OPTIN=1;" + inherit)},
		{"none there", two, "", all, inserted},
		{"five lines or five", strings.TrimSuffix(six, " F|x64"), fiveGroups.String(), all, strings.TrimSuffix(strings.Repeat(spliced("X;POOL_NX_OPTIN=1;"+inherit)+"\n", 5), "\n")},
		{"six lines or five", six, sixGroups.String(), all, inserted},
		{"one has none", six, fiveGroups.String(), all, inserted},
		{"insert, and splice what does not inherit", two, definitions("Debug|x64", "A"), all, inserted + "\n" + spliced("POOL_NX_OPTIN=1;A")},
		{"insert for one platform", "Debug|x64 Release|x64 Release|Win32", "", "|x64",
			strings.Replace(inserted, "Group>", `Group Condition="'$(Platform)'=='x64'">`, 1)},
		{"insert for one configuration", "Debug|x64 Release|x64", "", debugOnly,
			strings.Replace(inserted, "Group>", `Group Condition="'$(Configuration)|$(Platform)'=='Debug|x64'">`, 1)},
		{"insert for some", "Debug|x64 Release|x64 Debug|Win32 Release|Win32", "", "|Debug|",
			strings.Replace(inserted, "Group>", `Group Condition="'$(Configuration)|$(Platform)'=='Debug|x64' or '$(Configuration)|$(Platform)'=='Debug|Win32'">`, 1)},
		{"per file", "Debug|x64", definitions("", "A;"+inherit) + "  <ItemGroup>\n    <ClCompile Include=\"c.c\">\n      <PreprocessorDefinitions>F</PreprocessorDefinitions>\n    </ClCompile>\n" +
			"    <ClCompile Include=\"d.c\">\n      <PreprocessorDefinitions>G;" + inherit + "</PreprocessorDefinitions>\n    </ClCompile>\n  </ItemGroup>\n", all,
			spliced("A;POOL_NX_OPTIN=1;"+inherit, "POOL_NX_OPTIN=1;F")},
		{"there already", "Debug|x64", definitions("", "A;POOL_NX_OPTIN;"+inherit), all, ""},
		{"there in one", two, definitions("Debug|x64", "POOL_NX_OPTIN=1;"+inherit) + definitions("Release|Win32", "B;"+inherit), all, spliced("B;POOL_NX_OPTIN=1;" + inherit)},
		{"resource compiler has one", "Debug|x64", "  <ItemDefinitionGroup>\n    <ResourceCompile>\n      <PreprocessorDefinitions>R;" + inherit + "</PreprocessorDefinitions>\n    </ResourceCompile>\n  </ItemDefinitionGroup>\n", all, inserted},
		{"comment and entity", "Debug|x64", definitions("", "<!-- "+inherit+" -->A=&quot;x&quot;;"+inherit), all, spliced("<!-- " + inherit + " -->A=&quot;x&quot;;POOL_NX_OPTIN=1;" + inherit)},
		{"on several lines", "Debug|x64", definitions("", "\n        A;\n        "+inherit+"\n      "), all, "POOL_NX_OPTIN=1;" + inherit},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, style := range []struct{ bom, newline string }{{"", "\n"}, {bom, "\r\n"}} {
				write(t, "-- a.c --\n-- b.c --\n-- c.c --\n-- d.c --\n")
				original := style.bom + strings.ReplaceAll(projectText(c.configurations, c.body+compiled), "\n", style.newline)
				put(t, "p.vcxproj", original)
				tr := newTree(t, ".")
				s := load(t, LoadOptions{})
				edits, err := place(tr, wantAll(s, c.wanted), nil)
				if err != nil {
					t.Fatal(err)
				}
				added, after := applied(t, tr, edits)
				equal(t, "added", added, c.added)
				checkAfter(t, after, c.wanted)
				checkBytes(t, after, "p.vcxproj", original, style.newline)
			}
		})
	}
}

// checkBytes checks that a file's byte order mark and newlines are kept, and that only bytes were added.
func checkBytes(t testing.TB, after *tree.Tree, path, original, newline string) {
	t.Helper()
	data, err := after.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	equal(t, "byte order marks", strings.Count(text, bom), strings.Count(original, bom))
	equal(t, "where it stands", strings.HasPrefix(text, bom), strings.HasPrefix(original, bom))
	if newline == "\r\n" && strings.Count(text, "\n") != strings.Count(text, "\r\n") {
		t.Error("newlines are mixed")
	}
	if newline == "\n" && strings.Contains(text, "\r") {
		t.Error("a carriage return was added")
	}
}

func TestPlaceWhereAndHowIndented(t *testing.T) {
	for name, c := range map[string]struct{ body, before, indent string }{
		"before the first group": {"  <PropertyGroup Label=\"UserMacros\" />\n  <ItemDefinitionGroup>\n    <Link />\n  </ItemDefinitionGroup>\n" + compiled, "  <ItemDefinitionGroup>\n    <Link />", "  "},
		"after the properties":   {"  <ImportGroup Label=\"PropertySheets\" />\n  <PropertyGroup><X>1</X></PropertyGroup>\n" + compiled, compiled, "  "},
		"tabs":                   {"\t<ItemDefinitionGroup>\n\t\t<Link />\n\t</ItemDefinitionGroup>\n" + compiled, "\t<ItemDefinitionGroup>\n\t\t<Link />", "\t"},
	} {
		t.Run(name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n")
			put(t, "p.vcxproj", projectText("Debug|x64", c.body))
			tr := newTree(t, ".")
			edits, err := place(tr, wantAll(load(t, LoadOptions{}), all), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, after := applied(t, tr, edits)
			data, _ := after.Read("p.vcxproj")
			i := c.indent
			group := i + "<ItemDefinitionGroup>\n" + i + i + "<ClCompile>\n" + i + i + i + "<PreprocessorDefinitions>POOL_NX_OPTIN=1;%(PreprocessorDefinitions)</PreprocessorDefinitions>\n" +
				i + i + "</ClCompile>\n" + i + "</ItemDefinitionGroup>\n"
			if !strings.Contains(string(data), group+c.before) {
				t.Errorf("got\n%s", data)
			}
		})
	}
}

func TestPlaceOnOneLine(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", strings.ReplaceAll(projectText("Debug|x64", compiled), "\n", ""))
	tr := newTree(t, ".")
	edits, err := place(tr, wantAll(load(t, LoadOptions{}), all), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, after := applied(t, tr, edits)
	checkAfter(t, after, all)
	data, _ := after.Read("p.vcxproj")
	equal(t, "newlines", bytes.Count(data, []byte("\n")), 0)
}

func TestPlaceInSources(t *testing.T) {
	for _, c := range []struct{ name, file, added string }{
		{"appended", "TARGETTYPE=DRIVER\nC_DEFINES=-DA\nSOURCES=a.c\n", "C_DEFINES=-DA -DPOOL_NX_OPTIN=1"},
		{"to the last", "TARGETTYPE=DRIVER\nC_DEFINES=-DA\nC_DEFINES = $(C_DEFINES) -DB  # why\nSOURCES=a.c\n", "C_DEFINES = $(C_DEFINES) -DB -DPOOL_NX_OPTIN=1  # why"},
		{"continued", "TARGETTYPE=DRIVER\nC_DEFINES=-DA \\\n   -DB \\\n\nSOURCES=a.c\n", "-DB -DPOOL_NX_OPTIN=1 \\"},
		{"empty", "TARGETTYPE=DRIVER\nC_DEFINES=\nSOURCES=a.c\n", "C_DEFINES=-DPOOL_NX_OPTIN=1"},
		{"not in a comment", "TARGETTYPE=DRIVER\n#C_DEFINES=-DA\nSOURCES=a.c\n", "C_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1"},
		{"inserted", "TARGETTYPE=DRIVER\nINCLUDES=x\n\nSOURCES = \\\n a.c\n", "C_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1"},
		{"for one processor only", "TARGETTYPE=DRIVER\n!if $(386)\nC_DEFINES=-DA\n!endif\nSOURCES=a.c\n", "C_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1"},
		{"for each", "TARGETTYPE=DRIVER\n!if $(386)\nC_DEFINES=-DA\n!else\nC_DEFINES=-DB\n!endif\nSOURCES=a.c\n", "C_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1"},
		{"outside of a condition", "TARGETTYPE=DRIVER\nC_DEFINES=-DA $(C_DEFINES)\nSOURCES=a.c\nX=1\n!ifdef X\n C_DEFINES=$(C_DEFINES) -DB\n!endif\n", "C_DEFINES=-DA $(C_DEFINES) -DPOOL_NX_OPTIN=1"},
		{"none but under a condition", "TARGETTYPE=DRIVER\nX=1\n!ifdef X\nC_DEFINES=$(C_DEFINES) -DB\n!endif\nSOURCES=a.c\n", "C_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1"},
		{"set under a condition", "TARGETTYPE=DRIVER\nX=1\nC_DEFINES=-DA\n!ifdef X\nC_DEFINES=-DB\n!endif\nSOURCES=a.c\n", "C_DEFINES=-DB -DPOOL_NX_OPTIN=1"},
		{"each that counts", "TARGETTYPE=DRIVER\nSOURCES=a.c\nC_DEFINES=-DA\n!if $(386)\nC_DEFINES=-DB\n!endif\n", "C_DEFINES=-DA -DPOOL_NX_OPTIN=1\nC_DEFINES=-DB -DPOOL_NX_OPTIN=1"},
		{"no end of line", "TARGETTYPE=DRIVER\nSOURCES=a.c\nC_DEFINES=-DA", "C_DEFINES=-DA -DPOOL_NX_OPTIN=1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, style := range []struct{ bom, newline string }{{"", "\n"}, {bom, "\r\n"}} {
				write(t, "-- a.c --\n")
				original := style.bom + strings.ReplaceAll(c.file, "\n", style.newline)
				put(t, "sources", original)
				tr := newTree(t, ".")
				edits, err := place(tr, wantAll(load(t, LoadOptions{}), "sources"), nil)
				if err != nil {
					t.Fatal(err)
				}
				added, after := applied(t, tr, edits)
				equal(t, "added", added, c.added)
				checkAfter(t, after, "sources")
				checkBytes(t, after, "sources", original, style.newline)
			}
		})
	}
}

// Of a file that two SOURCES include, one line serves both, though it stands in an !if.
func TestPlaceInSharedSources(t *testing.T) {
	const text = "X=1\nTARGETTYPE=DRIVER\n!include ..\\shared.inc\nSOURCES=a.c\n"
	write(t, "-- shared.inc --\n!ifdef X\nC_DEFINES=$(C_DEFINES) -DB\n!endif\n-- p/a.c --\n-- q/a.c --\n-- p/sources --\n"+text+"-- q/sources --\n"+text)
	tr := newTree(t, ".")
	edits, err := place(tr, wantAll(load(t, LoadOptions{}), "p/sources", "q/sources"), nil)
	if err != nil {
		t.Fatal(err)
	}
	added, after := applied(t, tr, edits)
	equal(t, "one line", added, "C_DEFINES=$(C_DEFINES) -DB -DPOOL_NX_OPTIN=1")
	checkAfter(t, after, "p/sources", "q/sources")
}

func TestPlaceInSourcesBefore(t *testing.T) {
	for file, want := range map[string]string{
		"TARGETTYPE=DRIVER\nINCLUDES=x\n\nSOURCES = a.c\n":    "TARGETTYPE=DRIVER\nINCLUDES=x\n\nC_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1\nSOURCES = a.c\n",
		"TARGETTYPE=DRIVER\nINCLUDES=x\nI386_SOURCES = a.c":   "TARGETTYPE=DRIVER\nC_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1\nINCLUDES=x\nI386_SOURCES = a.c",
		"TARGETTYPE=DRIVER\nI386_SOURCES = a.c":               "TARGETTYPE=DRIVER\nI386_SOURCES = a.c\nC_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1\n",
		"SOURCES=a.c\nTARGETTYPE=DRIVER\n!include gone.inc\n": "C_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1\nSOURCES=a.c\nTARGETTYPE=DRIVER\n!include gone.inc\n",
		"TARGETTYPE=DRIVER\n!if 1\nSOURCES=a.c\n!endif\n":     "TARGETTYPE=DRIVER\n!if 1\nSOURCES=a.c\n!endif\nC_DEFINES=$(C_DEFINES) -DPOOL_NX_OPTIN=1\n",
	} {
		write(t, "-- a.c --\n")
		put(t, "sources", file)
		tr := newTree(t, ".")
		edits, err := place(tr, wantAll(load(t, LoadOptions{}), "sources"), nil)
		if err != nil {
			t.Fatal(err)
		}
		_, after := applied(t, tr, edits)
		data, _ := after.Read("sources")
		equal(t, file, string(data), want)
	}
}

func TestPlaceInSheet(t *testing.T) {
	const sheet = "<Project>\n  <ItemDefinitionGroup>\n    <ClCompile>\n      <PreprocessorDefinitions>S;%(PreprocessorDefinitions)</PreprocessorDefinitions>\n    </ClCompile>\n  </ItemDefinitionGroup>\n</Project>\n"
	const importing = "  <Import Project=\"s.props\" />\n"
	setup := func(t *testing.T) {
		write(t, "-- a.c --\n-- b.c --\n-- s.props --\n"+sheet)
		put(t, "p.vcxproj", projectText(two, importing+compiled))
		put(t, "p.vcxproj.2.vcxproj", projectText(two, importing+definitions("Debug|x64", "X;"+inherit)+compiled))
	}
	setup(t)
	tr := newTree(t, ".")
	edits, err := place(tr, wantAll(load(t, LoadOptions{}), all), nil)
	if err != nil {
		t.Fatal(err)
	}
	added, after := applied(t, tr, edits)
	equal(t, "one line for two projects", added, spliced("S;POOL_NX_OPTIN=1;"+inherit))
	checkAfter(t, after, all)

	for name, other := range map[string]string{
		"a project that does not want it": projectText(two, importing+compiled),
		"user mode":                       strings.Replace(projectText(two, importing), ">Driver<", ">Application<", 1),
	} {
		setup(t)
		put(t, "other.vcxproj", other)
		edits, err = place(tr, wantAll(load(t, LoadOptions{}), all), nil)
		if err != nil {
			t.Fatal(name, err)
		}
		added, after = applied(t, newTree(t, "."), edits)
		equal(t, name, added, inserted+"\n"+inserted)
		checkAfter(t, after, all)
	}
}

// A build that can do without gets a define where that makes for fewer lines, and costs none.
func TestPlaceByTheWay(t *testing.T) {
	const arm = "p.vcxproj|Debug|ARM64"
	for _, c := range []struct{ name, body, other, added string }{
		{"a list for all", definitions("", "A;"+inherit), "", spliced("A;POOL_NX_OPTIN=1;" + inherit)},
		{"none there", "", "", inserted},
		{"one of each", definitions("Debug|x64", "A;"+inherit) + definitions("Debug|ARM64", "B;"+inherit), "", spliced("A;POOL_NX_OPTIN=1;" + inherit)},
		{"a sheet of another", "  <Import Project=\"s.props\" />\n", projectText("Debug|ARM64", "  <Import Project=\"s.props\" />\n"+compiled), spliced("S;POOL_NX_OPTIN=1;" + inherit)},
		{"a sheet of one that wants nothing", "  <Import Project=\"s.props\" />\n", projectText("Debug|Win32", "  <Import Project=\"s.props\" />\n"+compiled), inserted},
	} {
		for _, may := range []bool{true, false} {
			write(t, "-- a.c --\n-- b.c --\n-- s.props --\n<Project>\n"+definitions("", "S;"+inherit)+"</Project>\n")
			put(t, "p.vcxproj", projectText("Debug|x64 Debug|ARM64", c.body+compiled))
			if c.other != "" {
				put(t, "q.vcxproj", c.other)
			}
			tr := newTree(t, ".")
			var want []Want
			for _, b := range load(t, LoadOptions{}).Builds {
				switch {
				case b.ID == "p.vcxproj|Debug|x64":
					want = append(want, Want{Build: b, Name: optIn, Value: "1"})
				case strings.HasSuffix(b.ID, "ARM64") && may:
					want = append(want, Want{Build: b, Name: optIn, Value: "1", May: true})
				}
			}
			edits, err := place(tr, want, nil)
			if err != nil {
				t.Fatal(c.name, err)
			}
			added, after := applied(t, tr, edits)
			wanted := c.added
			if !may && c.name != "one of each" {
				wanted = strings.Replace(inserted, "Group>", `Group Condition="'$(Platform)'=='x64'">`, 1)
			}
			equal(t, fmt.Sprint(c.name, " may ", may), added, wanted)
			s, err := Load(after, []string{"."}, LoadOptions{})
			if err != nil || !s.Builds[0].has([]Define{{Name: optIn, Value: "1"}}) {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	}
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", projectText("Debug|ARM64", compiled))
	b := load(t, LoadOptions{}).Builds[0]
	if edits, err := place(newTree(t, "."), []Want{{Build: b, Name: optIn, Value: "1", May: true}}, nil); len(edits) > 0 || err != nil || b.ID != arm {
		t.Errorf("for its own sake: %v, %v", edits, err)
	}
}

const header = "/* one */\n#ifndef H\n#define H\n#define D_INTERNAL  5\n#include <ntddk.h>\n#include <ntstrsafe.h>\n#endif\n"

func TestPlaceInHeader(t *testing.T) {
	body := definitions("Debug|x64", "A;"+inherit) + definitions("Release|Win32", "B;"+inherit) + compiled
	inFile := spliced("A;POOL_NX_OPTIN=1;"+inherit, "B;POOL_NX_OPTIN=1;"+inherit)
	for _, c := range []struct {
		name, path, header, include, added string
		change                             func(t *testing.T, s *Set, heads map[*Unit]Head, want *[]Want)
	}{
		{"one line for two", "d.h", header, "#include <ntddk", "#define POOL_NX_OPTIN 1", nil},
		{"indented", "d.h", "#if 1\n#  define X\n#endif\n\t# include <ntddk.h>\n", "# include", "#define POOL_NX_OPTIN 1", nil},
		{"defines after the guard", "d.h", "#pragma once\n#define X 1\n\n#include <ntddk.h>\n", "#include", "#define POOL_NX_OPTIN 1", nil},
		{"only a guard", "d.h", "#ifndef H\n#define H\n#include <ntddk.h>\n#endif\n", "#include", inFile, nil},
		{"a guard after a blank line", "d.h", "#ifndef H\n\n#define H\n#include <ntddk.h>\n#endif\n", "#include", inFile, nil},
		{"nothing defined", "d.h", "#pragma once\n#include <ntddk.h>\n", "#include", inFile, nil},
		{"defined before another include", "d.h", "#define X\n#include \"x.h\"\n#include <ntddk.h>\n", "#include <", inFile, nil},
		{"defined after", "d.h", "#include <ntddk.h>\n#define X\n", "#include", inFile, nil},
		{"no header", "a.c", "#define X\n#include <ntddk.h>\n", "#include", inFile, nil},
		{"another place in one unit", "d.h", header, "#include <ntddk", inFile, func(_ *testing.T, s *Set, heads map[*Unit]Head, _ *[]Want) {
			heads[s.Builds[1].Units[1]] = Head{driver.Place{Path: "d.h", Offset: 3}}
		}},
		{"not reached by one unit", "d.h", header, "#include <ntddk", inFile, func(_ *testing.T, s *Set, heads map[*Unit]Head, _ *[]Want) {
			delete(heads, s.Builds[1].Units[1])
		}},
		{"another build has no use for it", "d.h", header, "#include <ntddk", spliced("A;POOL_NX_OPTIN=1;" + inherit), func(_ *testing.T, _ *Set, _ map[*Unit]Head, want *[]Want) {
			*want = (*want)[:1]
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, newline := range []string{"\n", "\r\n"} {
				write(t, "-- a.c --\n-- b.c --\n")
				original := strings.ReplaceAll(c.header, "\n", newline)
				put(t, c.path, original)
				put(t, "p.vcxproj", projectText(two, body))
				tr := newTree(t, ".")
				s := load(t, LoadOptions{})
				heads, want := headsAt(t, tr, s, c.path, c.include), wantAll(s, all)
				if c.change != nil {
					c.change(t, s, heads, &want)
				}
				edits, err := place(tr, want, heads)
				if err != nil {
					t.Fatal(err)
				}
				added, after := applied(t, tr, edits)
				equal(t, "added", added, c.added)
				checkBytes(t, after, c.path, original, newline)
				data, _ := after.Read(c.path)
				if got := string(data); c.added != inFile && len(want) > 1 {
					at := strings.Index(got, "#define POOL_NX_OPTIN 1"+newline)
					next := strings.TrimLeft(got[at+len("#define POOL_NX_OPTIN 1"+newline):], " \t")
					if !strings.HasPrefix(next, c.include) {
						t.Errorf("it does not stand right above the include:\n%s", got)
					}
				}
			}
		})
	}
}

// A header is not better where the build file takes one line as well, and no place where another project's unit
// comes by it.
func TestPlaceNotInHeader(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- d.h --\n"+header)
	put(t, "p.vcxproj", projectText(two, definitions("", "A;"+inherit)+compiled))
	tr := newTree(t, ".")
	s := load(t, LoadOptions{})
	edits, err := place(tr, wantAll(s, all), headsAt(t, tr, s, "d.h", "#include"))
	added, _ := applied(t, tr, edits)
	equal(t, fmt.Sprint("same cost ", err), added, spliced("A;POOL_NX_OPTIN=1;"+inherit))

	put(t, "p.vcxproj", projectText(two, compiled))
	put(t, "other.vcxproj", projectText("Debug|x64", compiled))
	tr = newTree(t, ".")
	s = load(t, LoadOptions{})
	edits, err = place(tr, wantAll(s, all), headsAt(t, tr, s, "d.h", "#include"))
	added, _ = applied(t, tr, edits)
	equal(t, fmt.Sprint("another project ", err), added, inserted)

	edits, err = place(tr, wantAll(s, "vcxproj"), headsAt(t, tr, s, "d.h", "#include"))
	added, _ = applied(t, tr, edits)
	equal(t, fmt.Sprint("both want it ", err), added, "#define POOL_NX_OPTIN 1")

	// a configuration that was not chosen would get it too
	s = load(t, LoadOptions{Configs: []string{"Debug|x64"}})
	edits, err = place(tr, wantAll(s, all), headsAt(t, tr, s, "d.h", "#include"))
	added, _ = applied(t, tr, edits)
	equal(t, fmt.Sprint("not chosen ", err), added, strings.Replace(inserted, "Group>", `Group Condition="'$(Platform)'=='x64'">`, 1))
}

func TestPlaceTwoDefines(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n-- s/sources --\nTARGETTYPE=DRIVER\nC_DEFINES=-DA\nSOURCES=..\\a.c\n")
	put(t, "p.vcxproj", projectText("Debug|x64", compiled))
	put(t, "q.vcxproj", projectText("Debug|x64", definitions("", "A;"+inherit)+compiled))
	tr := newTree(t, ".")
	s := load(t, LoadOptions{})
	var want []Want
	for _, b := range s.Builds {
		want = append(want, Want{Build: b, Name: "ONE", Value: "1"}, Want{Build: b, Name: "TWO", Value: "x"})
	}
	edits, err := place(tr, want, nil)
	if err != nil {
		t.Fatal(err)
	}
	added, _ := applied(t, tr, edits)
	equal(t, "added", added, strings.Replace(inserted, "POOL_NX_OPTIN=1", "ONE=1;TWO=x", 1)+"\n"+spliced("A;ONE=1;TWO=x;"+inherit)+
		"\nC_DEFINES=-DA -DONE=1 -DTWO=x")
}

func TestPlaceRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		files map[string]string
		named string
		want  string // IDs that contain it
		why   string
	}{
		{"no build file", map[string]string{"a.c": ""}, ".", "", "there is no build file to define POOL_NX_OPTIN in"},
		{"undefined", map[string]string{"p.vcxproj": projectText("Debug|x64", strings.Replace(definitions("", "A;"+inherit), "      <Pre",
			"      <UndefinePreprocessorDefinitions>POOL_NX_OPTIN</UndefinePreprocessorDefinitions>\n      <Pre", 1)+compiled)}, ".", all, "would still lack POOL_NX_OPTIN=1"},
		{"otherwise defined", map[string]string{"p.vcxproj": projectText("Debug|x64", definitions("", "A;"+inherit)+
			definitions("", "POOL_NX_OPTIN=0;"+inherit)+strings.ReplaceAll(definitions("", "/DPOOL_NX_OPTIN=2"), "PreprocessorDefinitions", "AdditionalOptions")+compiled)}, ".", all, "would still lack"},
		{"serves another too", map[string]string{"p.vcxproj": projectText(two, definitions("", "A")+compiled)}, ".", debugOnly, "it serves p.vcxproj|Release|Win32 too"},
		{"outside", map[string]string{"drv/p.vcxproj": projectText("Debug|x64", "  <ItemDefinitionGroup>\n    <Link />\n  </ItemDefinitionGroup>\n  <Import Project=\"..\\s.props\" />\n"+strings.ReplaceAll(compiled, "a.c", "..\\a.c")),
			"s.props": "<Project>" + definitions("", "A") + "</Project>"}, "drv", "p.vcxproj", "it lies outside of what was named"},
		{"only some SOURCES builds", map[string]string{"sources": "TARGETTYPE=DRIVER\nC_DEFINES=-DA\nSOURCES=a.c\n"}, ".", "amd64", "too"},
		{"some SOURCES builds, nothing there", map[string]string{"sources": "TARGETTYPE=DRIVER\nSOURCES=a.c\n"}, ".", "amd64", "what would be inserted changes sources|free|x86 too"},
		{"sheet of another", map[string]string{"p.vcxproj": projectText("Debug|x64", "  <ItemDefinitionGroup>\n    <Link />\n  </ItemDefinitionGroup>\n  <Import Project=\"s.props\" />\n"+compiled), "q.vcxproj": projectText("Debug|x64", "  <Import Project=\"s.props\" />\n"+compiled),
			"s.props": "<Project>\n" + definitions("", "A") + "</Project>"}, ".", all, "s.props:4:7 sets its defines, but it serves q.vcxproj|Debug|x64 too"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n")
			for name, data := range c.files {
				put(t, name, data)
			}
			tr := newTree(t, c.named)
			s := load(t, LoadOptions{}, c.named)
			edits, err := place(tr, wantAll(s, c.want), nil)
			if err == nil || !strings.Contains(err.Error(), c.why) {
				t.Errorf("edits %v, error %v; want %s", edits, err, c.why)
			}
		})
	}
}

func TestPlaceWithoutBuildFile(t *testing.T) {
	write(t, "-- drv/a.c --\n-- drv/d.h --\n"+header)
	tr := newTree(t, "drv")
	s := load(t, LoadOptions{}, "drv")
	edits, err := place(tr, wantAll(s, "drv"), headsAt(t, tr, s, "drv/d.h", "#include"))
	added, _ := applied(t, tr, edits)
	equal(t, fmt.Sprint("in its header ", err), added, "#define POOL_NX_OPTIN 1")

	s = load(t, LoadOptions{Defines: []string{optIn}}, "drv")
	edits, err = place(tr, wantAll(s, "drv"), nil)
	equal(t, fmt.Sprint("given by the user ", err), len(edits), 0)
}

func TestPlaceOfAnotherSet(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", projectText("Debug|x64", compiled))
	a, b := load(t, LoadOptions{}), load(t, LoadOptions{})
	if _, err := place(newTree(t, "."), append(wantAll(a, all), wantAll(b, all)...), nil); err == nil {
		t.Error("builds of two sets were accepted")
	}
	if _, err := place(newTree(t, "."), []Want{{Build: &Build{}, Name: optIn, Value: "1"}}, nil); err == nil {
		t.Error("a build of no set was accepted")
	}
	if edits, err := place(newTree(t, "."), nil, nil); err != nil || edits != nil {
		t.Error(edits, err)
	}
}

// What is written keeps the byte order mark, the newlines and a missing last one.
func TestPlaceWritesBack(t *testing.T) {
	write(t, "-- a.c --\n-- b.c --\n")
	put(t, "p.vcxproj", bom+strings.ReplaceAll(strings.TrimSuffix(projectText(two, definitions("Debug|x64", "A")+compiled), "\n"), "\n", "\r\n"))
	tr := newTree(t, ".")
	edits, err := place(tr, wantAll(load(t, LoadOptions{}), all), nil)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := edit.Apply(tr.Read, edits)
	if err == nil {
		err = edit.Write([]string{"."}, changes)
	}
	if err != nil {
		t.Fatal(err)
	}
	checkAfter(t, newTree(t, "."), all)
	data, _ := os.ReadFile(filepath.FromSlash("p.vcxproj"))
	if !bytes.HasPrefix(data, []byte(bom)) || bytes.HasSuffix(data, []byte("\n")) || bytes.Count(data, []byte("\n")) != bytes.Count(data, []byte("\r\n")) {
		t.Errorf("the file's style is lost: %q", data)
	}
}
