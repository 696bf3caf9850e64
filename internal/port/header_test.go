package port

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/header"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
)

// gnuDriver is what gcc makes of some files.
func gnuDriver(flags string, objects ...string) string {
	return "-- Makefile --\nCC = x86_64-w64-mingw32-gcc\nCFLAGS = -DDRV " + flags + "\ndrv.sys: " + strings.Join(objects, " ") +
		"\n\t$(CC) -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry -o $@ $^ -lntoskrnl\n%.o: %.c\n\t$(CC) $(CFLAGS) -c $< -o $@\n"
}

const (
	gnuEntry   = "\nNTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)\n{\n    return ExAllocatePoolWithTag(NonPagedPool, 1, 1) ? 0 : 1;\n}\n"
	gnuRequest = "\nPVOID Get(void) { return ExAllocatePoolWithTag(NonPagedPool, 1, 1); }\n"
)

func withHeader() scan.Options {
	o := options()
	o.Header = true
	return o
}

// Where nxpool.h goes, and by which lines it is included.
func TestAddsHeader(t *testing.T) {
	const line = "+#include \"nxpool.h\""
	for _, tt := range []struct {
		name, tree string
		made       string // the path of the new nxpool.h
		added      string // the lines that hold "nxpool.h", by file
		call       bool   // the call is added, without a guard
	}{
		{"beside", gnuDriver("", "drv.o") + "-- drv.c --\n#include <ntddk.h>" + gnuEntry, "nxpool.h", "drv.c " + line, true},
		{"in every file", gnuDriver("", "drv.o", "get.o") + "-- drv.c --\n#include <ntddk.h>" + gnuEntry + "-- get.c --\n#include <wdm.h>" + gnuRequest, "nxpool.h",
			"drv.c " + line + ", get.c " + line, true},
		{"once in a header", gnuDriver("", "drv.o", "get.o") + "-- drv.c --\n#include \"d.h\"" + gnuEntry + "-- get.c --\n#include \"d.h\"" + gnuRequest +
			"-- d.h --\n#ifndef D_H\n#define D_H\n  #include <ntddk.h> /* all\n of it */\n#endif\n", "nxpool.h", "d.h +  #include \"nxpool.h\"", true},
		{"in a directory", gnuDriver("-Isys", "sys/drv.o") + "-- sys/drv.c --\n#include <ntddk.h>" + gnuEntry, "sys/nxpool.h", "sys/drv.c " + line, true},
		{"above two", gnuDriver("", "sys/drv.o", "lib/x/get.o") + "-- sys/drv.c --\n#include <ntddk.h>" + gnuEntry + "-- lib/x/get.c --\n#include <wdm.h>" + gnuRequest, "nxpool.h",
			"lib/x/get.c +#include \"../../nxpool.h\", sys/drv.c +#include \"../nxpool.h\"", true},
		{"beside the kit of another header", gnuDriver("", "drv.o") + "-- drv.c --\n#include <ndis.h>\n#include <ntddk.h>" + gnuEntry, "nxpool.h", "drv.c " + line, true},
		{"CRLF", gnuDriver("", "drv.o") + "-- drv.c --\n#include <ntddk.h>\r" + strings.ReplaceAll(gnuEntry, "\n", "\r\n")[1:], "nxpool.h", "drv.c " + line + "\r", true},
		{"at the end of a file", gnuDriver("", "drv.o") + "-- drv.c --\n#include \"d.h\"" + gnuEntry + "-- d.h --\n#include <ntddk.h>\n", "nxpool.h", "d.h " + line, true},
		{"one is there", gnuDriver("", "sys/drv.o") + "-- sys/drv.c --\n#include <ntddk.h>" + gnuEntry + "-- inc/nxpool.h --\n/* an older one */\n", "",
			"sys/drv.c +#include \"../inc/nxpool.h\"", true},
		{"the nearest", gnuDriver("", "sys/drv.o") + "-- sys/drv.c --\n#include <ntddk.h>" + gnuEntry + "-- inc/nxpool.h --\n\n-- sys/nxpool.h --\n\n", "", "sys/drv.c " + line, true},
		{"one file has it", gnuDriver("", "drv.o", "get.o") + "-- drv.c --\n#include <ntddk.h>\n#include \"inc/nxpool.h\"" + gnuEntry + "-- get.c --\n#include <wdm.h>" + gnuRequest +
			"-- inc/nxpool.h --\n\n", "", "get.c +#include \"inc/nxpool.h\"", true},
		{"all have it", gnuDriver("", "drv.o") + "-- drv.c --\n#include <ntddk.h>\n#include <nxpool.h>" + gnuEntry, "", "", true},
		{"forced", gnuDriver("-include ntddk.h -include nxpool.h", "drv.o") + "-- drv.c --\n" + gnuEntry, "", "", true},
		{"opted in without effect", gnuDriver("-DPOOL_NX_OPTIN=1", "drv.o") + "-- drv.c --\n#include <ntddk.h>" + strings.Replace(gnuEntry, "{\n",
			"{\n#ifdef NonPagedPool\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n#endif\n", 1), "nxpool.h", "drv.c " + line, false},
		{"a SOURCES that is ported", "-- sources --\nTARGETNAME=drv\nTARGETTYPE=DRIVER\nC_DEFINES=-DPOOL_NX_OPTIN=1\nSOURCES=drv.c\n-- drv.c --\n#include <ntddk.h>" +
			strings.Replace(gnuEntry, "{\n", "{\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n", 1), "nxpool.h", "drv.c " + line, false},
		{"a SOURCES", "-- sources --\nTARGETNAME=drv\nTARGETTYPE=DRIVER\nC_DEFINES=-DDRV\nSOURCES=drv.c\n-- drv.c --\n#include <ntddk.h>" + gnuEntry, "nxpool.h", "drv.c " + line, true},
		{"nothing to mend", gnuDriver("", "drv.o") + "-- drv.c --\n#include <ntddk.h>" + strings.Replace(gnuEntry, "NonPagedPool", "PagedPool", 1), "", "", false},
		{"a kit that has it all", projectOf("", "#include <ntddk.h>"+gnuEntry), "", "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := unpack(t, tt.tree)
			r := runWith(t, OptIn, withHeader())
			made, added, call := "", []string{}, false
			for _, c := range r.Changes {
				if c.Creates() {
					made = c.Path
					if text, err := os.ReadFile(c.Path); err != nil || string(text) != header.Text() {
						t.Errorf("%s: %v, or it is not what nxport header prints", c.Path, err)
					}
					continue
				}
				for l := range strings.SplitSeq(edit.Diff([]edit.Change{c}), "\n") {
					if strings.HasPrefix(l, "+#ifdef") {
						t.Errorf("a guard: %s", l)
					}
					call = call || strings.HasPrefix(l, "+    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);")
					if strings.HasPrefix(l, "+") && strings.Contains(l, "nxpool.h\"") {
						added = append(added, c.Path+" "+l)
					}
				}
			}
			if got := strings.Join(added, ", "); made != tt.made || got != tt.added || call != tt.call {
				t.Errorf("made %q, added %q, call %t; want %q, %q, %t", made, got, call, tt.made, tt.added, tt.call)
			}
			settled(t, a, r, tt.tree)
		})
	}
}

// settled checks that nothing is left of a port to do, or to warn of, and that its diff is undone to the byte.
func settled(t *testing.T, a *txtar.Archive, r *Result, before string) {
	t.Helper()
	if said := reported(r); len(r.Left) > 0 || strings.Contains(said, "warning") || strings.Contains(said, "with a kit that knows") {
		t.Errorf("left %v, says\n%s", r.Left, said)
	}
	again := runWith(t, OptIn, withHeader())
	if len(again.Changes) > 0 || strings.Contains(reported(again), "warning") {
		t.Errorf("a second port says\n%s\nand changes\n%s", reported(again), edit.Diff(again.Changes))
	}
	if scanned, err := scan.Run([]string{"."}, options()); err != nil || worth(scanned) > 0 || len(scanned.Dormant) > 0 {
		t.Errorf("a scan finds %v, %v, %v", scanned.Findings, scanned.Dormant, err)
	}
	if len(r.Changes) == 0 || testing.Short() {
		return
	}
	if err := os.WriteFile("port.diff", []byte(edit.Diff(r.Changes)), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("git", "apply", "-R", "port.diff").CombinedOutput(); err != nil {
		t.Fatalf("git apply -R: %v\n%s", err, out)
	}
	if got := pack(t, a); got != string(txtar.Format(txtar.Parse([]byte(before)))) {
		t.Errorf("undone, it is\n%s", got)
	}
	for _, c := range r.Changes {
		if _, err := os.Stat(c.Path); c.Creates() && !os.IsNotExist(err) {
			t.Errorf("undone, there is %s: %v", c.Path, err)
		}
	}
}

func worth(s *scan.Result) (n int) {
	for _, f := range s.Findings {
		if f.Level > rule.Note {
			n++
		}
	}
	return n
}

// Where it can't be put, that and what to do instead is said, and nothing is changed.
func TestHeaderHasNoPlace(t *testing.T) {
	for _, tt := range []struct{ name, tree, want string }{
		{"the kit is forced", gnuDriver("-include ntddk.h", "drv.o") + "-- drv.c --\n" + gnuEntry, "drv.c: its build file forces the kit's header onto it"},
		{"and what to add", gnuDriver("-include ntddk.h", "drv.o") + "-- drv.c --\n" + gnuEntry, "force nxpool.h behind the kit's, too (gcc: -include ntddk.h -include nxpool.h;"},
		{"a header that is missing", gnuDriver("", "drv.o") + "-- drv.c --\n#include \"precomp.h\"" + gnuEntry, "or a header that is missing brings it"},
		{"code of others", gnuDriver("", "drv.o") + "-- drv.c --\n#include \"third_party/kit.h\"" + gnuEntry + "-- third_party/kit.h --\n#include <ntddk.h>\n",
			"drv.c comes to the kit by third_party/kit.h, which is left alone: it lies in third_party"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			unpack(t, tt.tree)
			_, err := Run([]string{"."}, OptIn, withHeader())
			var refused *RefusedError
			if !errors.As(err, &refused) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// Where the define finds no place, nxpool.h alone is no port.
func TestHeaderAloneIsNoPort(t *testing.T) {
	unpack(t, strings.Replace(gnuDriver("", "drv.o"), "$(CFLAGS) -c", "$(CFLAGS) -UPOOL_NX_OPTIN -c", 1)+"-- drv.c --\n#include <ntddk.h>"+gnuEntry)
	r := runWith(t, OptIn, withHeader())
	if len(r.Changes) > 0 || len(r.Refused) != 1 || len(r.Left) != 1 {
		t.Errorf("refused %v, left %v, changed\n%s", r.Refused, r.Left, edit.Diff(r.Changes))
	}
}

// A driver of several files, headers and directories is ported, built by make and gcc, and its image has one pair of variables.
func TestHeaderIsBuilt(t *testing.T) {
	if testing.Short() {
		t.Skip("needs make and gcc for mingw-w64")
	}
	const tree = `-- drv/Makefile --
CC = x86_64-w64-mingw32-gcc
DDK = /usr/share/mingw-w64/include/ddk
CFLAGS = -O1 -Wall -Wextra -Werror -Wno-unused-parameter -isystem $(DDK) -Iinc

drv.sys: src/driver.o src/queue.o pool.o
	$(CC) -shared -nostdlib -Wl,--subsystem,native -Wl,--entry,DriverEntry -o $@ $^ -lntoskrnl

%.o: %.c
	$(CC) $(CFLAGS) -c $< -o $@
-- drv/inc/drv.h --
#ifndef DRV_H
#define DRV_H
#include <ntddk.h> /* the kit */
PVOID QueueNew(SIZE_T Size);
PVOID PoolNew(SIZE_T Size);
#endif
-- drv/src/driver.c --
#include "drv.h"
NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    PVOID Buffer;

    Buffer = ExAllocatePoolWithTag(NonPagedPool, 64, 1);
    return Buffer && QueueNew(32) && PoolNew(16) ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}
-- drv/src/queue.c --
#include "../inc/drv.h"
static NPAGED_LOOKASIDE_LIST List;
PVOID QueueNew(SIZE_T Size)
{
    ExInitializeNPagedLookasideList(&List, NULL, NULL, 0, Size, 2, 0);
    return ExAllocateFromNPagedLookasideList(&List);
}
-- drv/pool.c --
#include <wdm.h>
PVOID PoolNew(SIZE_T Size);
PVOID PoolNew(SIZE_T Size)
{
    return ExAllocatePoolWithTag(NonPagedPoolCacheAligned, Size, 3);
}
`
	for goal, want := range map[Goal]int{OptIn: 1, OptInAuto: 0} {
		t.Run(string(goal), func(t *testing.T) {
			text := tree
			if goal == OptInAuto {
				text = strings.Replace(tree, "CFLAGS = ", "CFLAGS = -D_WIN32_WINNT=0x0602 ", 1)
			}
			a := unpack(t, text)
			r := runWith(t, goal, withHeader())
			if goal == OptIn {
				defer settled(t, a, r, text)
			}
			command := func(name string, args ...string) string {
				out, err := exec.Command(name, args...).CombinedOutput()
				if err != nil {
					t.Fatalf("%s %v: %v\n%s", name, args, err, out)
				}
				return string(out)
			}
			command("make", "-C", "drv")
			symbols := command("x86_64-w64-mingw32-nm", filepath.Join("drv", "drv.sys"))
			for _, name := range []string{" ExDefaultNonPagedPoolType\n", " ExDefaultMdlProtection\n"} {
				if n := strings.Count(symbols, name); n != want {
					t.Errorf("the image has %d of%s", n, name)
				}
			}
			command("make", "-C", "drv", "-f", "-", "clean", "--eval=clean: ; rm -f drv.sys *.o */*.o")
		})
	}
}
