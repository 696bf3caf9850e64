package source

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// BenchmarkRead reads ten units of 1,000 functions each that share a header, as one image.
func BenchmarkRead(b *testing.B) {
	overlay := map[string][]byte{"drv.h": []byte("#include <ntddk.h>\n#define NEW(n) ExAllocatePoolWithTag(NonPagedPool, n, 'gaT ')\n")}
	options := &project.Options{Processor: nx.X64, Language: project.C}
	build := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}}
	size := 0
	for i := range 10 {
		var text strings.Builder
		text.WriteString("#include \"drv.h\"\n")
		for j := range 1000 {
			fmt.Fprintf(&text, "static NTSTATUS F%d_%d(PDEVICE_OBJECT Object, ULONG Size)\n{\n    PVOID p;\n#if DBG\n    Print(\"%%d\", Size);\n#endif\n"+
				"    p = NEW(Size + sizeof(LIST_ENTRY));\n    if (p == NULL) {\n        return STATUS_NO_MEMORY;\n    }\n    return F%d_%d(Object, Size);\n}\n", i, j, i, j+1)
		}
		path := fmt.Sprintf("f%d.c", i)
		overlay[path] = []byte(text.String())
		size += text.Len()
		build.Units = append(build.Units, &project.Unit{Path: path, Options: options})
	}
	t, err := tree.New(nil)
	if err != nil {
		b.Fatal(err)
	}
	t = t.With(overlay)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if m := Read(t, []*project.Build{build}, Options{DDIs: nx.DDIs(), Jobs: 1}).Images[0]; len(m.Sites) != 10_000 {
			b.Fatalf("%d sites", len(m.Sites))
		}
	}
}
