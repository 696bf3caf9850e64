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

// A method of the kit's is known by its object, its arguments and their number; its name alone says nothing. All of the
// text says the same as the part that is read.
func TestMethods(t *testing.T) {
	const head = "#include <portcls.h>\n"
	const news = "#include <stdunk.h>\n"
	for _, tt := range []struct{ name, text, want string }{
		{"a parameter", head + "void F(PPORTWAVEPCI p) { p->NewMasterDmaChannel(&c, 0, PagedPool, 0, 0, 0, 0, 0, 0, 0, 0, 0); }", "IPortWavePci::NewMasterDmaChannel [1]"},
		{"another number of arguments", head + "void F(PPORTWAVEPCI p) { p->NewMasterDmaChannel(&c, 0, PagedPool); }", ""},
		{"a member", head + "class A { PPORTCLSNOTIFICATIONS m_p; void F(); };\nvoid A::F() { m_p->AllocNotificationBuffer(NonPagedPoolNx, 1, 2); }", "IPortClsNotifications::AllocNotificationBuffer [512]"},
		{"a member of a base", head + "struct B { IPortWaveRTStream *m_p; };\nclass A : B { void F(); };\nvoid A::F() { m_p->MapAllocatedPages(0, MmCached); }", "IPortWaveRTStream::MapAllocatedPages []"},
		{"a member of a member", head + "struct B { DXGKRNL_INTERFACE x; };\nvoid F(B *b) { b->x.DxgkCbMapMemory(0, a, 1, 0, 0, MmNonCached, &p); }", "DXGKRNL_INTERFACE::DxgkCbMapMemory []"},
		{"another interface", head + "void F(PPORTWAVERT p) { p->AllocNotificationBuffer(PagedPool, 1, 2); }", ""},
		{"a class of the driver's own", head + "class A { void AllocNotificationBuffer(POOL_TYPE, int, int); };\nvoid F(A *a) { a->AllocNotificationBuffer(PagedPool, 1, 2); }", ""},
		{"an object of which nothing is known", head + "void F() { Unseen()->AllocNotificationBuffer(PagedPool, 1, 2); }", "IPortClsNotifications::AllocNotificationBuffer [1]"},
		{"no pool type", head + "void F() { Unseen()->AllocNotificationBuffer(NormalPagePriority, 1, 2); }", ""},
		{"where no argument decides, the object must be known", head + "void F() { Unseen()->MapAllocatedPages(0, MmCached); }", ""},
		{"placement new", news + "void F() { new (PagedPool, 'abcd') A; new (NonPagedPoolNx) B(1); }", "::new [1]; ::new [512]"},
		{"placement new with a header of the kit's that has none", head + "void F() { new (PagedPool, 'abcd') A; }", ""},
		{"placement new of the driver's own", news + "void *operator new(size_t n, POOL_TYPE t, ULONG g) { return ExAllocatePool(t, n); } void F() { new (PagedPool, 'abcd') A; }",
			"ExAllocatePool [1]"},
		{"where the kit's is suppressed", "#define _NEW_DELETE_OPERATORS_\n" + news + "void F() { new (PagedPool, 'abcd') A; }", ""},
		{"in memory that is there", news + "void F(PVOID p) { new (p) A; new (m_buffer) B; }", ""},
		{"with a pool type of the driver's", news + "struct A { POOL_TYPE t; A() : t(PagedPool) { } void F(POOL_TYPE u) { new (t) A; } void G() { F(NonPagedPoolNx); } };", "::new [1]"},
		{"what the port driver chooses", news + "#include <portcls.h>\nclass M : public IMiniportMidi { void NewStream(PMINIPORTMIDISTREAM *s, PUNKNOWN o, POOL_TYPE t, ULONG p, BOOLEAN c, PKSDATAFORMAT f, PSERVICEGROUP *g); };\n" +
			"void M::NewStream(PMINIPORTMIDISTREAM *s, PUNKNOWN o, POOL_TYPE t, ULONG p, BOOLEAN c, PKSDATAFORMAT f, PSERVICEGROUP *g) { new (t, 'abcd') A; }",
			"::new [] parameter t of NewStream: the port driver chooses it, which calls IMiniportMidi::NewStream"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			var read [2]driver.Image
			for i, whole := range []bool{false, true} {
				m := readCXX(t, tt.text, whole)
				read[i] = m
				if whole {
					continue
				}
				for _, s := range m.Sites {
					got = append(got, strings.TrimSpace(fmt.Sprintf("%s %v %s", s.DDI.Name, s.On(nx.Windows10).Values, s.Value.Unknown)))
				}
			}
			if got := strings.Join(got, "; "); got != tt.want {
				t.Errorf("%s\ngot  %s\nwant %s", tt.text, got, tt.want)
			}
			if d := readingsDiffer(read[1], read[0]); d != "" {
				t.Errorf("%s\n(-whole +part):\n%s", tt.text, d)
			}
		})
	}
}

// readCXX reads one unit of C++.
func readCXX(t *testing.T, text string, whole bool) driver.Image {
	t.Helper()
	tr, err := tree.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	u := &project.Unit{Path: "d.cpp", Options: &project.Options{Processor: nx.X64, Language: project.CXX}}
	b := &project.Build{Units: []*project.Unit{u}}
	return Read(tr.With(map[string][]byte{"d.cpp": []byte(text + "\n")}), []*project.Build{b}, Options{DDIs: nx.DDIs(), Whole: whole}).Images[0]
}
