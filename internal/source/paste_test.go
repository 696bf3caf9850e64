package source

import (
	"slices"
	"testing"
)

// Which names ## can make, by what stands around it.
func TestPastedBy(t *testing.T) {
	for _, tt := range []struct {
		definition   string
		any          bool
		begins, ends string
	}{
		{"#define A(x, y) x##y", true, "", ""},
		{"#define A(x) Get##x", false, "Get", ""},
		{"#define A(x) x##Pool", false, "", "Pool"},
		{"#define A(x) x##_1", false, "", "_1"},
		{"#define A(x, y) x##_##y", true, "", ""},
		{"#define A(x) Ex ## x ## Pool", false, "Ex", ""},
		{"#define A(x) 0x ## x", false, "", ""},
		{"#define A(format, ...) Print(\" \" ## format, ## __VA_ARGS__)", false, "", ""},
		{"#define A(x) L ## #x", false, "", ""},
		{"# define A Get ## B", false, "Get", ""},
		{"#define A(x) x", true, "", ""}, // a name is cut in two where it is said to paste all the same
	} {
		p := pastedBy(tt.definition)
		of := func(s string) []name {
			if s == "" {
				return nil
			}
			return []name{nameOf(s)}
		}
		if p.any != tt.any || !slices.Equal(p.begins, of(tt.begins)) || !slices.Equal(p.ends, of(tt.ends)) {
			t.Errorf("%s: %+v", tt.definition, p)
		}
	}
	e := newEndings()
	e.learn("NonPagedPool")
	for definition, want := range map[string]bool{"#define A(x) NonPaged##x": true, "#define A(x) x##Pool": true, "#define A(x) Get##x": false, "#define A(x) x##Pools": false} {
		if got := e.may(pastedBy(definition)); got != want {
			t.Errorf("%s may make NonPagedPool: %v", definition, got)
		}
	}
}
