package driver

import (
	"fmt"
	"slices"
	"testing"

	"github.com/nxport/nxport/nx"
)

// pool is a request for pool in a file with mechanism m, whose terms are written in the same file.
func pool(m nx.Mechanism, moment Moment, terms ...Term) Site {
	for i, t := range terms {
		terms[i].Tokens = slices.Clone(t.Tokens)
		for j := range t.Tokens {
			terms[i].Tokens[j].In = m
		}
	}
	return Site{Mechanism: m, Moment: moment, Value: Value{Terms: terms}, DDI: nx.DDI{Argument: 1, Kind: nx.PoolType}}
}

func TestOn(t *testing.T) {
	nonpaged := Term{Tokens: []Token{{Name: "NonPagedPool"}}}
	paged := Term{Tokens: []Token{{Name: "PagedPool"}}}
	unknown := pool(nx.None, After, paged)
	unknown.Value.Unknown = "because"
	both := pool(nx.None, After, nonpaged)
	both.Value.Unknown = "because"
	added := Site{Mechanism: nx.OptIn, Moment: After, Value: Value{Unknown: "because"},
		DDI: nx.DDI{Argument: 6, Kind: nx.MdlPriority, Remapped: true}}
	framework := Site{Moment: After, Value: Value{Unknown: "because"}, DDI: nx.DDI{Argument: 3, Kind: nx.PoolType, Adder: nx.Framework}}
	kit := Site{Moment: After, Value: Value{Terms: []Term{{}}},
		DDI: nx.DDI{Argument: 4, Kind: nx.LookasideFlags, Adder: nx.KitWindows8, AdderKit: nx.Windows81}}
	knownKit := kit
	knownKit.Built = nx.Built{Kit: nx.Windows10, Target: nx.Windows8}
	unknownFlags := knownKit
	unknownFlags.Value = Value{Unknown: "because"}
	video := Site{Moment: After, DDI: nx.DDI{Argument: 2, Kind: nx.PortDriver}, Value: Value{Terms: []Term{
		{Tokens: []Token{{Name: "VpPagedPool"}}}, {Tokens: []Token{{Name: "VpNonPagedPool"}}}}}}
	for _, tt := range []struct {
		name string
		site Site
		on   nx.Version
		want string
	}{
		{"before the call", pool(nx.OptIn, Before, nonpaged), nx.Windows10, "[0] yes"},
		{"after the call", pool(nx.OptIn, After, nonpaged), nx.Windows10, "[512] no"},
		{"after the call, on Windows 7", pool(nx.OptIn, After, nonpaged), nx.Windows7, "[0] yes"},
		{"before and after", pool(nx.OptIn, Before|After, nonpaged), nx.Windows10, "[0 512] maybe"},
		{"two values", pool(nx.None, After, nonpaged, paged), nx.Windows10, "[0 1] maybe"},
		{"two that are not executable", pool(nx.OptInAuto, After, nonpaged, paged), nx.Windows10, "[1 512] no"},
		{"NX pool below Windows 8", pool(nx.OptInAuto, After, nonpaged, paged), nx.Windows7, "[1 512] undefined"},
		{"OR-ed", pool(nx.OptInAuto, After, Term{Tokens: []Token{{Name: "NonPagedPool"}}, Bits: 16}), nx.Windows8, "[528] no"},
		{"partly unknown, the rest harmless", unknown, nx.Windows10, "[1] unknown"},
		{"partly unknown, the rest executable", both, nx.Windows10, "[0] maybe"},
		{"unknown, but the opt-in adds its bit", added, nx.Windows10, "[] no"},
		{"unknown, and it adds none on Windows 7", added, nx.Windows7, "[] unknown"},
		{"the caller's file decides", Site{Mechanism: nx.OptedOut, Moment: After, DDI: nx.DDI{Argument: 1, Kind: nx.PoolType},
			Value: Value{Terms: []Term{{Tokens: []Token{{Name: "NonPagedPool", In: nx.OptIn}}}}}}, nx.Windows10, "[512] no"},
		{"nothing known", pool(nx.None, After), nx.Windows10, "[] unknown"},
		{"unknown, but the framework adds the bit", framework, nx.Windows10, "[] no"},
		{"unknown, and it adds none on Windows 7", framework, nx.Windows7, "[] unknown"},
		{"the kit is not known", kit, nx.Windows10, "[0 512] maybe"},
		{"the kit is known", knownKit, nx.Windows10, "[512] no"},
		{"unknown flags, but the kit adds the bit", unknownFlags, nx.Windows10, "[] no"},
		{"the kit is known, on Windows 7", knownKit, nx.Windows7, "[0] yes"},
		{"one paged, of the other the port driver decides", video, nx.Windows10, "[0 1] unknown"},
		{"no argument decides", Site{DDI: nx.DDI{Kind: nx.Always}, Moment: After}, nx.Windows10, "[] yes"},
	} {
		o := tt.site.On(tt.on)
		if got := fmt.Sprint(o.Values, " ", o.Executable); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// A value that was read before the opt-in call stays what it was.
func TestWhenTokensAreEvaluated(t *testing.T) {
	at := func(m Moment) Term {
		return Term{Tokens: []Token{{Name: "NonPagedPool", At: m}, {Name: "POOL_ZERO_ALLOCATION"}}}
	}
	for _, tt := range []struct {
		at, moment Moment
		want       string
	}{
		{0, After, "[1536] no, in time [1536]"}, {After, After, "[1536] no, in time [1536]"},
		{Before, After, "[1024] yes, in time [1536]"}, {Before | After, After, "[1024 1536] maybe, in time [1536]"},
		{After, Before | After, "[1536] no, in time [1536]"}, {Initial, After, "[1024] yes, in time [1024]"},
	} {
		s := pool(nx.OptIn, tt.moment, at(tt.at))
		now, late := s.On(nx.Windows10), s.InTime().On(nx.Windows10)
		if got := fmt.Sprintf("%v %s, in time %v", now.Values, now.Executable, late.Values); got != tt.want {
			t.Errorf("at %d, moment %d: %s, want %s", tt.at, tt.moment, got, tt.want)
		}
		if early := tt.at&Before != 0; s.TooEarly() != early {
			t.Errorf("at %d, moment %d: too early is %v", tt.at, tt.moment, s.TooEarly())
		}
	}
}

func TestTooEarly(t *testing.T) {
	nonpaged, execute := Term{Tokens: []Token{{Name: "NonPagedPool"}}}, Term{Tokens: []Token{{Name: "NonPagedPoolExecute"}}}
	for _, tt := range []struct {
		site Site
		want bool
	}{
		{pool(nx.OptIn, Before, nonpaged), true}, {pool(nx.OptIn, Before|After, nonpaged), true},
		{pool(nx.OptIn, After, nonpaged), false}, {pool(nx.OptIn, Before, execute), false},
		{pool(nx.OptIn, Before, Term{Bits: 1}), false}, {pool(nx.OptInAuto, Before, nonpaged), false},
		{pool(nx.None, Before, nonpaged), false},
	} {
		if got := tt.site.TooEarly(); got != tt.want {
			t.Errorf("%+v: %v", tt.site, got)
		}
	}
}

func TestCompare(t *testing.T) {
	at := func(function, ddi string, line int) Site {
		return Site{Place: Place{Path: "a.c", Line: line, Offset: line}, Function: function, DDI: nx.DDI{Name: ddi}}
	}
	a := Image{Sites: []Site{at("F", "X", 1), at("F", "X", 2), at("F", "Y", 3), at("G", "X", 4)}}
	b := Image{Sites: []Site{at("F", "X", 11), at("F", "Y", 12), at("F", "X", 13), at("H", "X", 14)}}
	var got string
	for _, p := range Compare(a, b) {
		switch {
		case p.A == nil:
			got += fmt.Sprintf("-/%d ", p.B.Place.Line)
		case p.B == nil:
			got += fmt.Sprintf("%d/- ", p.A.Place.Line)
		default:
			got += fmt.Sprintf("%d/%d ", p.A.Place.Line, p.B.Place.Line)
		}
	}
	if want := "1/11 2/13 3/12 4/- -/14 "; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
