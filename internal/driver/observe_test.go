package driver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nxport/nxport/nx"
)

// predict reads "DDI path:line function token...", or path:line=path:line where the DDI's name stands elsewhere.
func predict(t *testing.T, s string) Site {
	t.Helper()
	f := strings.Fields(s)
	p := Site{DDI: row(t, f[0]), Function: f[2], Moment: After, Mechanism: nx.OptIn}
	at, spelled, _ := strings.Cut(f[1], "=")
	for place, text := range map[*Place]string{&p.Place: at, &p.Spelled: spelled} {
		path, line, _ := strings.Cut(text, ":")
		place.Path = path
		fmt.Sscan(line, &place.Line)
	}
	for _, token := range f[3:] {
		switch token {
		case "?":
			p.Value.Unknown = "a call through a pointer"
		default:
			p.Value.Terms = append(p.Value.Terms, Term{Tokens: []Token{{Name: token, In: nx.OptIn}}})
		}
	}
	return p
}

// saw reads "DDI value frame...", of which a frame is path:line:function.
func saw(t *testing.T, s string) Site {
	t.Helper()
	f := strings.Fields(s)
	q := &Request{Windows: nx.Windows10, RVA: 1}
	fmt.Sscan(f[1], &q.Value)
	for _, text := range f[2:] {
		part := strings.Split(text, ":")
		frame := Frame{Place: Place{Path: part[0]}, Function: part[2]}
		fmt.Sscan(part[1], &frame.Line)
		q.Frames = append(q.Frames, frame)
	}
	return Site{Witness: Trace, DDI: row(t, f[0]), Seen: q}
}

func row(t *testing.T, name string) nx.DDI {
	t.Helper()
	for _, d := range nx.DDIs() {
		if d.Name == name {
			return d
		}
	}
	t.Fatalf("no DDI %s", name)
	return nx.DDI{}
}

func TestObserve(t *testing.T) {
	const (
		alloc  = "ExAllocatePoolWithTag "
		second = alloc + "a.c:20 G PagedPool"
	)
	for _, c := range []struct {
		name            string
		predicted, seen []string
		want            string // the verdicts, in order
	}{
		{"by line", []string{alloc + "a.c:10 F NonPagedPool", second}, []string{alloc + "512 /src/a.c:10:F"}, "agree, not reached"},
		{"another value", []string{alloc + "a.c:10 F NonPagedPool", second}, []string{alloc + "0 /src/a.c:10:F"},
			"disagree: predicted 0x200, seen 0x0; not reached"},
		{"one of two values", []string{alloc + "a.c:10 F NonPagedPool PagedPool"}, []string{alloc + "1 a.c:10:F", alloc + "512 a.c:10:F"}, "agree"},
		{"the second time it is another", []string{alloc + "a.c:10 F NonPagedPool"}, []string{alloc + "512 a.c:10:F", alloc + "1 a.c:10:F"},
			"disagree: predicted 0x200, seen 0x1"},
		{"nobody predicted a request there", []string{second}, []string{alloc + "1 a.c:11:F"}, "not reached, disagree: no request there was predicted"},
		{"nor of the routine", []string{second}, []string{"ExAllocatePool 1 a.c:20:G"}, "not reached, disagree: no request of this routine was predicted"},
		{"unknown", []string{alloc + "a.c:10 F ?"}, []string{alloc + "1 a.c:10:F"}, "not predicted: not known: a call through a pointer"},
		{"in part unknown, and it is the other part", []string{alloc + "a.c:10 F PagedPool ?"}, []string{alloc + "1 a.c:10:F"}, "agree"},
		{"not observable", []string{"ExAllocatePool2 a.c:10 F POOL_FLAG_PAGED"}, nil, "not observable: no such routine"},
		{"a macro", []string{"MmGetSystemAddressForMdlSafe a.c:10 F NormalPagePriority"}, []string{"MmMapLockedPagesSpecifyCache 1073741840 a.c:10:F"}, "agree"},
		{"an inline function that adds zeroing", []string{"ExAllocatePoolZero a.c:10 F NonPagedPool"}, []string{alloc + "1536 wdm.h:7:ExAllocatePoolZero a.c:10:F"}, "agree"},
		{"the same bit that the driver adds", []string{alloc + "a.c:10 F NonPagedPool"}, []string{alloc + "1536 a.c:10:F"}, "disagree: predicted 0x200, seen 0x600"},
		{"inlined: the innermost frame", []string{alloc + "a.c:10 F NonPagedPool", second}, []string{alloc + "512 a.c:10:F a.c:20:G"}, "agree, not reached"},
		{"a header's inline function", []string{alloc + "a.c:10 F NonPagedPool", second}, []string{alloc + "1 kit.h:10:Inline a.c:20:G"}, "not reached, agree"},
		{"two files of one name", []string{alloc + "x/a.c:10 F PagedPool", alloc + "y/a.c:10 F NonPagedPool"}, []string{alloc + "512 /w/y/a.c:10:F", alloc + "1 /w/x/a.c:10:F"}, "agree, agree"},
		{"a call on several lines", []string{alloc + "a.c:10 F NonPagedPool"}, []string{alloc + "512 a.c:12:F"}, "agree"},
		{"a method on several lines", []string{alloc + "a.c:10 C::F NonPagedPool"}, []string{alloc + "512 a.c:12:F"}, "agree"},
		{"lines of another function", []string{alloc + "a.c:10 F NonPagedPool"}, []string{alloc + "512 a.c:12:G"}, "not reached, disagree: no request there was predicted"},
		{"too many lines", []string{alloc + "a.c:10 F NonPagedPool"}, []string{alloc + "512 a.c:21:F"}, "not reached, disagree: no request there was predicted"},
		{"the nearer of two", []string{alloc + "a.c:10 F NonPagedPool", alloc + "a.c:12 F PagedPool"}, []string{alloc + "1 a.c:13:F"}, "not reached, agree"},
		{"two on one line", []string{alloc + "a.c:10 F NonPagedPool", alloc + "a.c:10 F PagedPool"}, []string{alloc + "1 a.c:10:F", alloc + "512 a.c:10:F"}, "agree, agree"},
		{"two on one line, alike", []string{alloc + "a.c:10 F PagedPool", alloc + "a.c:10 F PagedPool"}, []string{alloc + "1 a.c:10:F"},
			"agree: one of 2 requests that can't be told apart, agree: one of 2 requests that can't be told apart"},
		{"a wrapper's callers", []string{alloc + "a.c:10=w.c:5 F PagedPool", alloc + "b.c:10=w.c:5 F PagedPool", second}, []string{alloc + "1 w.c:5:W"},
			"agree: one of 2 requests that can't be told apart, agree: one of 2 requests that can't be told apart, not reached"},
		{"a wrapper's caller, seen", []string{alloc + "a.c:10=w.c:5 F PagedPool", alloc + "b.c:10=w.c:5 F PagedPool"}, []string{alloc + "1 w.c:5:W b.c:10:F"},
			"not reached, agree"},
		{"two wrappers that a compiler made one", []string{alloc + "a.c:10=w.c:12 F PagedPool", alloc + "a.c:20=w.c:7 G NonPagedPool"},
			[]string{alloc + "1 w.c:9: a.c:10:F a.c:20:G"}, "agree, not reached"},
		{"no lines: by value", []string{alloc + "a.c:10 F NonPagedPool", second}, []string{alloc + "1"}, "not reached, agree"},
		{"no lines, no such value", []string{alloc + "a.c:10 F NonPagedPool"}, []string{alloc + "1"}, "disagree: predicted 0x200, seen 0x1"},
		{"nothing decides", []string{"MmMapIoSpace a.c:10 F"}, []string{"MmMapIoSpace 0 a.c:10:F"}, "agree"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Image
			s := Image{Build: Build{Minimum: nx.Windows10}}
			for _, text := range c.predicted {
				p.Sites = append(p.Sites, predict(t, text))
			}
			for _, text := range c.seen {
				s.Sites = append(s.Sites, saw(t, text))
			}
			if got := verdicts(Observe(p, s, noPool2)); got != strings.ReplaceAll(c.want, "; ", ", ") {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Calls of a built image are told by the address behind them. A jump has none: it is told by its own address, if that is known.
func TestObserveImage(t *testing.T) {
	call := func(rva, returns uint32) Site {
		return Site{DDI: row(t, "ExAllocatePool"), Spot: &Spot{RVA: rva, Return: returns}, Value: Value{Unknown: "not judged"}}
	}
	seen := func(rva, jump uint32) Site {
		return Site{DDI: row(t, "ExAllocatePool"), Seen: &Request{RVA: rva, Jump: jump, Value: 7}}
	}
	const unjudged = "not predicted: not known: not judged"
	for _, c := range []struct {
		name      string
		predicted []Site
		seen      Site
		want      string
	}{
		{"a call", []Site{call(0xa, 0x10), call(0x1a, 0x20)}, seen(0x20, 0), "not reached, " + unjudged},
		{"none", []Site{call(0xa, 0x10)}, seen(0x20, 0), "not reached, disagree: no request there was predicted"},
		{"a jump", []Site{call(0xa, 0), call(0x1a, 0)}, seen(0x30, 0x1a), "not reached, " + unjudged},
		{"a jump that is not known", []Site{call(0xa, 0x10), call(0x1a, 0)}, seen(0, 0), "not reached, " + unjudged},
		{"another jump", []Site{call(0xa, 0)}, seen(0x30, 0x1a), "not reached, disagree: no request there was predicted"},
		{"a jump from behind a call", []Site{call(0xa, 0x10), call(0x1a, 0)}, seen(0x10, 0x1a), "not reached, " + unjudged},
	} {
		s := Image{Build: Build{Minimum: nx.Windows10}, Sites: []Site{c.seen}}
		if got := verdicts(Observe(Image{Sites: c.predicted}, s, noPool2)); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.name, got, c.want)
		}
	}
}

func noPool2(d nx.DDI) string {
	if d.Name == "ExAllocatePool2" {
		return "no such routine"
	}
	return ""
}

func verdicts(list []Observation) string {
	var parts []string
	for _, o := range list {
		s := string(o.Verdict)
		if o.Why != "" {
			s += ": " + o.Why
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}
