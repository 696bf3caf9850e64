package scan

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"os"
	"path"
	"runtime"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/image"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Named is what a command line names: built drivers, those in directories too, and what may hold source.
type Named struct {
	Images []string // sorted, each once
	Files  []string // those of the Images that were named themselves
	Source []string // the other paths, as they were named; directories are among them
}

// Sort finds the built drivers among the named paths.
func Sort(paths []string) (Named, error) {
	t, err := tree.New(paths)
	if err != nil {
		return Named{}, err
	}
	var n Named
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return n, err // tree.New looked already
		case info.Mode().IsRegular() && (isBuilt(p) || isImage(p)):
			n.Files = append(n.Files, t.Clean(p))
			continue
		case info.IsDir():
			files, err := t.Walk(p)
			if err == nil { // else who reads the source says so
				n.Images = append(n.Images, slices.DeleteFunc(files, func(f string) bool { return !isBuilt(f) })...)
			}
		}
		n.Source = append(n.Source, p)
	}
	slices.Sort(n.Files)
	n.Images = append(n.Images, n.Files...)
	slices.Sort(n.Images)
	n.Images = slices.Compact(n.Images)
	return n, nil
}

// isBuilt says whether a file is a built driver by its name: export drivers may be called .dll, as much else is.
func isBuilt(p string) bool {
	ext := strings.ToLower(path.Ext(strings.ReplaceAll(p, `\`, "/")))
	return ext == ".sys" || ext == ".dll"
}

// isImage says whether a file begins as one does, whatever its name.
func isImage(p string) bool {
	f, err := os.Open(p)
	if err != nil {
		return false // who reads the source says so
	}
	defer f.Close()
	var head [2]byte
	_, err = io.ReadFull(f, head[:])
	return err == nil && string(head[:]) == "MZ"
}

// window is how many built drivers, for each that is judged at once, may wait for one before them.
const window = 4

// ballast is memory that is asked for and never touched: of a heap that is so much larger, the collector runs seldom. Each image leaves many
// times of what it holds: collecting after each of them takes longer (make bench IMAGES=directory, with another number here).
const ballast = 40 << 20

// job is a file to judge, and what it comes to.
type job struct {
	path string
	done chan *report.Built
}

// Images judges built drivers, several at once, and gives them in the order of their paths. No more of them are in memory than are
// judged at once or wait. What has the name of a library and is none of the kernel is left out, if it was not named itself.
func Images(n Named, o Options) (iter.Seq[report.Built], error) {
	t, err := tree.New(n.Source)
	if err != nil {
		return nil, err
	}
	jobs := max(o.Jobs, 1)
	return func(yield func(report.Built) bool) {
		defer runtime.KeepAlive(make([]byte, ballast))
		todo, waiting, stop := make(chan job), make(chan job, window*jobs), make(chan bool)
		defer close(stop)
		for range jobs {
			go func() {
				var b bytes.Buffer
				for j := range todo {
					_, named := slices.BinarySearch(n.Files, j.path)
					j.done <- judge(t, j.path, &b, named, o)
				}
			}()
		}
		go func() {
			defer close(todo)
			defer close(waiting)
			for _, p := range n.Images {
				j := job{p, make(chan *report.Built, 1)}
				select {
				case waiting <- j:
				case <-stop:
					return
				}
				todo <- j
			}
		}()
		for i := 0; ; i++ {
			if o.Judged != nil {
				o.Judged(i, len(n.Images))
			}
			j, more := <-waiting
			if !more {
				return
			}
			if b := <-j.done; b != nil && !yield(*b) {
				return
			}
		}
	}, nil
}

// judge reads and judges one file; nil where it is no driver. What it gives holds on to nothing of the buffer.
func judge(t *tree.Tree, p string, buffer *bytes.Buffer, named bool, o Options) *report.Built {
	b := &report.Built{}
	b.Build.ID, b.Build.Project = p, p
	data, err := t.ReadInto(buffer, p)
	var m *image.Image
	if err == nil {
		m, err = image.Parse(p, data)
	}
	library := !named && strings.EqualFold(path.Ext(p), ".dll")
	switch {
	case !named && err != nil && isText(data):
		return nil
	case library && (err != nil || m.Subsystem != image.SubsystemNative || !m.Kernel()):
		return nil
	case err != nil:
		b.Unreadable = strings.TrimPrefix(err.Error(), p+": ")
		return b
	}
	b.Image = m.Driver(o.DDIs, t.Clean)
	b.Build.Windows = versions(o.Windows, b.Build.Minimum)
	b.Findings = rule.Built(&b.Image)
	if named && o.Source != nil {
		o.Source.hold(b)
	}
	return b
}

// isText says whether a file has no more of a driver than its name: DOS had a CONFIG.SYS.
func isText(data []byte) bool {
	return data != nil && !bytes.HasPrefix(data, []byte("MZ")) && !tree.IsBinary(data)
}

// hold puts what the source predicts beside a built driver. It may say nothing: then it says why.
func (r *Result) hold(b *report.Built) {
	b.Held = true
	if b.Build.Processor == nx.ARM {
		b.NotHeld = "its code is not read"
		return
	}
	predicted, err := r.Prediction(b.Build.Processor, b.Build.Windows)
	if err != nil {
		b.NotHeld = err.Error()
		return
	}
	windows := slices.DeleteFunc(slices.Clone(b.Build.Windows), func(w nx.Version) bool { return w.Before(predicted.Build.Minimum) })
	if len(windows) == 0 {
		b.NotHeld = fmt.Sprintf("%s starts at %s, and is judged for no Windows that the image is judged for", predicted.Build.ID, predicted.Build.Minimum.Name())
		return
	}
	b.Source, b.Matches = predicted.Build.ID, driver.Hold(predicted, b.Image, windows)
	b.Findings = append(b.Findings, rule.Differences(&b.Image, b.Matches)...)
	rule.SortBuilt(b.Findings)
}
