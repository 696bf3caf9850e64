package project

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/tree"
	"github.com/rogpeppe/go-internal/txtar"
)

// projectText gives a project for the configurations, separated by spaces, with a body after the properties that
// make it a driver. The body's lines are indented as in a project.
func projectText(configurations, body string) string {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<Project DefaultTargets=\"Build\">\n")
	b.WriteString("  <ItemGroup Label=\"ProjectConfigurations\">\n")
	for _, c := range strings.Fields(configurations) {
		fmt.Fprintf(&b, "    <ProjectConfiguration Include=%q />\n", c)
	}
	b.WriteString("  </ItemGroup>\n  <Import Project=\"$(VCTargetsPath)\\Microsoft.Cpp.Default.props\" />\n")
	b.WriteString("  <PropertyGroup Label=\"Configuration\">\n    <ConfigurationType>Driver</ConfigurationType>\n  </PropertyGroup>\n")
	b.WriteString("  <Import Project=\"$(VCTargetsPath)\\Microsoft.Cpp.props\" />\n")
	b.WriteString(body)
	b.WriteString("  <Import Project=\"$(VCTargetsPath)\\Microsoft.Cpp.targets\" />\n</Project>\n")
	return b.String()
}

// write puts files, as txtar, into a new directory, which becomes the working one.
func write(t testing.TB, archive string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for _, f := range txtar.Parse([]byte(archive)).Files {
		put(t, f.Name, string(f.Data))
	}
}

func put(t testing.TB, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o666); err != nil {
		t.Fatal(err)
	}
}

func newTree(t testing.TB, named ...string) *tree.Tree {
	t.Helper()
	tr, err := tree.New(named)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

// place is Place with what is left over as its error.
func place(t *tree.Tree, want []Want, heads map[*Unit]Head) ([]edit.Edit, error) {
	edits, left, err := Place(t, want, heads, nil)
	for _, u := range left {
		err = errors.Join(err, errors.New(u.Why))
	}
	return edits, err
}

// load loads the named paths, the working directory by default, and wants no error.
func load(t testing.TB, o LoadOptions, named ...string) *Set {
	t.Helper()
	if len(named) == 0 {
		named = []string{"."}
	}
	s, err := Load(newTree(t, named...), named, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// evaluationOf gives an evaluation of p.vcxproj, in the working directory, with some properties.
func evaluationOf(t testing.TB, properties map[string]string) *evaluation {
	t.Helper()
	root, err := parseXML("p.vcxproj", []byte("<Project/>"))
	if err != nil {
		t.Fatal(err)
	}
	e := newEvaluation(newReader(newTree(t, ".")), "p.vcxproj", root, "", "")
	for name, value := range properties {
		e.properties[strings.ToLower(name)] = plain(value)
	}
	return e
}

// find gives the build of that ID.
func find(t testing.TB, s *Set, id string) *Build {
	t.Helper()
	for _, b := range s.Builds {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("no build %s among %s; skipped %v, unreadable %v", id, ids(s), s.Skipped, s.Unreadable)
	return nil
}

func ids(s *Set) string {
	var list []string
	for _, b := range s.Builds {
		list = append(list, b.ID)
	}
	return strings.Join(list, " ")
}

func (b *Build) unitOf(t testing.TB, path string) *Unit {
	t.Helper()
	for _, u := range b.Units {
		if u.Path == path {
			return u
		}
	}
	t.Fatalf("%s has no unit %s", b.ID, path)
	return nil
}

// own gives the defines that build files say.
func own(u *Unit) string {
	var list []string
	for _, d := range u.Options.Defines {
		if d.Place.Path != "" {
			list = append(list, d.text())
		}
	}
	return strings.Join(list, " ")
}

func notes(b *Build) string {
	var list []string
	for _, n := range b.Notes {
		list = append(list, n.Place.String()+": "+n.Says)
	}
	return strings.Join(list, "\n")
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %v\nwant %v", what, got, want)
	}
}
