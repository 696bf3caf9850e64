package source

import (
	"testing"

	"github.com/nxport/nxport/nx"
)

// kitValue gives what NonPagedPool, or what is asked for instead, is to the only request of a text, after an opt-in call on
// Windows 10; 0 requests give false.
func kitValue(t *testing.T, text string) (value uint32, ok bool) {
	t.Helper()
	sites := readFiles(t, map[string]string{"f.c": text}).Images[0].Sites
	if len(sites) != 1 {
		return 0, false
	}
	values := sites[0].On(nx.Windows10).Values
	if len(values) != 1 {
		t.Fatalf("%v", values)
	}
	return values[0], true
}

// What ndis.h says a driver may use follows from the versions that it is compiled for: the comment at its head, and
// ndis/version.h of the kit 10.0.22621.
func TestVersionsOfNDIS(t *testing.T) {
	for _, tt := range []struct {
		defines, condition string
		want               bool
	}{
		{"#define NDIS630_MINIPORT 1\n", "NDIS_SUPPORT_NDIS630", true},
		{"#define NDIS630_MINIPORT 1\n", "NDIS_SUPPORT_NDIS640", false},
		{"#define NDIS630_MINIPORT 1\n", "NDIS_SUPPORT_NDIS620 && NDIS_SUPPORT_NDIS61 && NDIS_SUPPORT_NDIS6", true},
		{"#define NDIS630\n", "NDIS_SUPPORT_NDIS620", true},
		{"#define NDIS60 1\n", "NDIS_SUPPORT_NDIS6", true},
		{"#define NDIS60 1\n", "NDIS_SUPPORT_NDIS61", false},
		{"#define NDIS60_MINIPORT 1\n#define NDIS680_MINIPORT 1\n", "NDIS_SUPPORT_NDIS670", true},
		{"#define NDIS51 1\n", "NDIS_SUPPORT_NDIS6", false},
		{"#define NDIS51 1\n", "defined(NDIS_SUPPORT_NDIS6)", true},
		{"#define NDIS_WRAPPER\n", "NDIS_SUPPORT_NDIS687", true},
	} {
		text := tt.defines + "#include <ndis.h>\n#undef NDIS630\n#if " + tt.condition +
			"\nvoid f(void) { ExAllocatePool(NonPagedPool, 1); }\n#endif\n"
		if _, ok := kitValue(t, text); ok != tt.want {
			t.Errorf("%s: %s is %v", tt.defines, tt.condition, ok)
		}
	}
}
