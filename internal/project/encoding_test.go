package project

import (
	"encoding/binary"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/nxport/nxport/internal/edit"
)

func inUTF16(s string, order binary.AppendByteOrder) string {
	data := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(s)) {
		data = order.AppendUint16(data, unit)
	}
	return string(data)
}

// A project in UTF-16 is read; its places are those of its own bytes; it is not edited.
func TestUTF16(t *testing.T) {
	project := strings.ReplaceAll(projectText("Debug|x64", "<!-- é 😀 -->"+definitions("", "A; B=é😀;C")+compiled), "\n", "\r\n")
	for name, order := range map[string]binary.AppendByteOrder{"little": binary.LittleEndian, "big": binary.BigEndian} {
		write(t, "-- a.c --\n-- b.c --\n")
		data := inUTF16(project, order)
		put(t, "p.vcxproj", data)
		s := load(t, LoadOptions{})
		b := find(t, s, "p.vcxproj|Debug|x64")
		equal(t, name, own(b.Units[0]), "A=1 B=é😀 C=1")
		for _, d := range b.Units[0].Options.Defines {
			if d.Place.Path == "" {
				continue
			}
			at := data[d.Place.Offset:]
			if want := inUTF16(d.Name, order)[2:]; !strings.HasPrefix(at, want) {
				t.Errorf("%s: %s stands at %v, where there is %.8q", name, d.Name, d.Place, at)
			}
			line := data[:d.Place.Offset]
			newline := inUTF16("\n", order)[2:]
			equal(t, d.Name+"'s line", d.Place.Line, strings.Count(line, newline)+1)
			equal(t, d.Name+"'s column", d.Place.Column, len(line)-strings.LastIndex(line, newline)-1)
		}
		_, err := place(newTree(t, "."), []Want{{Build: b, Name: optIn, Value: "1"}}, nil)
		if err == nil || !strings.Contains(err.Error(), "UTF-16") {
			t.Errorf("%s: placed: %v", name, err)
		}
	}
}

// The offsets in a long line, over all of its marks.
func TestUTF16Offsets(t *testing.T) {
	s := strings.Repeat("aé😀\n", 1500)
	f := fromUTF16("x", []byte(inUTF16(s, binary.LittleEndian)))
	equal(t, "text", string(f.data), s)
	units := 0
	for at, r := range s {
		if got, want := f.wide.Original(f.data, at), 2+2*units; got != want {
			t.Fatalf("offset of byte %d: got %d, want %d", at, got, want)
		}
		units += utf16.RuneLen(r)
	}
	equal(t, "end", f.wide.Original(f.data, len(s)), 2+2*units)
}

func TestLatin(t *testing.T) {
	for declared, want := range map[string]string{"windows-1252": "N=é€ M=é", "ISO-8859-1": "N=é€ M=é", "utf-8": "N=\xe9\x80 M=é"} {
		write(t, "-- b.c --\n-- été.c --\n")
		project := strings.Replace(projectText("Debug|x64", definitions("", "N=\xe9\x80;M=&#233;")+`<ItemGroup><ClCompile Include="b.c" /><ClCompile Include="`+"\xe9t\xe9"+`.c" /></ItemGroup>`), "utf-8", declared, 1)
		put(t, "p.vcxproj", project)
		b := load(t, LoadOptions{}).Builds[0]
		equal(t, declared, own(b.unitOf(t, "b.c")), want)
		if declared == "utf-8" {
			continue
		}
		b.unitOf(t, "été.c")
		d := b.Units[0].Options.Defines[1]
		data, err := os.ReadFile("p.vcxproj")
		if err != nil || !strings.HasPrefix(string(data[d.Place.Offset:]), "M=") {
			t.Errorf("%s: M stands at %v (%v)", declared, d.Place, err)
		}
		// and it is edited byte by byte
		if _, err := place(newTree(t, "."), []Want{{Build: b, Name: optIn, Value: "1"}}, nil); err != nil {
			t.Error(err)
		}
	}
}

// Where a define goes is counted in the bytes of the file, whatever letters stand before it.
func TestSpotBehindLetters(t *testing.T) {
	for _, before := range []string{"A\xff", "A\u212a", "\u0130", "A\xff;"} {
		write(t, "-- a.c --\n-- b.c --\n")
		put(t, "p.vcxproj", projectText("Debug|x64", definitions("", before+"%(PREPROCESSORDefinitions)")+compiled))
		tr := newTree(t, ".")
		b := load(t, LoadOptions{}).Builds[0]
		edits, err := place(tr, []Want{{Build: b, Name: optIn, Value: "1"}}, nil)
		if err != nil {
			continue // before is no list of defines, and what is put behind it is lost: so it says
		}
		if _, err := edit.Apply(tr.Read, edits); err != nil {
			t.Error(err)
		}
	}
}
