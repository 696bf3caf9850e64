package compiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

// kit is as much of a kit as the drivers of this test need. It is found without regard to case.
const kit = `
-- kit/WDM.h --
#pragma once
typedef enum { NonPagedPool, PagedPool, NonPagedPoolNx = 512 } POOL_TYPE;
extern "C" POOL_TYPE ExDefaultNonPagedPoolType;
extern "C" void *ExAllocatePool(POOL_TYPE Type, unsigned Size);
static inline void ExInitializeDriverRuntime(int Flags) { }
#define DrvRtPoolNxOptIn 1
#if POOL_NX_OPTIN
#define NonPagedPool ExDefaultNonPagedPoolType
#endif
-- kit/ntddk.h --
#include <wdm.H>
`

const driver = `
-- drv/drv.vcxproj --
<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemGroup>
    <ClCompile Include="drv.cpp" />
    <ClCompile Include="other.cpp" />
  </ItemGroup>
</Project>
-- drv/drv.cpp --
#include <NTDDK.h>
#include "drv.tmh"
extern "C" int DriverEntry(void *o, void *r)
{
    return ExAllocatePool(NonPagedPool, 1) ? 0 : 1;
}
int Broken = Nowhere;
-- drv/other.cpp --
#include <ntddk.h>
#include "..\generated\x.h"
void *Get() { return ExAllocatePool(PagedPool, 1); }
`

func unpack(t *testing.T, archive string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for _, f := range txtar.Parse([]byte(archive)).Files {
		if err := os.MkdirAll(filepath.Dir(f.Name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(f.Name, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// compiled ports the tree, makes of what was written what it will, and compiles both.
func compiled(t *testing.T, archive string, spoil func([]edit.Change)) Outcome {
	t.Helper()
	if testing.Short() {
		t.Skip("this needs clang")
	}
	unpack(t, archive)
	o := scan.Options{DDIs: nx.DDIs(), Jobs: 1}
	r, err := port.Run([]string{"drv"}, port.OptIn, o)
	if err != nil {
		t.Fatal(err)
	}
	spoil(r.Changes)
	out, err := Run("drv", "drv", r, Compiler{Command: []string{"clang-19"}, Kit: []string{"kit"}, Jobs: 2}, o)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// An error that was there before is none of the port's, though its line moves; headers that other tools generate are no error.
func TestNothingNew(t *testing.T) {
	out := compiled(t, kit+driver, func([]edit.Change) {})
	if out.Failed() || out.Builds != 1 || out.Units != 2 || out.Clean != 1 || out.Stopped != 0 || out.Before != 1 || out.After != 1 {
		t.Errorf("%+v", out)
	}
	if data, err := os.ReadFile("drv/drv.cpp"); err != nil || strings.Contains(string(data), "ExInitializeDriverRuntime") {
		t.Errorf("the tree was written: %s, %v", data, err)
	}
}

// What the port brings up is new, be it by the text or by the define alone, and the same once more.
func TestNew(t *testing.T) {
	enum := strings.Replace(driver, "void *Get()", "#if POOL_NX_OPTIN\nint Twice = Nowhere;\n#endif\nvoid *Get()", 1)
	for _, tt := range []struct {
		name, tree, old, new, want string
	}{
		{"the text", driver, "ExInitializeDriverRuntime(Drv", "ExInitializeDriverRuntime(Div", "drv/drv.cpp:5:31: use of undeclared identifier 'DivRtPoolNxOptIn'"},
		{"once more", driver, "int Broken = Nowhere;", "int Broken = Nowhere; int Again = Nowhere;", "drv/drv.cpp:8:"},
		{"the define", enum, "", "", "drv/other.cpp:4:13: use of undeclared identifier 'Nowhere'"},
	} {
		out := compiled(t, kit+tt.tree, func(changes []edit.Change) {
			for i, c := range changes {
				changes[i].New = []byte(strings.Replace(string(c.New), tt.old, tt.new, 1))
			}
		})
		if !out.Failed() || len(out.New) != 1 || !strings.HasPrefix(out.New[0].String(), tt.want) || !strings.HasSuffix(out.New[0].String(), "(drv/drv.vcxproj|Release|x64)") {
			t.Errorf("%s: new %v, want %s", tt.name, out.New, tt.want)
		}
		var b strings.Builder
		if err := Print(&b, []Outcome{out}); err != nil || !strings.Contains(b.String(), "\n  new: "+tt.want) {
			t.Errorf("printed %s, %v", b.String(), err)
		}
	}
}

// Where the kit can't be read for want of something, what else can't be read of it is no fault of the port.
func TestBlind(t *testing.T) {
	blind := strings.Replace(kit, "#if POOL_NX_OPTIN\n", "SIZE_T a;\n#if POOL_NX_OPTIN\nSIZE_T b;\n", 1)
	out := compiled(t, blind+driver, func([]edit.Change) {})
	if out.Failed() || out.Blind != 2 || out.Before != 3 || out.After != 5 {
		t.Errorf("%+v", out)
	}
	out = compiled(t, strings.Replace(blind, "SIZE_T a;\n", "", 1)+driver, func([]edit.Change) {})
	if len(out.New) != 1 || out.Blind != 0 {
		t.Errorf("%+v", out)
	}
}

// A compiler that is not there, or that falls over, is no clean bill.
func TestCompilerFails(t *testing.T) {
	if testing.Short() {
		t.Skip("this runs another program")
	}
	unpack(t, driver)
	o := scan.Options{DDIs: nx.DDIs(), Jobs: 1}
	r, err := port.Run([]string{"drv"}, port.OptIn, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run("drv", "drv", r, Compiler{Command: []string{"no-such-compiler"}, Jobs: 1}, o); err == nil {
		t.Error("no error without a compiler")
	}
	out, err := Run("drv", "drv", r, Compiler{Command: []string{"false"}, Jobs: 1}, o)
	if err != nil || out.Clean != 0 || out.Stopped != 2 {
		t.Errorf("%+v, %v", out, err)
	}
}

func TestStubsStayInside(t *testing.T) {
	dir := filepath.Join(t.TempDir(), stubs)
	for name, want := range map[string]bool{"a.h": true, `..\..\gen\a.h`: true, "../../../../../a.h": false, "/tmp/a.h": false} {
		if got := stub(dir, name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
