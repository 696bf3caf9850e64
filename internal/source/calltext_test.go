package source

import (
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// The text of a call is where it is written: what decides stands in «», another argument can be put at ¦. Where there is neither, a
// directive stands between, or it comes from elsewhere.
func TestCallText(t *testing.T) {
	for _, tt := range []struct {
		text              string
		constant, nothing bool
	}{
		{"void F(void) { ExAllocatePool(«PagedPool», 1¦); }", true, false},
		{"void F(void) { ExAllocatePool ( /* a */ «(POOL_TYPE)(PagedPool | 16)»\n, sizeof(int)¦ /* b */ ); }", true, false},
		{"void F(int x) { ExAllocatePool(«x ? PagedPool : 512», 0¦); }", true, true},
		{"static void F(POOL_TYPE t) { ExAllocatePool(«t», 1¦); }", false, false},
		{"#define POOL PagedPool\nvoid F(void) { ExAllocatePool(«POOL», 1¦); }", true, false},
		{"#define POOL(x) PagedPool\nvoid F(void) { ExAllocatePool(POOL(1), 1¦); }", true, false},
		{"#define N(x) 1\nvoid F(void) { ExAllocatePool(«PagedPool», N(2)¦); }", true, false},
		{"#define NEW(n) ExAllocatePool(«PagedPool», (n)¦)\nvoid F(void) { NEW(1); }", true, false},
		{"#define NEW(t) ExAllocatePool(t, 1¦)\nvoid F(void) { NEW(PagedPool); }", true, false},
		{"#define NEW ExAllocatePool\nvoid F(void) { NEW(PagedPool, 1); }", true, false},
		{"#define SAME(x) x\nvoid F(void) { SAME(ExAllocatePool(«PagedPool», 1¦)); }", true, false},
		{"#define SAME(x) x\nvoid F(void) { ExAllocatePool(SAME(«PagedPool»), 1¦); }", true, false},
		{"void F(void) { ExAllocatePool(\n#if 1\nPagedPool,\n#endif\n1); }", true, false},
		{"#if 1\nvoid F(void) { ExAllocatePool(«PagedPool», 1¦); }\n#endif", true, false},
		{"#define NEW(k) ExAllocatePool(Paged##k, 1¦)\nvoid F(void) { NEW(Pool); }", true, false},
		{"#define NEW(k) ExAllocatePool(k##Pool, 1¦)\nvoid F(void) { NEW(Paged); }", true, false},
		{"#define SWAP(a, b) b a\nvoid F(void) { SWAP((PagedPool, 1), ExAllocatePool); }", true, false},
		{"#define CAT(a, b) a##b\nvoid F(void) { CAT(ExAllocate, Pool)(PagedPool, 1); }", false, false},
	} {
		text := strings.NewReplacer("«", "", "»", "", "¦", "").Replace(tt.text)
		tr, builds := buildOf(t, "-- f.c --\n"+kitHead+text+"\n", &project.Options{Processor: nx.X64, Language: project.C})
		s := Read(tr, builds, Options{DDIs: nx.DDIs()}).Images[0].Sites[0]
		got, c := kitHead+text, s.Call
		for _, mark := range []struct {
			at   int
			sign string
		}{{c.End, "¦"}, {c.Stop, "»"}, {c.Start, "«"}} {
			if mark.at > 0 {
				got = got[:mark.at] + mark.sign + got[mark.at:]
			}
		}
		pasted := strings.Contains(text, "CAT") // the name
		if got != kitHead+tt.text || c.Constant != tt.constant || c.Nothing != tt.nothing ||
			pasted != (c.Name.Path == "") || !pasted && !strings.HasPrefix((kitHead + text)[c.Name.Offset:], "ExAllocatePool") {
			t.Errorf("%s: got\n%s\nin %+v", tt.text, got, c)
		}
	}
}

// What one unit sees of a call in a header counts for all of them.
func TestCallTextInHeader(t *testing.T) {
	const header = "-- f.h --\n" + kitHead + "static PVOID F(void) { return ExAllocatePoolWithTag(PagedPool, 1, TAG); }\n"
	for tag, nothing := range map[string]bool{"0": true, "1": false} {
		m := read(t, header+"-- a.c --\n#define TAG 1\n#include \"f.h\"\n-- b.c --\n#define TAG "+tag+"\n#include \"f.h\"\n")
		if len(m.Sites) != 1 || m.Sites[0].Call.Nothing != nothing || !m.Sites[0].Call.Constant {
			t.Errorf("%s: %+v", tag, m.Sites)
		}
	}
}
