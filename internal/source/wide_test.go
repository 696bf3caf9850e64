package source

import (
	"encoding/binary"
	"testing"
	"unicode/utf16"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// A source in UTF-16 is read, with the places of the file, two bytes a character here; nothing is edited in it.
func TestWideSource(t *testing.T) {
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	text := "#include <ntddk.h>\nvoid DriverEntry(void) {\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    ExAllocatePool(NonPagedPool, 1); // \U0001F600\n}\n"
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		data := order.AppendUint16(nil, 0xfeff)
		for _, unit := range utf16.Encode([]rune(text)) {
			data = order.AppendUint16(data, unit)
		}
		u := &project.Unit{Path: "a.c", Options: &project.Options{Processor: nx.X64, Language: project.C, Defines: []project.Define{{Name: "POOL_NX_OPTIN", Value: "1"}}}}
		b := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}, Units: []*project.Unit{u}}
		m := Read(tr.With(map[string][]byte{"a.c": data}), []*project.Build{b}, Options{DDIs: nx.DDIs()}).Images[0]
		if len(m.Sites) != 1 || m.Build.Initialised != driver.InitYes {
			t.Fatalf("%d sites, initialised %s: want 1, yes", len(m.Sites), m.Build.Initialised)
		}
		offset := 2 + 2*len("#include <ntddk.h>\nvoid DriverEntry(void) {\n    ExInitializeDriverRuntime(DrvRtPoolNxOptIn);\n    ")
		if p := m.Sites[0].Place; p.Line != 4 || p.Column != 9 || p.Offset != offset {
			t.Errorf("%+v, want line 4, column 9, offset %d", p, offset)
		}
		for _, f := range m.Facts {
			if f.Span != (driver.Span{}) {
				t.Errorf("%s can be edited at %+v", f.Kind, f.Span)
			}
		}
	}
}
