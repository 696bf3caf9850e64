package scan

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/nx"
)

// put writes files, by path, below the working directory, which is a new one.
func put(t *testing.T, files map[string][]byte) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, data := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// seen gives what came of each driver: its path, and what could not be read, or which findings there are.
func seen(t *testing.T, paths []string, o Options) []string {
	t.Helper()
	n, err := Sort(paths)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Images(n, o)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for b := range list {
		says := b.Build.Project + ":"
		if b.Unreadable != "" {
			says += " " + b.Unreadable
		}
		for _, f := range b.Findings {
			says += " " + f.Rule.ID
		}
		got = append(got, says)
	}
	return got
}

// A directory is walked for drivers in any spelling; libraries count if they are of the kernel, or named. What can't be read is named,
// and the rest judged.
func TestImages(t *testing.T) {
	good, bad := link(t, nx.X64, runs, readable), link(t, nx.X64, runs|writes, readable)
	native, user := good, slices.Clone(good)
	user[imagetest.OptionalAt+68] = 2
	session := slices.Clone(native)
	copy(session[imagetest.DataInFile+0x180:], "ntdll.dll\x00\x00\x00\x00")
	put(t, map[string][]byte{
		"a/B.SYS": bad, "a/a.sys": good, "a/export.dll": native, "a/user.dll": user, "a/smss.dll": session, "a/broken.dll": []byte("MZ"),
		"a/z.sys": []byte("MZ"), "a/config.sys": []byte("FILES=40\r\n"), "a/y.sys": {0, 1, 2}, "a/c/d.sys": good, "a/.git/e.sys": good, "a/driver.txt": good, "other.sys": good,
	})
	for _, tt := range []struct {
		paths []string
		want  string
	}{
		{[]string{"a"}, "a/B.SYS: 0x2003; a/a.sys:; a/c/d.sys:; a/export.dll:; a/y.sys: no PE image: want a built driver (.sys); " +
			"a/z.sys: no PE image: want a built driver (.sys)"},
		{[]string{"other.sys", "a/B.SYS"}, "a/B.SYS: 0x2003; other.sys:"},
		{[]string{"other.sys", "other.sys"}, "other.sys:"},
		{[]string{"a/user.dll"}, "a/user.dll:"},
		{[]string{"a/driver.txt", "a/a.sys"}, "a/a.sys:; a/driver.txt:"},
		{[]string{"a", "a/broken.dll"}, "a/B.SYS: 0x2003; a/a.sys:; a/broken.dll: no PE image: want a built driver (.sys); a/c/d.sys:; a/export.dll:; " +
			"a/y.sys: no PE image: want a built driver (.sys); a/z.sys: no PE image: want a built driver (.sys)"},
		{[]string{"a/config.sys"}, "a/config.sys: no PE image: want a built driver (.sys)"},
	} {
		for _, jobs := range []int{0, 1, 3} {
			if got := strings.Join(seen(t, tt.paths, Options{Jobs: jobs}), "; "); got != tt.want {
				t.Errorf("%v, -j %d:\ngot  %s\nwant %s", tt.paths, jobs, got, tt.want)
			}
		}
	}
	if _, err := Sort([]string{"none.sys"}); err == nil || !strings.Contains(err.Error(), "none.sys: no such file") {
		t.Error(err)
	}
}

func TestSort(t *testing.T) {
	put(t, map[string][]byte{"a/x.sys": nil, "a/drv.c": nil, "b.sys": nil, "SOURCES": nil, "c/drv.dll": nil})
	n, err := Sort([]string{"a", "./b.sys", "SOURCES"})
	if got, want := fmt.Sprint(n, err), "{[a/x.sys b.sys] [b.sys] [a SOURCES]} <nil>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// No more drivers are read ahead than a window of them, and none when nobody asks for more.
func TestImagesWindow(t *testing.T) {
	const jobs, many = 2, 200
	files := map[string][]byte{}
	for i := range many {
		files[fmt.Sprintf("%03d.sys", i)] = []byte("MZ")
	}
	put(t, files)
	n, err := Sort([]string{"."})
	if err != nil {
		t.Fatal(err)
	}
	var told atomic.Int64
	list, err := Images(n, Options{Jobs: jobs, Judged: func(drivers, of int) {
		if of != many {
			t.Errorf("of %d", of)
		}
		told.Store(int64(drivers))
	}})
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	i := 0
	for b := range list {
		if want := fmt.Sprintf("%03d.sys", i); b.Build.Project != want || told.Load() != int64(i) {
			t.Fatalf("%s comes, and %d is told, want %s", b.Build.Project, told.Load(), want)
		}
		if running := runtime.NumGoroutine() - before; running > 1+jobs {
			t.Fatalf("%d run at once", running)
		}
		if i++; i == 20 {
			break
		}
	}
	for start := time.Now(); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
		if time.Since(start) > 10*time.Second {
			t.Fatal("somebody still waits to go on")
		}
	}
}

// A driver is judged for the versions that were asked for, but for none below its own minimum.
func TestImagesWindows(t *testing.T) {
	b := link(t, nx.X64, runs, readable)
	b[imagetest.OptionalAt+50] = 2
	put(t, map[string][]byte{"a.sys": b})
	for _, tt := range []struct {
		asked []nx.Version
		want  string
	}{
		{nil, "[6.2 10.0]"},
		{[]nx.Version{nx.Windows10, nx.Windows7}, "[10.0]"},
		{[]nx.Version{nx.Windows7}, "[]"},
	} {
		list, err := Images(Named{Images: []string{"a.sys"}}, Options{Jobs: 1, Windows: tt.asked})
		if err != nil {
			t.Fatal(err)
		}
		for b := range list {
			if got := fmt.Sprint(b.Build.Windows); got != tt.want {
				t.Errorf("%v: %s, want %s", tt.asked, got, tt.want)
			}
		}
	}
}

// What the source predicts for the processor is held against a driver that was named, unless there is nothing to hold.
func TestHeld(t *testing.T) {
	source := func(poolType string) string {
		return "#include <ntddk.h>\nNTSTATUS DriverEntry(PDRIVER_OBJECT d, PUNICODE_STRING p)\n{\n    return ExAllocatePoolWithTag(" + poolType + ", 1, 2) ? 0 : 1;\n}\n"
	}
	put(t, map[string][]byte{
		"drv/SOURCES": []byte("TARGETNAME=drv\nTARGETTYPE=DRIVER\nSOURCES=drv.c\n"), "drv/drv.c": []byte(source("PagedPool")),
		"drv/out/x64.sys": link(t, nx.X64, runs, readable), "drv/out/arm.sys": imagetest.Build(nx.ARM, nil), "drv/out/arm64.sys": link(t, nx.ARM64, runs, readable),
	})
	r, err := Run([]string{"drv"}, Options{DDIs: nx.DDIs(), Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	later := *r
	later.Images = slices.Clone(r.Images)
	for i := range later.Images {
		later.Images[i].Build.Minimum = nx.Windows10
	}
	for _, tt := range []struct {
		named  []string
		source *Result
		asked  []nx.Version
		want   string
	}{
		{nil, r, nil, "; ; "},
		{[]string{"drv/out/x64.sys"}, nil, nil, "; ; "},
		{[]string{"drv/out/x64.sys"}, &later, nil, "; ; held, drv/SOURCES|free|amd64"},
		{[]string{"drv/out/x64.sys"}, &later, []nx.Version{nx.Windows7},
			"; ; not held: drv/SOURCES|free|amd64 starts at Windows 10, and is judged for no Windows that the image is judged for"},
		{[]string{"drv/out/arm.sys", "drv/out/arm64.sys", "drv/out/x64.sys"}, r, nil,
			"not held: its code is not read; not held: no build of a driver for arm64; held, " + "drv/SOURCES|free|amd64"},
	} {
		n, err := Sort(append([]string{"drv"}, tt.named...))
		if err != nil {
			t.Fatal(err)
		}
		list, err := Images(n, Options{Jobs: 1, DDIs: nx.DDIs(), Source: tt.source, Windows: tt.asked})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for b := range list {
			got = append(got, heldSays(b))
		}
		if text := strings.Join(got, "; "); text != tt.want {
			t.Errorf("%v:\ngot  %s\nwant %s", tt.named, text, tt.want)
		}
	}
}

func heldSays(b report.Built) string {
	switch {
	case b.NotHeld != "":
		return "not held: " + b.NotHeld
	case b.Held:
		return "held, " + b.Source
	}
	return ""
}
