package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/nx"
)

// asks are the code of an entry routine that asks for a pool type, as a compiler for x64 has it, and returns.
func asks(poolType byte) []byte {
	// mov ecx, poolType; call [ExAllocatePoolWithTag]; ret
	return []byte{0xb9, poolType, 0, 0, 0, 0xff, 0x15, 0xf5, 0x0f, 0, 0, 0xc3}
}

func x64(poolType byte) []byte {
	return imagetest.Build(nx.X64, asks(poolType), "ExAllocatePoolWithTag", "ExFreePoolWithTag")
}

// packed is a driver whose section a packer has named.
func packed() []byte {
	b := x64(1)
	copy(b[imagetest.SectionsAt(nx.X64):], "UPX0\x00")
	return b
}

func unaligned() []byte {
	b := x64(1)
	binary.LittleEndian.PutUint32(b[imagetest.OptionalAt+32:], 0x80)
	return b
}

const paged = "#include <ntddk.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p)\n{\n    return ExAllocatePoolWithTag(PagedPool, 1, 2) ? 0 : 1;\n}\n"

// Built drivers on the command line: what is printed where, and the exit status.
func TestScanBuilt(t *testing.T) {
	files := map[string][]byte{
		"drivers/bad.sys": x64(0), "drivers/good.sys": x64(1), "drivers/sub/packed.sys": packed(), "layout/u.sys": unaligned(),
		"broken/a.sys": x64(0), "broken/z.sys": []byte("MZ"), "src/SOURCES": []byte("TARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c\n"),
		"src/drv.c": []byte(paged), "both/drv.c": []byte(paged), "both/drv.sys": x64(0), "empty/readme.txt": nil,
	}
	for _, c := range []struct {
		name, args string
		status     int
		out, errs  string // what is printed has each line of these, in this order
	}{
		{"one", "drivers/bad.sys", findings, "drivers/bad.sys: x64, linker 0.0, minimum Windows 7 (subsystem version 6.1), no opt-in found\n" +
			"0x1005: warning 0x2000: ExAllocatePoolWithTag asks for executable nonpaged pool\nVerdict:    executable requests\n", ""},
		{"one, without findings", "drivers/good.sys", clean, "    .text  0x1005    ExAllocatePoolWithTag\nVerdict:    no finding\n", ""},
		{"several", "drivers/bad.sys drivers/good.sys", findings, "drivers/bad.sys   executable requests  1 of 1, ExAllocatePoolWithTag at 0x1005\n" +
			"drivers/good.sys  no finding           1 request, not executable from Windows 8 on\n2 drivers: 1 executable requests, 1 no finding\n", ""},
		{"a directory", "drivers", findings, "drivers/bad.sys         executable\ndrivers/good.sys        no finding\ndrivers/sub/packed.sys  not judged  ", ""},
		{"one that can't be read", "broken", unusable, "broken/a.sys  executable requests\nbroken/z.sys  unreadable\n", "nxport: broken/z.sys: no PE image"},
		{"an error fails", "--fail-on error layout", findings, "layout/u.sys  layout               the section alignment is 0x80", ""},
		{"a warning does not", "--fail-on error drivers/bad.sys", clean, "Verdict:    executable requests", ""},
		{"for Windows 7 only", "--windows 6.1 drivers/bad.sys", clean, "  0 (executable) on Windows 7\nVerdict:    no finding\nWhy:        1 request, judged for no Windows that has no-execute pool", ""},
		{"json", "--format json drivers/bad.sys", findings, `{"type":"image","path":"drivers/bad.sys","arch":"x64"` + "\n" +
			`{"type":"site","witness":"image","path":"drivers/bad.sys","section":".text","rva":4101` + "\n" +
			`{"type":"finding","rule":"0x2000"` + "\n" + `{"type":"summary","images":1`, ""},
		{"msbuild", "--format msbuild drivers", findings, "drivers/bad.sys : warning 0x2000: ", ""},
		{"sarif", "--format sarif drivers", findings, `"ruleId":"0x2000"`, ""},
		{"to a file", "-o out.txt drivers", findings, "", ""},
		{"with its source", "src both/drv.sys", findings, "src/SOURCES (free|x86, \nboth/drv.sys: x64\n0x1005: warning NX0021: ExAllocatePoolWithTag passes something else " +
			"than its source at src/drv.c:4: on Windows 7 the source passes 0x1, the image 0x0\nBeside src/SOURCES|free|amd64: 1 disagree\nVerdict:    differs from source", ""},
		{"with its source, agreeing", "--fail-on never src drivers/good.sys", clean, "Beside src/SOURCES|free|amd64: 1 agree\nVerdict:    no finding", ""},
		{"with its source, of which no build is chosen", "--config free|x86 src drivers/good.sys", unusable,
			"Not held against the source: no build of a driver for x64", "nxport: drivers/good.sys: not held against the source: no build of a driver for x64"},
		{"source and driver in a directory", "both", findings, "both: 1 request, 0 executable on Windows 10\nNext:  nothing has to be done\nboth/drv.sys  executable requests", ""},
		{"with its source, as sarif", "--format sarif --fail-on never src drivers/good.sys", clean, `"results":[]}` + "\n" + `"results":[`, ""},
		{"neither", "empty", unusable, "skipped empty: holds no driver", "no driver found: name a directory with a build file of a driver, with C sources or with built drivers (.sys)"},
		{"no such file", "none.sys", unusable, "", "none.sys: no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, data := range files {
				if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(name, data, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr bytes.Buffer
			if status := run(append([]string{"scan"}, strings.Fields(c.args)...), &stdout, &stderr); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			inOrder(t, stdout.String(), c.out)
			inOrder(t, stderr.String(), c.errs)
			if strings.Contains(c.args, "sarif") && !json.Valid(stdout.Bytes()) {
				t.Error("this is no JSON")
			}
			if c.errs == "" && stderr.Len() > 0 || c.out == "" && stdout.Len() > 0 {
				t.Errorf("also printed:\n%s%s", stdout.String(), stderr.String())
			}
		})
	}
}

// inOrder says whether a text has the lines, or parts of them, in that order.
func inOrder(t *testing.T, text, lines string) {
	t.Helper()
	rest := text
	for _, line := range strings.FieldsFunc(lines, func(c rune) bool { return c == '\n' }) {
		_, behind, ok := strings.Cut(rest, line)
		if !ok {
			t.Errorf("no %q, or not in order, in\n%.4000s", line, text)
			return
		}
		rest = behind
	}
}
