package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
	"github.com/rogpeppe/go-internal/txtar"
)

// read reads a driver given as a txtar archive: every .c and .cpp file is a unit. Macros are those of the command line.
func read(t *testing.T, archive string, macros ...string) driver.Image {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	b := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry", "DllInitialize"}}}
	options := map[project.Language]*project.Options{}
	for _, lang := range []project.Language{project.C, project.CXX} {
		o := &project.Options{Processor: nx.X64, Language: lang, Includes: []string{"inc"}}
		for _, m := range macros {
			name, value, ok := strings.Cut(m, "=")
			if !ok {
				value = "1"
			}
			o.Defines = append(o.Defines, project.Define{Name: name, Value: value})
		}
		options[lang] = o
	}
	for _, f := range txtar.Parse([]byte(archive)).Files {
		overlay[f.Name] = f.Data
		switch {
		case strings.HasSuffix(f.Name, ".c"):
			b.Units = append(b.Units, &project.Unit{Path: f.Name, Options: options[project.C]})
		case strings.HasSuffix(f.Name, ".cpp"):
			b.Units = append(b.Units, &project.Unit{Path: f.Name, Options: options[project.CXX]})
		}
	}
	return readAll(t, tr.With(overlay), b).Images[0]
}

// readingsDiffer says how two readings differ, also in what they point to.
func readingsDiffer(whole, part any) string {
	return cmp.Diff(whole, part, cmpopts.EquateEmpty(), cmp.AllowUnexported(project.Skipped{}))
}

// readAll reads a build, in part and all of the text, which must be the same.
func readAll(t *testing.T, tr *tree.Tree, b *project.Build, named ...string) Result {
	t.Helper()
	whole := Read(tr, []*project.Build{b}, Options{DDIs: nx.DDIs(), Named: named, Whole: true})
	defer func() {
		part := Read(tr, []*project.Build{b}, Options{DDIs: nx.DDIs(), Named: named})
		if d := readingsDiffer(whole, part); d != "" {
			t.Errorf("all of the text says otherwise than the part that was read (-whole +part):\n%s", d)
		}
	}()
	r := Read(tr, []*project.Build{b}, Options{DDIs: nx.DDIs(), Jobs: 2, Named: named})
	for _, u := range r.Unreadable {
		t.Errorf("unreadable: %s", u.Why)
	}
	return r
}

// show gives the sites of an image, one a line: place, function, DDI(argument) and the value on Windows 7 and 10.
func show(m driver.Image) string {
	var b strings.Builder
	for _, s := range m.Sites {
		fmt.Fprintf(&b, "%s:%d:%d %s %s(%s) 7=%v 10=%v", s.Place.Path, s.Place.Line, s.Place.Column, s.Function, s.DDI.Name,
			s.Argument, s.On(nx.Windows7).Values, s.On(nx.Windows10).Values)
		if s.Value.Unknown != "" {
			fmt.Fprintf(&b, " unknown: %s", s.Value.Unknown)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func check(t *testing.T, got, want string) {
	t.Helper()
	if got, want := strings.TrimSpace(got), strings.TrimSpace(want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

const wrapped = `
-- drv.h --
#define OPT 1
#include <ntddk.h>
#define DRV_NEW(n) ExAllocatePoolWithTag(NonPagedPool, n, 'wNrD')
PVOID DrvAlloc(POOL_TYPE Type, SIZE_T Size);
-- a.c --
#include "drv.h"
NTSTATUS DriverEntry(PDRIVER_OBJECT Object, PUNICODE_STRING Path)
{
    PVOID p = DrvAlloc(NonPagedPool, 10);
    PVOID q = DrvAlloc(PagedPool, 10);
    p = DRV_NEW(3);
    q = ExAllocatePool(Object ? PagedPool : NonPagedPool, 5);
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, 16, 'kaLD', 0);
    p = MmGetSystemAddressForMdlSafe(Mdl, NormalPagePriority);
    return 0;
}
-- b.c --
#include "drv.h"
PVOID DrvAlloc(POOL_TYPE Type, SIZE_T Size) {
    return ExAllocatePoolWithTag((POOL_TYPE)(Type | POOL_COLD_ALLOCATION), Size, 'colA');
}
`

func TestRequests(t *testing.T) {
	for _, tt := range []struct {
		name   string
		macros []string
		want   string
	}{
		{"plain", nil, `
a.c:6:9 DriverEntry ExAllocatePoolWithTag(NonPagedPool) 7=[0] 10=[0]
a.c:7:9 DriverEntry ExAllocatePool(Object ? PagedPool : NonPagedPool) 7=[0 1] 10=[0 1]
a.c:8:5 DriverEntry ExInitializeNPagedLookasideList(0) 7=[0] 10=[0]
a.c:9:9 DriverEntry MmGetSystemAddressForMdlSafe(NormalPagePriority) 7=[16] 10=[16]
b.c:3:12 DrvAlloc ExAllocatePoolWithTag((POOL_TYPE)(Type | POOL_COLD_ALLOCATION)) 7=[256 257] 10=[256 257]`},
		{"optin without call", []string{"POOL_NX_OPTIN"}, `
a.c:6:9 DriverEntry ExAllocatePoolWithTag(NonPagedPool) 7=[0] 10=[0]
a.c:7:9 DriverEntry ExAllocatePool(Object ? PagedPool : NonPagedPool) 7=[0 1] 10=[0 1]
a.c:8:5 DriverEntry ExInitializeNPagedLookasideList(0) 7=[0] 10=[0]
a.c:9:9 DriverEntry MmGetSystemAddressForMdlSafe(NormalPagePriority) 7=[16] 10=[16]
b.c:3:12 DrvAlloc ExAllocatePoolWithTag((POOL_TYPE)(Type | POOL_COLD_ALLOCATION)) 7=[256 257] 10=[256 257]`},
		{"optin-auto", []string{"POOL_NX_OPTIN_AUTO"}, `
a.c:6:9 DriverEntry ExAllocatePoolWithTag(NonPagedPool) 7=[512] 10=[512]
a.c:7:9 DriverEntry ExAllocatePool(Object ? PagedPool : NonPagedPool) 7=[1 512] 10=[1 512]
a.c:8:5 DriverEntry ExInitializeNPagedLookasideList(0) 7=[512] 10=[512]
a.c:9:9 DriverEntry MmGetSystemAddressForMdlSafe(NormalPagePriority) 7=[1073741840] 10=[1073741840]
b.c:3:12 DrvAlloc ExAllocatePoolWithTag((POOL_TYPE)(Type | POOL_COLD_ALLOCATION)) 7=[257 768] 10=[257 768]`},
		{"opted out", []string{"POOL_NX_OPTIN_AUTO", "POOL_NX_OPTOUT=1"}, `
a.c:6:9 DriverEntry ExAllocatePoolWithTag(NonPagedPool) 7=[0] 10=[0]
a.c:7:9 DriverEntry ExAllocatePool(Object ? PagedPool : NonPagedPool) 7=[0 1] 10=[0 1]
a.c:8:5 DriverEntry ExInitializeNPagedLookasideList(0) 7=[0] 10=[0]
a.c:9:9 DriverEntry MmGetSystemAddressForMdlSafe(NormalPagePriority) 7=[16] 10=[16]
b.c:3:12 DrvAlloc ExAllocatePoolWithTag((POOL_TYPE)(Type | POOL_COLD_ALLOCATION)) 7=[256 257] 10=[256 257]`},
	} {
		t.Run(tt.name, func(t *testing.T) { check(t, show(read(t, wrapped, tt.macros...)), tt.want) })
	}
}
