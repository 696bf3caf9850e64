package trace

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The image of these logs has its entry routine at 0x1016, is 0x8000 bytes long and was loaded at 0x270130000.
const (
	entered  = `00c8:Call driver init 0000000270131016 (obj=0000000000376080,str=L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\nxtrace")` + "\n"
	returned = `00c8:Ret  driver init 0000000270131016 (obj=0000000000376080,str=L"\\Registry\\Machine\\System\\CurrentControlSet\\Services\\nxtrace") retval=00000000` + "\n"
	alloc    = "00c8:Call ntoskrnl.exe.ExAllocatePoolWithTag(00000200,00000065,64636261) ret=270131081\n"
)

func readLog(t *testing.T, text string) *log {
	t.Helper()
	l := &log{entry: 0x1016, size: 0x8000}
	if err := l.read(strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLog(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []request // without ddi, which want's name stands for
		ddi        string
	}{
		{"one request", entered + alloc + returned, []request{{value: 512, size: 101, tag: "abcd", rva: 0x1081}},
			"ExAllocatePoolWithTag"},
		{"before the driver is entered", alloc + entered + returned, nil, ""},
		{"a jump from a routine that the kernel called", entered + strings.Replace(alloc, "270131081", "31caa3870", 1),
			[]request{{value: 512, size: 101, tag: "abcd"}}, "ExAllocatePoolWithTag"},
		{"the first byte behind the image", entered + strings.Replace(alloc, "270131081", "270138000", 1),
			[]request{{value: 512, size: 101, tag: "abcd"}}, "ExAllocatePoolWithTag"},
		{"the last byte before it", entered + strings.Replace(alloc, "270131081", "27012ffff", 1),
			[]request{{value: 512, size: 101, tag: "abcd"}}, "ExAllocatePoolWithTag"},
		{"the last byte of the image", entered + strings.Replace(alloc, "270131081", "270137fff", 1),
			[]request{{value: 512, size: 101, tag: "abcd", rva: 0x7fff}}, "ExAllocatePoolWithTag"},
		{"no DDI", entered + "00c8:Call ntoskrnl.exe.ExFreePool(014a0370) ret=27013106b\n" + returned, nil, ""},
		{"the return is no request", entered + "00c8:Ret  ntoskrnl.exe.ExAllocatePoolWithTag() retval=014a0370 ret=270131081\n",
			nil, ""},
		// The tag and the size were passed in wider registers, with the rests of other values above them.
		{"lookaside list", entered + "00c8:Call ntoskrnl.exe.ExInitializeNPagedLookasideList(270135000,00000000,00000000," +
			"700000200,000000c8,139393939,00000000) ret=2701310e4\n", []request{{value: 512, size: 200, tag: "9999", rva: 0x10e4}},
			"ExInitializeNPagedLookasideList"},
		{"mapping", entered + "00c8:Call ntoskrnl.exe.MmMapLockedPagesSpecifyCache(00376320,00000000,00000001,00000000," +
			"00000000,40000010) ret=2701311a6\n", []request{{value: 0x40000010, rva: 0x11a6}}, "MmMapLockedPagesSpecifyCache"},
		{"a tag that does not print", entered + strings.Replace(alloc, "64636261", "00002041", 1),
			[]request{{value: 512, size: 101, tag: "A ..", rva: 0x1081}}, "ExAllocatePoolWithTag"},
		{"a size above 4 GB", entered + strings.Replace(alloc, "00000065", "100000000", 1),
			[]request{{value: 512, size: 1 << 32, tag: "abcd", rva: 0x1081}}, "ExAllocatePoolWithTag"},
		{"a call while unloading", entered + returned + alloc, []request{{value: 512, size: 101, tag: "abcd", rva: 0x1081}},
			"ExAllocatePoolWithTag"},
		{"carriage returns, a torn line, no newline at the end", "\x00\xff\r\n" + entered + "00c8:Call ntoskrnl.exe.ExAll\r\n" +
			strings.TrimSpace(alloc), []request{{value: 512, size: 101, tag: "abcd", rva: 0x1081}}, "ExAllocatePoolWithTag"},
		{"missing arguments", entered + "00c8:Call ntoskrnl.exe.ExAllocatePoolWithTag() ret=270131081\n",
			[]request{{tag: "....", rva: 0x1081}}, "ExAllocatePoolWithTag"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := readLog(t, c.text).requests
			for i := range c.want {
				c.want[i].ddi = known()[c.ddi]
			}
			if len(got) != len(c.want) || len(got) == 1 && got[0] != c.want[0] {
				t.Errorf("\n got %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestFailureMessages(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"loaded", entered + alloc + returned, ""},
		{"not reached", alloc, "its entry routine was not reached"},
		{"status", entered + alloc + strings.Replace(returned, "=00000000\n", "=c000009a\n", 1), "returned 0xC000009A after 1 request:"},
		{"a warning is a success", entered + alloc + strings.Replace(returned, "=00000000\n", "=40000000\n", 1), ""},
		{"nothing seen", entered + returned, "no call of its was seen"},
		{"missing routine", entered + alloc +
			"wine: Call from 000000007B013D7E to unimplemented function ntoskrnl.exe.ExAllocatePool2, aborting\n",
			"it called ntoskrnl.exe.ExAllocatePool2, for which Wine has no code, after 1 request:"},
		{"missing library", `0098:err:module:import_dll Library WDFLDR.SYS (which is needed by ` +
			`L"C:\\windows\\system32\\drivers\\nxtrace.sys") not found` + "\n", "it needs WDFLDR.SYS"},
		{"another's missing library", `0098:err:module:import_dll Library X.DLL (which is needed by ` +
			`L"C:\\windows\\system32\\winspool.drv") not found` + "\n" + entered + alloc + returned, ""},
		{"fault", entered + alloc + "wine: Unhandled page fault on write access to 0000000000000008 at address " +
			"000000025FE11010 (thread 00c8), starting debugger...\n",
			"(Unhandled page fault on write access to 0000000000000008 at address 000000025FE11010)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			switch err := readLog(t, c.text).failure(); {
			case c.want == "" && err != nil:
				t.Errorf("got %v, want none", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

func TestLogLimits(t *testing.T) {
	l := &log{entry: 0x1016, size: 0x8000}
	if err := l.read(strings.NewReader(entered + strings.Repeat(alloc, maxRequests+5))); !errors.Is(err, errTooMuch) {
		t.Errorf("too many requests: got %v", err)
	}
	if len(l.requests) != maxRequests {
		t.Errorf("kept %d requests, want %d", len(l.requests), maxRequests)
	}
	if err := l.read(strings.NewReader(strings.Repeat("x", maxLine+1))); !errors.Is(err, errTooMuch) {
		t.Errorf("too long a line: got %v", err)
	}
}

// sysFile is the start of an x64 driver image.
func sysFile() []byte {
	const optional = 0x58
	b := make([]byte, 0x200)
	copy(b, "MZ")
	b[0x3c] = 0x40
	copy(b[0x40:], "PE\x00\x00\x64\x86")
	b[0x54] = 240 // its optional header's size
	binary.LittleEndian.PutUint16(b[optional:], 0x20b)
	binary.LittleEndian.PutUint32(b[optional+16:], 0x1016)
	binary.LittleEndian.PutUint32(b[optional+56:], 0x8000)
	binary.LittleEndian.PutUint16(b[optional+68:], 1)
	return b
}

func TestOpenDriver(t *testing.T) {
	dir := t.TempDir()
	if _, err := openDriver(filepath.Join(dir, "none.sys")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: got %v", err)
	}
	if _, err := openDriver(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("directory: got %v", err)
	}
	for _, c := range []struct {
		name   string
		change func(b []byte)
		want   string
	}{
		{"a driver", func([]byte) {}, ""},
		{"text", func(b []byte) { copy(b, "#!") }, "no PE image: want a built driver"},
		{"ARM64", func(b []byte) { copy(b[0x44:], "\x64\xaa") }, "d.sys: built for arm64: Wine loads x64 drivers only"},
		{"application", func(b []byte) { b[0x58+68] = 3 }, "d.sys: no kernel driver: its subsystem is 3"},
		{"no entry", func(b []byte) { clear(b[0x58+16:][:4]) }, "d.sys: the image has no entry routine"},
	} {
		b := sysFile()
		c.change(b)
		path := write(t, dir, "d.sys", string(b))
		switch d, err := openDriver(path); {
		case c.want == "" && (err != nil || d.image.Entry != 0x1016 || d.image.Size != 0x8000):
			t.Errorf("%s: got %+v, %v", c.name, d, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}

func TestWineMissing(t *testing.T) {
	dir := t.TempDir()
	sys := filepath.Join(dir, "d.sys")
	if err := os.WriteFile(sys, sysFile(), 0o666); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir)
	if _, err := Run(t.Context(), sys, Options{Windows: both}); err == nil || !strings.Contains(err.Error(), "wine is not in PATH") {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "wine"), nil, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), sys, Options{Windows: both}); err == nil || !strings.Contains(err.Error(), "wineserver is not in PATH") {
		t.Errorf("got %v", err)
	}
}
