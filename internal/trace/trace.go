// Package trace loads a built driver in Wine, as one Windows version after the other, and returns what it asked for.
//
// Wine loads a kernel driver into an ordinary process of the user. That is no sandbox: load only drivers that you would
// run. The prefix that Wine works in is made for one call of [Run] and removed after it; the driver gets no display and
// no drive but C: of that prefix.
//
// What a driver calls is seen by Wine's relay channel, which names each routine, its arguments and its return address
// on one line of text. It sees calls into the kernel's exports only; a lookaside list that refills itself within the
// kernel is seen once, where it is initialised.
package trace

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/nxport/nxport/internal/driver"
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

// Run loads the x64 driver sys as each of the versions, unloads it again, and returns one image for each, in order,
// with a site for each request seen, in the order of the calls. On an error it also returns the images seen until
// then, the last of them perhaps cut short. Errors are one line and name the driver and the Windows version.
func Run(ctx context.Context, sys string, o Options) ([]driver.Image, error) {
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
	p, err := newPrefix(ctx, w, d)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", sys, err)
	}
	images, err := loadAll(ctx, p, d, o)
	return images, errors.Join(err, p.close())
}

func loadAll(ctx context.Context, p *prefix, d image, o Options) ([]driver.Image, error) {
	var images []driver.Image
	for _, v := range o.Windows {
		l, err := p.load(ctx, v, o.Timeout)
		if l != nil {
			images = append(images, d.sites(v, l.requests))
		}
		if err != nil {
			return images, fmt.Errorf("%s: on %s: %w", d.path, v.Name(), err)
		}
	}
	return images, nil
}

// sites turns what was seen into the image of one Windows version. The values are what the kernel was handed, so no
// mechanism is left to apply.
func (d image) sites(v nx.Version, requests []request) driver.Image {
	path := filepath.ToSlash(d.path)
	img := driver.Image{Build: driver.Build{
		ID: path, Project: path, Processor: nx.X64, Minimum: v, MinimumSource: "trace", Mechanism: nx.None,
		Initialised: driver.InitUnknown,
	}}
	for _, r := range requests {
		site := driver.Site{
			Witness: driver.Trace, Place: driver.Place{Path: path}, DDI: r.ddi, Mechanism: nx.None, Moment: driver.After,
			Seen: &driver.Request{Windows: v, Value: r.value, Size: r.size, Tag: r.tag, RVA: r.rva},
		}
		if r.ddi.Argument != 0 {
			site.Value.Terms = []driver.Term{{Bits: r.value}}
		}
		img.Sites = append(img.Sites, site)
	}
	return img
}
