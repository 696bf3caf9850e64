package driver

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/nxport/nxport/nx"
)

// How the requests of a source and the calls in an image are matched. A request is written line:function:routine=values, a call
// address:routine=values@line:function:file,...; values are numbers, ? is unknown. Behind ^ is the line where a wrapper spells it.
func TestHold(t *testing.T) {
	for _, c := range []struct {
		name          string
		source, image string
		want          string
	}{
		{"nothing", "", "", ""},
		{"by lines", "7:F:pool=0 9:F:pool=1", "10:pool=1@9:F 20:pool=0@7:F", "7 20 agree; 9 10 agree"},
		{"by a line behind, in the same function", "7:F:pool=0", "10:pool=0@9:F", "7 10 agree"},
		{"by the function, where the lines moved", "7:F:pool=0 90:G:pool=1", "10:pool=0@55:F", "7 10 agree; 90 only in the source"},
		{"another value on that line", "7:F:pool=0", "10:pool=1@7:F", "7 10 disagree: on Windows 7 the source passes 0x0, the image 0x1"},
		{"another value on that line, and that of another line", "7:F:pool=0 9:F:pool=1", "10:pool=1@7:F 20:pool=1@9:F",
			"7 10 disagree: on Windows 7 the source passes 0x0, the image 0x1; 9 20 agree"},
		{"inlined twice", "7:F:pool=0", "10:pool=0@7:F,20:G 20:pool=0@7:F,30:H", "7 10 20 agree"},
		{"fewer values where it was inlined", "7:F:pool=0,1", "10:pool=0@7:F,20:G 20:pool=1@7:F,30:H", "7 10 20 agree"},
		{"more values than predicted", "7:F:pool=0", "10:pool=0,1@7:F", "7 10 disagree: on Windows 7 the source passes 0x0, the image 0x0 or 0x1"},
		{"two lines made one", "7:F:pool=0 9:F:pool=1", "10:pool=0,1@9:F", "7 9 10 agree: the compiler made one call of them"},
		{"not known in the source", "7:F:pool=?", "10:pool=0@7:F", "7 10 not known"},
		{"not all known in the source", "7:F:pool=0,?", "10:pool=0@7:F", "7 10 not known"},
		{"not known in the image, on the second line", "7:F:pool=0 9:F:pool=1", "10:pool=?@9:F", "7 only in the source; 9 10 not known"},
		{"one of two on a line differs", "7:F:pool=0", "10:pool=0@7:F 20:pool=1@7:F", "7 10 agree; 7 20 disagree: on Windows 7 the source passes 0x0, the image 0x1"},
		{"two lines made one, in another order", "7:F:pool=1 9:F:pool=0", "10:pool=0,1@9:F", "7 9 10 agree: the compiler made one call of them"},
		{"not known in the image", "7:F:pool=0", "10:pool=?@7:F", "7 10 not known"},
		{"no such line", "7:F:pool=0", "10:pool=0@70:G", "7 only in the source; 10 only in the image: no request of this routine is there in the source"},
		{"no such routine", "7:F:pool=0", "10:pool2=64@7:F", "7 only in the source; 10 only in the image: no request of this routine is there in the source"},
		{"behind the kit's inline function", "7:F:mdl=16", "10:map=16@1:MmGetSystemAddressForMdlSafe,7:F", "7 10 agree"},
		{"with what that adds", "7:F:zero=512", "10:pool=1536@7:F", "7 10 agree"},
		{"a routine without a deciding argument", "7:F:io=0", "10:io=1@7:F", "7 10 agree"},

		{"a wrapper for several", "7:F:pool=0^50 9:F:pool=1^50 11:G:pool=1^50", "10:pool=0,1@50:Wrapper", "7 9 11 10 agree"},
		{"a wrapper for several, of another value", "7:F:pool=0^50 9:F:pool=1^50", "10:pool=0,512@50:Wrapper",
			"7 9 10 disagree: on Windows 7 the source passes 0x0 or 0x1, the image 0x0 or 0x200"},
		{"a wrapper that is inlined once", "7:F:pool=0^50 9:F:pool=1^50", "10:pool=0@50:Wrapper,7:F 20:pool=0,1@50:Wrapper", "7 10 agree; 7 9 20 agree"},
		{"a wrapper that jumps, by its head", "7:F:pool=0^50 9:F:pool=1^55", "10:pool=1@53:Wrapper", "7 only in the source; 9 10 agree"},
		{"a wrapper that jumps, of another value", "7:F:pool=0^50 9:F:pool=1^55", "10:pool=0@53:Wrapper",
			"7 only in the source; 9 10 disagree: on Windows 7 the source passes 0x1, the image 0x0"},
		{"two on a line, spelled elsewhere", "7:F:pool=0^50 7:F:pool=1^52", "10:pool=0@52:Wrapper,7:F",
			"7 only in the source; 7 10 disagree: on Windows 7 the source passes 0x1, the image 0x0"},
		{"another file", "7:F:pool=0", "10:pool=0@7:F:b.c", "7 only in the source; 10 only in the image: no request of this routine is there in the source"},
		{"one of two on a line is not known", "7:F:pool=0", "10:pool=0@7:F 20:pool=?@7:F", "7 10 agree; 7 20 not known"},
		{"a wrapper far away", "7:F:pool=0^50", "10:pool=0@61:Wrapper", "7 only in the source; 10 only in the image: no request of this routine is there in the source"},
		{"a wrapper that is not known", "7:F:pool=0^50 9:F:pool=1^50", "10:pool=?@50:Wrapper", "7 9 10 not known"},
		{"no lines, a wrapper for several", "7:F:pool=0^50 9:F:pool=0^50 11:F:pool=0", "10:pool=0 20:pool=0", "7 9 10 agree; 11 20 agree"},

		{"no lines, by values", "7:F:pool=0 9:F:pool=1", "10:pool=1 20:pool=0", "7 20 agree; 9 10 agree"},
		{"no lines, each once", "7:F:pool=0 9:F:pool=0", "10:pool=0 20:pool=0", "7 10 agree; 9 20 agree"},
		{"no lines, inlined", "7:F:pool=0", "10:pool=0 20:pool=0", "7 10 20 agree"},
		{"no lines, one left", "7:F:pool=0 9:F:pool=1", "10:pool=0", "7 10 agree; 9 only in the source"},
		{"no lines, what is left differs", "7:F:pool=0 9:F:pool=1", "10:pool=0 20:pool=512", "7 10 agree; 9 20 disagree: on Windows 7 the source passes 0x1, the image 0x200"},
		{"no lines, none is left", "7:F:pool=0", "10:pool=0 20:pool=512",
			"7 10 agree; 20 only in the image: nothing in the source asks for that: of a library that was not scanned, or of another source"},
		{"no lines, one is not known", "7:F:pool=0 9:F:pool=?", "10:pool=0 20:pool=512", "7 10 agree; 9 20 not known"},
		{"no lines, not known in the image", "7:F:pool=0 9:F:pool=1", "10:pool=0 20:pool=?", "7 10 agree; 9 20 not known"},
		{"no lines, not known in the image, none is left", "7:F:pool=0", "10:pool=0 20:pool=?", "7 10 agree; 20 not known"},
		{"no lines, another routine", "7:F:pool=0", "10:pool2=64",
			"7 only in the source; 10 only in the image: no request of this routine is in the source: of a library that was not scanned, or of another source"},
	} {
		var source, image Image
		for _, text := range strings.Fields(c.source) {
			var line int
			text, spelled, _ := strings.Cut(text, "^")
			place, value, _ := strings.Cut(text, "=")
			parts := strings.Split(place, ":")
			fmt.Sscan(parts[0], &line)
			s := Site{Place: Place{Path: "src/a.c", Line: line}, Function: parts[1], DDI: ddiNamed(t, parts[2]), Moment: After, Value: valueOf(value)}
			if spelled != "" {
				s.Spelled.Path = "src/a.c"
				fmt.Sscan(spelled, &s.Spelled.Line)
			}
			source.Sites = append(source.Sites, s)
		}
		for _, text := range strings.Fields(c.image) {
			var rva uint32
			call, frames, _ := strings.Cut(text, "@")
			call, value, _ := strings.Cut(call, "=")
			address, name, _ := strings.Cut(call, ":")
			fmt.Sscan(address, &rva)
			s := Site{Witness: Binary, DDI: ddiNamed(t, name), Moment: After, Value: valueOf(value), Spot: &Spot{RVA: rva}}
			for _, f := range strings.FieldsFunc(frames, func(c rune) bool { return c == ',' }) {
				f, function, _ := strings.Cut(f, ":")
				function, file, _ := strings.Cut(function, ":")
				frame := Frame{Place: Place{Path: "/build/src/" + cmp.Or(file, "a.c")}, Function: function}
				fmt.Sscan(f, &frame.Line)
				s.Spot.Frames = append(s.Spot.Frames, frame)
			}
			image.Sites = append(image.Sites, s)
		}
		var list []string
		for _, m := range Hold(source, image, []nx.Version{nx.Windows7, nx.Windows10}) {
			text := ""
			for _, s := range m.Source {
				text += fmt.Sprintf("%d ", s.Place.Line)
			}
			for _, s := range m.Built {
				text += fmt.Sprintf("%d ", s.Spot.RVA)
			}
			text += string(m.Verdict)
			if m.Why != "" && m.Verdict != OnlySource {
				text += ": " + m.Why
			}
			list = append(list, text)
		}
		if got := strings.Join(list, "; "); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func ddiNamed(t *testing.T, short string) nx.DDI {
	t.Helper()
	name := map[string]string{
		"pool": "ExAllocatePoolWithTag", "pool2": "ExAllocatePool2", "zero": "ExAllocatePoolZero", "io": "MmMapIoSpace",
		"mdl": "MmGetSystemAddressForMdlSafe", "map": "MmMapLockedPagesSpecifyCache",
	}[short]
	for _, d := range nx.DDIs() {
		if d.Name == name {
			return d
		}
	}
	t.Fatal(short)
	return nx.DDI{}
}

func valueOf(text string) (v Value) {
	for _, n := range strings.Split(text, ",") {
		var bits uint32
		if n == "?" {
			v.Unknown = "nobody knows"
			continue
		}
		fmt.Sscan(n, &bits)
		v.Terms = append(v.Terms, Term{Bits: bits})
	}
	return v
}
