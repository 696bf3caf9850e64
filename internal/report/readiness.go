package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/hlk"
	"github.com/nxport/nxport/nx"
)

// Readiness is what a log of the lab kit says of a driver, beside what is in the driver.
type Readiness struct {
	Path, Log string // of the driver, and of the log
	Counted   int    // the checks that the log has of it
	Failed    []Failure
	// Undocumented are the calls of which nobody says which check sees them, if a check of requests failed.
	Undocumented []driver.Site
}

// Failure is a check that failed, and what in the driver it can be about.
type Failure struct {
	Check  nx.Check
	Count  *hlk.Count // nil where the log has a bug check only
	Stops  []StopAt
	Sites  []driver.Site // of a check of requests
	Layout []string      // of a check of the layout: what is wrong
}

// StopAt is a bug check, and where in the driver it is.
type StopAt struct {
	hlk.Stop
	Base    uint64        // where the driver was loaded; 0 where the log does not say
	Address *Address      // nil where the base is not known, or is that of another load
	Alike   []driver.Site // those that it can be without a base, as far as the address tells
}

// ReadinessText says what failed, what in the driver it can be about, and how to mend it.
func ReadinessText(w io.Writer, r Readiness, width int) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s, by %s: ", printable(r.Path), printable(r.Log))
	if len(r.Failed) == 0 {
		fmt.Fprintf(b, "nothing failed of %s. That holds for what ran when it was counted.\n", plural(r.Counted, "check"))
		return b.Flush()
	}
	fmt.Fprintf(b, "%s failed\n", plural(len(r.Failed), "check"))
	for _, f := range r.Failed {
		f.text(b, r.Path, width)
	}
	if len(r.Undocumented) > 0 {
		fmt.Fprintf(b, "\nWhich check counts the memory of these, which is executable always or by its caching type, is not documented\n")
		siteList(b, r.Undocumented)
	}
	return b.Flush()
}

func (f Failure) text(w io.Writer, path string, width int) {
	fmt.Fprintf(w, "\n%s", f.Check.Count)
	if f.Count != nil {
		fmt.Fprintf(w, ": %d (line %d of the log)", f.Count.N, f.Count.Line)
	}
	fmt.Fprintf(w, "\n  %s\n", numbered(f.Check))
	section(w, "What it means", f.Check.Means, width)
	for _, s := range f.Stops {
		s.text(w)
	}
	fmt.Fprintf(w, "\nIn %s\n", printable(path))
	switch {
	case len(f.Check.Kinds) > 0 && len(f.Sites) == 0:
		fmt.Fprintf(w, "  no call that is known to ask for it: is it the file that was tested? If so, it calls by a pointer.\n")
	case len(f.Check.Kinds) > 0:
		fmt.Fprintf(w, "  one or more of these calls, which ask for it, or may (one that runs often counts often):\n")
		siteList(w, f.Sites)
	case len(f.Layout) == 0:
		fmt.Fprintf(w, "  nothing of that: is it the file that was tested?\n")
	}
	for _, s := range f.Layout {
		fmt.Fprintf(w, "  %s\n", printable(s))
	}
	section(w, "How to mend it", f.Check.Fix, width)
}

// numbered gives the number and the name of a check.
func numbered(c nx.Check) string {
	if c.Code == 0 {
		return c.Name
	}
	return fmt.Sprintf("bug check 0x%X, parameter 1 %s: %s (nxport explain %s)", nx.VerifierBugCheck, c.ID(), c.Name, c.ID())
}

func siteList(w io.Writer, sites []driver.Site) {
	for _, s := range sites {
		var at []string
		for _, f := range s.Spot.Frames {
			at = append(at, frameText(f))
		}
		if len(at) == 0 && s.Function != "" {
			at = append(at, "in "+s.Function)
		}
		fmt.Fprintf(w, "%s\n", strings.TrimRight(printable(fmt.Sprintf("    0x%-6x  %-31s  %s", s.Spot.RVA, s.DDI.Name, strings.Join(at, "; inlined into "))), " "))
	}
}

func (s StopAt) text(w io.Writer) {
	p := s.Parameters
	fmt.Fprintf(w, "\nThe system stopped (line %d of the log): 0x%X (%s, 0x%x, 0x%x, 0x%x)%s\n", s.Line, nx.VerifierBugCheck, s.Check.ID(), p[0], p[1], p[2], s.tag())
	switch {
	case s.Address != nil:
		s.Address.text(w, "  ")
	case s.Stop.Address() == 0:
	case s.Base != 0:
		fmt.Fprintf(w, "  The address is outside of the driver, which was loaded at 0x%x: is it that of another start of Windows?\n", s.Base)
	case len(s.Alike) > 0:
		fmt.Fprintf(w, "  The log does not say where the driver was loaded. By the end of the address it is one of\n")
		siteList(w, s.Alike)
	default:
		fmt.Fprintf(w, "  The log does not say where the driver was loaded, and no call in it returns to an address that ends so.\n")
	}
}

// tag gives the pool tag as text, which tells the request.
func (s StopAt) tag() string {
	v := uint32(s.Parameters[2])
	text := string([]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})
	if !slices.Contains(s.Check.Kinds, nx.PoolType) || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' || c > '~' }) {
		return ""
	}
	return fmt.Sprintf(", pool tag '%s'", text)
}
