package source

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

const tangled = `
-- a.c --
#include "a.h"
PVOID ExAllocatePool(POOL_TYPE Type, SIZE_T Size);
void DriverEntry(void)
{
    USED(1);
    ExAllocatePool(NonPagedPool, 2);
    Object->ExAllocatePool(NonPagedPool, 3);
#if 0
    ExAllocatePool(NonPagedPool, 4);
#elif defined(A)
    ExAllocatePool(NonPagedPool, 5);
#else
    ExAllocatePool(NonPagedPool, 6);
#endif
    // ExAllocatePool(NonPagedPool, 7);
}
-- a.h --
#define USED(n) ExAllocatePool(NonPagedPool, n)
#define UNUSED(n) ExAllocatePool(NonPagedPool, \\
    ExAllocatePool(NonPagedPool, n))
#define ExAllocatePoolWithTag(a, b, c) 0
-- b.c --
void Other(void) { ExAllocatePool(NonPagedPool, 8); }
-- notes.txt --
ExAllocatePool(NonPagedPool, 9);
`

// Every name of a DDI in front of a parenthesis is accounted for.
func TestAccount(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, f := range txtar.Parse([]byte(tangled)).Files {
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tr, err := tree.New([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	o := &project.Options{Processor: nx.X64, Language: project.C}
	b := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}, Units: []*project.Unit{{Path: "a.c", Options: o}}}
	r := readAll(t, tr, b, ".")
	var got []string
	for _, s := range r.Dormant {
		line := fmt.Sprintf("%s:%d:%d %s", s.Place.Path, s.Place.Line, s.Place.Column, s.State)
		for _, step := range s.Value.Steps {
			line += fmt.Sprintf(" [%d %s]", step.Line, step.Says)
		}
		got = append(got, line)
	}
	check(t, strings.Join(got, "\n"), `
a.c:9:5 inactive [8 #if 0]
a.c:11:5 inactive [10 #elif defined(A)]
a.h:2:19 unexpanded [2 in the body of the macro UNUSED]
a.h:3:5 unexpanded [2 in the body of the macro UNUSED]
b.c:1:20 unbuilt`)
	if n := len(r.Images[0].Sites); n != 3 {
		t.Errorf("%d sites, want those of lines 5, 6 and 13", n)
	}
	var declared []string
	for _, p := range r.Declarations {
		declared = append(declared, p.String())
	}
	check(t, strings.Join(declared, "\n"), "a.c:2:7\na.c:7:13\na.h:4:9") // the prototype, the method, the macro
}

// In text that no unit was read of, what declares a DDI is told from what calls it by its surroundings.
func TestDeclaresAt(t *testing.T) {
	for _, tt := range []struct {
		text string
		want bool
	}{
		{"PVOID NTAPI ExAllocatePool(POOL_TYPE Type, SIZE_T Size);", true},
		{"NTSYSCALLAPI NTSTATUS\nNTAPI\nExAllocatePool\n(\n_In_ POOL_TYPE Type\n);", true},
		{"PVOID ExAllocatePool(POOL_TYPE, SIZE_T);", true},
		{"void *ExAllocatePool(POOL_TYPE Type, SIZE_T Size) { return 0; }", true},
		{"int ExAllocatePool();", true},
		{"p = ExAllocatePool(NonPagedPool, 8);", false},
		{"return ExAllocatePool(Type, Size);", false},
		{"else ExAllocatePool(NonPagedPool, 8);", false},
		{"p = (PVOID)ExAllocatePool(NonPagedPool, 8);", false},
		{"n = 2 * ExAllocatePool(Type, Size);", false},
		{"; ExAllocatePool(NonPagedPool, 8);", false},
		{"DBG ExAllocatePool(PagedPool, 8);", false},
		{"DBG ExAllocatePool(type, size);", false},
		{"ExAllocatePool(", false},
	} {
		f := newText("", "", tt.text)
		i := 0
		for !f.token(i).is("ExAllocatePool") {
			i++
		}
		if got := declaresAt(f, i); got != tt.want {
			t.Errorf("%q declares: %t", tt.text, got)
		}
	}
}
