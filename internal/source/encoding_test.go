package source

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

const encoded = "// gr\u00fc\u00dfe \u4e2d \U0001f600 \r\n#define \u00dc(t) ExAllocatePoolWithTag(t, /* \u4e2d */ 8, 'a')\r\n#include <ntddk.h>\r\n" +
	"NTSTATUS DriverEntry(void)\r\n{\r\n    /* \U0001f600\u00fc */ \u00dc(NonPagedPool); f(\"\u4e2d\"); ExAllocatePool(PagedPool, 1);\r\n}\r\n"

// wide encodes a text in UTF-16 with a byte order mark.
func wide(text string, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, u := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, u)
	}
	return out
}

// In every encoding the requests stand at the bytes of the file where their names are.
func TestEncodings(t *testing.T) {
	latin := []byte(strings.NewReplacer("\u00fc", "\xfc", "\u00dc", "\xdc", "\u00df", "\xdf", "\u4e2d", "\xd6\xd0", "\U0001f600", "?").Replace(encoded))
	for name, tt := range map[string]struct {
		data []byte
		as   func(name string) []byte // how a name is written in it
	}{
		"UTF-8":               {[]byte(encoded), func(s string) []byte { return []byte(s) }},
		"UTF-8 with a mark":   {[]byte("\xef\xbb\xbf" + encoded), func(s string) []byte { return []byte(s) }},
		"8 bits":              {latin, func(s string) []byte { return []byte(strings.ReplaceAll(s, "\u00dc", "\xdc")) }},
		"UTF-16, little":      {wide(encoded, binary.LittleEndian), func(s string) []byte { return wide(s, binary.LittleEndian)[2:] }},
		"UTF-16, big":         {wide(encoded, binary.BigEndian), func(s string) []byte { return wide(s, binary.BigEndian)[2:] }},
		"UTF-16, many blocks": {wide(strings.Repeat("// \u4e2d\U0001f600x\n", 900)+encoded, binary.BigEndian), func(s string) []byte { return wide(s, binary.BigEndian)[2:] }},
	} {
		t.Run(name, func(t *testing.T) {
			m := readBytes(t, tt.data)
			if len(m.Sites) != 2 {
				t.Fatalf("%d sites", len(m.Sites))
			}
			for i, written := range []string{"\u00dc", "ExAllocatePool"} {
				at := m.Sites[i].Place
				want := tt.as(written)
				if got := tt.data[at.Offset : at.Offset+len(want)]; string(got) != string(want) {
					t.Errorf("site %d: %q stands at offset %d, want %q", i, got, at.Offset, want)
				}
				before := tt.data[:at.Offset]
				lineFeed := tt.as("\n")
				if column := at.Offset - strings.LastIndex(string(before), string(lineFeed)) - len(lineFeed) + 1; at.Column != column {
					t.Errorf("site %d: column %d, want %d", i, at.Column, column)
				}
			}
			if spelled := m.Sites[0].Spelled; !strings.HasPrefix(string(tt.data[spelled.Offset:]), string(tt.as("ExAllocatePoolWithTag"))) {
				t.Errorf("spelled at offset %d, where %q is", spelled.Offset, tt.data[spelled.Offset:spelled.Offset+10])
			}
		})
	}
}

// No place for a statement is given in UTF-16: an edit counts bytes of the file.
func TestNoEditsInUTF16(t *testing.T) {
	for _, f := range readBytes(t, wide(encoded, binary.LittleEndian)).Facts {
		if f.Kind == driver.Entry && f.Span != (driver.Span{}) {
			t.Errorf("%+v", f.Span)
		}
	}
	entries := 0
	for _, f := range readBytes(t, []byte(encoded)).Facts {
		if f.Kind == driver.Entry && f.Span.Path != "" {
			entries++
		}
	}
	if entries != 1 {
		t.Errorf("in UTF-8 there are %d places, want 1", entries)
	}
}

func readBytes(t *testing.T, data []byte) driver.Image {
	t.Helper()
	r := readFiles(t, map[string]string{"f.c": string(data)})
	if len(r.Unreadable) > 0 {
		t.Fatal(r.Unreadable)
	}
	return r.Images[0]
}

// readFiles reads f.c as the only unit of a build.
func readFiles(t *testing.T, files map[string]string) Result {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	overlay := map[string][]byte{}
	for name, text := range files {
		overlay[name] = []byte(text)
	}
	u := &project.Unit{Path: "f.c", Options: &project.Options{Processor: nx.X64, Language: project.C}}
	b := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}, Units: []*project.Unit{u}}
	return Read(tr.With(overlay), []*project.Build{b}, Options{DDIs: nx.DDIs()})
}
