package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A driver of one file that asks for more than its source now says: the image is of another source.
const staleDriver = `#include <ntddk.h>
static VOID Unload(PDRIVER_OBJECT Driver) { UNREFERENCED_PARAMETER(Driver); }
NTSTATUS DriverEntry(PDRIVER_OBJECT Driver, PUNICODE_STRING Path)
{
    UNREFERENCED_PARAMETER(Path);
    Driver->DriverUnload = Unload;
    ExFreePool(ExAllocatePoolWithTag(NonPagedPool, 64, 'slas'));
    return STATUS_SUCCESS;
}
`

// With --source, trace holds a scan against what it sees: exit status 0 where they agree, 1 where they do not; what was seen before
// a driver crashes is shown, and the status is 2.
func TestTraceSource(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a driver and runs Wine")
	}
	for _, c := range []struct {
		name, built, source string
		status              int
		want                []string
	}{
		{"agrees", staleDriver, staleDriver, clean, []string{"agree ", "drv.c:7 DriverEntry\n", "Windows 7, scan of drv.c: 1 agree\n"}},
		{"another source", staleDriver, strings.Replace(staleDriver, "NonPagedPool", "PagedPool", 1), findings,
			[]string{"  disagree: drv.c:7 DriverEntry ExAllocatePoolWithTag: predicted 0x1, seen 0x0\n"}},
		{"crashes", strings.Replace(staleDriver, "return", "*(volatile int *)16 = 1;\n    return", 1), staleDriver, unusable,
			[]string{"Windows 7, scan of drv.c: 1 agree\n", "nxport: drv.sys: on Windows 7: it crashed after 1 request "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			write := func(text string) {
				if err := os.WriteFile("drv.c", []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			write(c.built)
			compileDriver(t)
			write(c.source)
			var stdout, stderr bytes.Buffer
			status := run([]string{"trace", "--windows", "6.1", "--source", "drv.c", "drv.sys"}, &stdout, &stderr)
			text := stdout.String() + stderr.String()
			if status != c.status {
				t.Errorf("status %d, want %d\n%s", status, c.status, text)
			}
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("no %q in\n%s", want, text)
				}
			}
		})
	}
}

// compileDriver makes drv.sys of drv.c.
func compileDriver(t *testing.T) {
	t.Helper()
	out, err := exec.Command("x86_64-w64-mingw32-gcc", "-O1", "-g", "-w", "-shared", "-nostdlib", "-Wl,--subsystem,native",
		"-Wl,--entry,DriverEntry", "-isystem", "/usr/share/mingw-w64/include/ddk", "-o", "drv.sys", "drv.c", "-lntoskrnl").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// A trace that is told to end, while a driver hangs, ends what runs and removes the prefix; what is left by one that is killed
// outright is removed by the next.
func TestTraceEnded(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a driver and runs Wine")
	}
	program := filepath.Join(t.TempDir(), "nxport")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Chdir(t.TempDir())
	if err := os.WriteFile("drv.c", []byte(strings.Replace(staleDriver, "return", "for (;;) { }\n    return", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	compileDriver(t)
	temporary := t.TempDir()
	for _, tt := range []struct {
		signal os.Signal
		left   int
	}{{syscall.SIGTERM, 0}, {syscall.SIGHUP, 0}, {os.Kill, 1}, {os.Interrupt, 0}} {
		cmd := exec.Command(program, "trace", "--windows", "10.0", "drv.sys")
		cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
		old := processesIn(temporary, "nxtrace")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// What starts the driver names it on its command line, and waits for it, which never is ready.
		isNew := func(process string) bool { return !slices.Contains(old, process) }
		for start := time.Now(); !slices.ContainsFunc(processesIn(temporary, "nxtrace"), isNew); time.Sleep(100 * time.Millisecond) {
			if time.Since(start) > time.Minute {
				t.Fatal("the driver was not loaded within a minute")
			}
		}
		time.Sleep(2 * time.Second)
		if err := cmd.Process.Signal(tt.signal); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		left, _ := filepath.Glob(filepath.Join(temporary, "nxport-trace-*"))
		if running := processesIn(temporary, ""); len(left) != tt.left || tt.left == 0 && len(running) > 0 {
			t.Errorf("after %v: left are %v, and run %v; want %d prefixes", tt.signal, left, running, tt.left)
		}
	}
}

// processesIn gives the processes that work in a prefix in that directory, of whose command lines name is a part.
func processesIn(temporary, name string) []string {
	var list []string
	environments, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range environments {
		env, _ := os.ReadFile(path)
		line, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		if strings.Contains(string(env), "WINEPREFIX="+temporary) && strings.Contains(string(line), name) {
			list = append(list, filepath.Dir(path))
		}
	}
	return list
}

// What is wrong with the source is said before Wine is started.
func TestTraceSourceWrong(t *testing.T) {
	project := func(name string, files ...string) string {
		dir := t.TempDir()
		for i := 0; i+1 < len(files); i += 2 {
			if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return filepath.Join(dir, name)
	}
	const sources = "TARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c\n"
	const checked = "#include <ntddk.h>\n#if DBG\n#define POOL PagedPool\n#else\n#define POOL NonPagedPool\n#endif\n" +
		"NTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p) { ExAllocatePool(POOL, 1); return 0; }\n"
	for _, c := range []struct{ name, source, config, want string }{
		{"no source", project("none.c"), "", "none.c"},
		{"builds differ", project("SOURCES", "SOURCES", sources, "drv.c", checked), "", "predict different requests: choose one with --config"},
		{"none for x64", project("SOURCES", "SOURCES", sources, "drv.c", checked), "free|x86", "no build of a driver for x64"},
		{"the driver comes next", project("SOURCES", "SOURCES", sources, "drv.c", checked), "free|amd64", "drv.sys"},
	} {
		var stderr bytes.Buffer
		args := []string{"trace", "--source", c.source, filepath.Join(t.TempDir(), "drv.sys")}
		if c.config != "" {
			args = append(args, "--config", c.config)
		}
		status := run(args, &bytes.Buffer{}, &stderr)
		if status != unusable || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: status %d, %q; want %d and %q", c.name, status, stderr.String(), unusable, c.want)
		}
	}
}
