package image

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image/imagetest"
	"github.com/nxport/nxport/nx"
)

// idiom is a small driver of testdata, and what its requests ask for as its assembly says.
type idiom struct {
	name  string
	parts imagetest.Parts
	want  []string
}

// idiomImports are those of all of them, in the order of their slots.
var idiomImports = []string{
	alloc, "MmMapLockedPagesSpecifyCache", "RtlGetVersion", "MmGetSystemRoutineAddress", "RtlInitUnicodeString", "NdisGetVersion",
	"RtlIsNtDdiVersionAvailable", "PsGetVersion", "ExAllocatePool2", "ExFreePoolWithTag", "ExInitializeNPagedLookasideList", "ExRaiseStatus",
	"PcRegisterSubdevice", "PcNewPort", "PcNewMiniport",
}

// idiomsOf reads a file of testdata: behind a line == with the name, an instruction a line (its address, its bytes, | and its text), bytes
// of constants and variables, where functions begin and pointers are, and behind = what there is to find.
func idiomsOf(t testing.TB, p nx.Processor) []idiom {
	text, err := os.ReadFile("testdata/" + strings.ToLower(string(p)) + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var list []idiom
	var into *[]byte
	for n, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		if len(text) == 0 {
			break
		}
		if name, ok := strings.CutPrefix(line, "== "); ok {
			list = append(list, idiom{name: name, parts: imagetest.Parts{Processor: p, Imports: idiomImports}})
			into = &list[len(list)-1].parts.Code
			continue
		}
		c := &list[len(list)-1]
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "", word == "#", strings.HasSuffix(line, ":") && word != "constants:" && word != "variables:":
		case word == "=":
			c.want = append(c.want, rest)
		case word == "functions":
			c.parts.Functions = numbers(t, rest)
		case word == "pointers":
			c.parts.Pointers = numbers(t, rest)
		case word == "constants:":
			into = &c.parts.Constants
		case word == "variables:":
			into = &c.parts.Variables
		default:
			if bytes, _, code := strings.Cut(rest, " | "); code {
				if at := numbers(t, word)[0]; at != codeAt+uint32(len(c.parts.Code)) {
					t.Fatalf("line %d is not at %#x", n+1, codeAt+len(c.parts.Code))
				}
				line = bytes
			}
			b, err := hex.DecodeString(strings.ReplaceAll(line, " ", ""))
			if err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
			*into = append(*into, b...)
		}
	}
	return list
}

func numbers(t testing.TB, text string) (list []uint32) {
	for word := range strings.FieldsSeq(text) {
		n, err := strconv.ParseUint(word, 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, uint32(n))
	}
	return list
}

// TestIdioms holds what is found in small drivers against what their assembly says.
func TestIdioms(t *testing.T) {
	for _, p := range []nx.Processor{nx.X64, nx.X86, nx.ARM64} {
		for _, c := range idiomsOf(t, p) {
			t.Run(c.name, func(t *testing.T) {
				m, err := Parse("d.sys", c.parts.Image())
				if err != nil {
					t.Fatal(err)
				}
				got, want := found(m.Driver(nx.DDIs(), nil)), strings.Join(c.want, "\n")
				if got != want {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			})
		}
	}
}

// found gives the requests by address, with their values, and where the driver opts in, or takes the address of a routine.
func found(d driver.Image) string {
	var lines []string
	for _, s := range d.Sites {
		var values []string
		for _, t := range s.Value.Terms {
			values = append(values, termText(t))
		}
		if s.Value.Unknown != "" {
			values = append(values, "unknown")
		}
		if s.Spot.Return == 0 {
			values = append(values, "as its last act")
		}
		lines = append(lines, fmt.Sprintf("%x: %s %s", s.Spot.RVA, s.DDI.Name, strings.Join(values, ", ")))
	}
	for _, f := range d.Facts {
		switch f.Kind {
		case driver.OptInCall:
			lines = append(lines, fmt.Sprintf("opts in at %x", f.Spot.RVA))
		case driver.AddressTaken:
			lines = append(lines, fmt.Sprintf("takes an address at %x", f.Spot.RVA))
		}
	}
	if d.Build.Mechanism == nx.OptIn {
		lines = append(lines, map[driver.Initialised]string{driver.InitYes: "in time", driver.InitLate: "late", driver.InitUnknown: "when is not known"}[d.Build.Initialised])
	}
	return strings.Join(lines, "\n")
}

func termText(t driver.Term) string {
	s := t.String()
	for _, tok := range t.Tokens {
		s += map[driver.Moment]string{driver.Before: " before", driver.After: " after", driver.Before | driver.After: " before and after"}[tok.At]
	}
	if t.From != (nx.Version{}) {
		s += " from " + t.From.String()
	}
	if t.Below != (nx.Version{}) {
		s += " below " + t.Below.String()
	}
	return s
}
