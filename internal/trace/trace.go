// Package trace loads a built driver in Wine, as one Windows version after the other, and returns what it asked for.
//
// Wine loads a kernel driver into an ordinary process of the user. That is no sandbox: load only drivers that you would
// run. The prefix that Wine works in is made for one call of [Run] and removed after it; the driver gets no display, no
// drive but C: of that prefix, and no network where the system lets an ordinary process do without.
//
// What a driver calls is seen by Wine's relay channel, which names each routine, its arguments and its return address
// on one line of text. It sees calls of exported routines, also of those that the driver looks up by name, and of those
// that a kit's macros and inline functions come down to. A lookaside list that refills itself within the kernel is seen
// once, where it is initialised.
package trace

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Options says what to load the driver as.
type Options struct {
	// Windows are the versions to run as, each one of 5.2, 6.0, 6.1, 6.2, 6.3 and 10.0; the build does not matter.
	Windows []nx.Version
	// Timeout is for each load, from starting Wine to having unloaded the driver. 0 means 30 seconds.
	Timeout time.Duration
}

const defaultTimeout = 30 * time.Second

// setupTimeout is for the making of a prefix: five seconds here, but a cold disk has to read 600 MB.
const setupTimeout = 2 * time.Minute

// wineNames are the names by which Wine knows the Windows versions.
var wineNames = map[nx.Version]string{
	nx.WindowsServer2003: "winxp64", // its XP is 32-bit
	nx.WindowsVista:      "vista",
	nx.Windows7:          "win7",
	nx.Windows8:          "win8",
	nx.Windows81:         "win81",
	nx.Windows10:         "win10",
}

func wineName(v nx.Version) (string, error) {
	if name, ok := wineNames[nx.Version{Major: v.Major, Minor: v.Minor}]; ok {
		return name, nil
	}
	return "", fmt.Errorf("cannot trace on %s: choose from 5.2, 6.0, 6.1, 6.2, 6.3 and 10.0", v.Name())
}

// Result is what a trace saw.
type Result struct {
	// Seen has an image for each Windows, in order, with a site for each request that was seen, in the order of the calls. On an
	// error it holds what was seen until then, the last image perhaps cut short.
	Seen []driver.Image
	// Binary has the driver's own calls of the routines that are looked for.
	Binary driver.Image
	// Networked says that the driver had this machine's network, since the system allows no process to do without.
	Networked bool

	exports exports
}

// Gap says why calls of a routine can't be seen in Wine, or "".
func (r *Result) Gap(d nx.DDI) string { return r.exports.gap(d) }

// Run loads the x64 driver sys as each of the versions, and unloads it again. On an error it also returns what was seen until
// then. Errors are one line and name the driver and the Windows version.
func Run(ctx context.Context, sys string, o Options) (*Result, error) {
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if len(o.Windows) == 0 {
		return nil, errors.New("no Windows version to trace on: choose from 5.2, 6.0, 6.1, 6.2, 6.3 and 10.0")
	}
	for _, v := range o.Windows {
		if _, err := wineName(v); err != nil {
			return nil, err
		}
	}
	d, err := openDriver(sys)
	if err != nil {
		return nil, err
	}
	w, err := findWine()
	if err != nil {
		return nil, err
	}
	sweep(w)
	p, err := newPrefix(ctx, w, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sys, err)
	}
	r := &Result{Binary: d.binary, Networked: !p.isolated, exports: p.exports()}
	err = p.loadAll(ctx, o, r)
	return r, errors.Join(err, p.close())
}

// loadAll fills in what is seen. A program that was started on a busy machine right after Wine's server had ended was seen to be ended,
// too, without a word; so what ends before the driver has run is tried once more.
func (p *prefix) loadAll(ctx context.Context, o Options, r *Result) error {
	for _, v := range o.Windows {
		l, err := p.load(ctx, v, o.Timeout)
		if err != nil && ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) && (l == nil || l.untouched()) {
			l, err = p.load(ctx, v, o.Timeout) // nothing of the driver has run
		}
		if l != nil {
			r.Seen = append(r.Seen, p.driver.sites(v, l.requests))
		}
		if err != nil {
			return fmt.Errorf("%s: on %s: %w", p.driver.image.Path, v.Name(), err)
		}
	}
	return nil
}

// file is the driver to load.
type file struct {
	image   *image.Image
	data    []byte
	binary  driver.Image        // its own calls
	located func(string) string // makes of a compiler's path the one to show
	origins map[caller]origin
}

// caller is what a request is known by, as far as its place in the driver goes.
type caller struct {
	ddi string
	rva uint32
}

// openDriver reads the file and refuses what Wine could not load as a driver, with a better reason than Wine's.
func openDriver(sys string) (*file, error) {
	t, err := tree.New([]string{sys})
	if err != nil {
		return nil, err
	}
	data, err := t.ReadOnce(sys)
	if err != nil {
		return nil, err
	}
	m, err := image.Parse(t.Clean(sys), data)
	switch {
	case err != nil:
		return nil, err
	case m.Processor != nx.X64:
		return nil, fmt.Errorf("%s: built for %s: Wine loads x64 drivers only; trace the x64 build", sys, m.Processor)
	case m.Subsystem != image.SubsystemNative:
		return nil, fmt.Errorf("%s: no kernel driver: its subsystem is %d, want 1 (native)", sys, m.Subsystem)
	case m.Entry == 0:
		return nil, fmt.Errorf("%s: the image has no entry routine: nothing runs when it is loaded", sys)
	}
	return &file{m, data, m.Driver(nx.DDIs(), t.Clean), t.Clean, map[caller]origin{}}, nil
}

// sites turns what was seen into the image of one Windows version. The values are what the kernel was handed, so no
// mechanism is left to apply.
func (f *file) sites(v nx.Version, requests []request) driver.Image {
	img := driver.Image{Build: driver.Build{
		ID: f.image.Path, Project: f.image.Path, Processor: nx.X64, Minimum: v, MinimumSource: "trace", Mechanism: nx.None,
		Initialised: driver.InitUnknown,
	}}
	for _, r := range requests {
		at := f.origin(r)
		site := driver.Site{
			Witness: driver.Trace, Place: driver.Place{Path: f.image.Path}, DDI: r.ddi, Mechanism: nx.None, Moment: driver.After,
			Seen: &driver.Request{Windows: v, Value: r.value, Size: r.size, Tag: r.tag, RVA: r.rva, Jump: at.jump, Frames: at.frames},
		}
		if r.ddi.Argument != 0 {
			site.Value.Terms = []driver.Term{{Bits: r.value}}
		}
		img.Sites = append(img.Sites, site)
	}
	return img
}

// origin is where in the driver a request comes from.
type origin struct {
	jump   uint32
	frames []driver.Frame
}

// origin finds the source of a request. A return address behind a call of the driver's own means that the function it
// calls jumps to the routine as its last act: then the source is there, and the call is one frame further out.
func (f *file) origin(r request) origin {
	key := caller{r.ddi.Name, r.rva}
	if at, known := f.origins[key]; known {
		return at
	}
	at := origin{}
	if r.rva != 0 {
		at.frames, _ = f.image.Located(r.rva-1, f.located) // within the call; without lines it is an address
	}
	jumps := f.jumps(r)
	switch {
	case len(jumps) == 1:
		spot := jumps[0].Spot
		at = origin{spot.RVA, append(slices.Clone(spot.Frames), at.frames...)}
	case len(jumps) > 1:
		at.frames = nil // it is one of them
	}
	f.origins[key] = at
	return at
}

// jumps gives the jumps to the routine that a request may have come by; none where a call of it stands before its return address.
func (f *file) jumps(r request) []*driver.Site {
	another := func(s *driver.Site) bool { return s.DDI.Name != r.ddi.Name }
	if called := slices.DeleteFunc(f.image.Jumps(f.binary.Sites, r.rva), another); len(called) > 0 {
		return called
	}
	var all []*driver.Site
	for i := range f.binary.Sites {
		switch s := &f.binary.Sites[i]; {
		case another(s):
		case r.rva != 0 && s.Spot.Return == r.rva:
			return nil
		case s.Spot.Return == 0:
			all = append(all, s)
		}
	}
	return all
}
