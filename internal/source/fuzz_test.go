package source

import (
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Whatever a file holds, reading it ends, without a panic, and every position lies in the file.
func FuzzUnit(f *testing.F) {
	f.Add([]byte(wrapped), true)
	f.Add([]byte("#define f(x,...) x##__VA_ARGS__ #x\nf(f(1,2\n#if 1\n)\nvoid DriverEntry(void) { int a; f(ExAllocatePool(NonPagedPool))"), false)
	f.Add([]byte("#include __FILE__\n#if defined(\n#elif (1?2:\nR\"x( \\\r\n DriverEntry(){{ExInitializeDriverRuntime(DrvRtPoolNxOptIn);"), true)
	f.Fuzz(func(t *testing.T, text []byte, cxx bool) {
		tr, err := tree.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		lang := project.C
		if cxx {
			lang = project.CXX
		}
		u := &project.Unit{Path: "f.c", Options: &project.Options{
			Processor: nx.X64, Language: lang, Defines: []project.Define{{Name: "POOL_NX_OPTIN", Value: "1"}},
		}}
		b := &project.Build{Build: driver.Build{Entries: []string{"DriverEntry"}}, Units: []*project.Unit{u}}
		read := Read(tr.With(map[string][]byte{"f.c": text}), []*project.Build{b}, Options{DDIs: nx.DDIs()})
		whole := Read(tr.With(map[string][]byte{"f.c": text}), []*project.Build{b}, Options{DDIs: nx.DDIs(), Whole: true})
		if d := readingsDiffer(whole, read); d != "" {
			t.Errorf("all of the text says otherwise than the part that was read (-whole +part):\n%s", d)
		}
		m := read.Images[0]
		for _, s := range m.Sites {
			if s.Place.Offset < 0 || s.Place.Offset >= len(text) {
				t.Errorf("%s stands at offset %d of %d", s.DDI.Name, s.Place.Offset, len(text))
			}
			s.On(nx.Windows10)
		}
		for _, fact := range m.Facts {
			if s := fact.Span; s.Start < 0 || s.End < s.Start || s.End > len(text) {
				t.Errorf("%s: span %d to %d of %d", fact.Kind, s.Start, s.End, len(text))
			}
		}
	})
}
