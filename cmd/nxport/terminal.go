package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/nxport/nxport/internal/report"
)

// terminal gives the file behind a stream if that is a terminal.
func terminal(w io.Writer) (*os.File, bool) {
	f, ok := w.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// widthOf gives the columns of a terminal; 80 where it does not say.
func widthOf(f *os.File) int {
	if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
		return n
	}
	return 80
}

// view says how a report is shown on standard output: on a terminal as wide as that is, and in colour.
func (c *common) view(stdout io.Writer) report.View {
	v := report.View{Suppressed: c.suppressed}
	if f, ok := terminal(stdout); ok && c.output == "" {
		v.Width = widthOf(f)
		v.Colour = !c.noColor && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && ansi(f)
	}
	return v
}

// portCommandLine is the command that ports what this command scans: with the same paths, and the flags that decide on
// what the builds are.
func portCommandLine(cmd *cobra.Command, args []string) string {
	words := []string{"nxport", "port"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		values, many := f.Value.(pflag.SliceValue)
		switch f.Name {
		case "config", "define", "include", "ddi":
			for _, value := range values.GetSlice() {
				words = append(words, "--"+f.Name, quote(value))
			}
		case "windows":
			if many {
				words = append(words, "--windows", quote(strings.Join(values.GetSlice(), ",")))
			}
		}
	})
	for i, arg := range args {
		if i == 0 && strings.HasPrefix(arg, "-") {
			words = append(words, "--")
		}
		words = append(words, quote(arg))
	}
	return strings.Join(words, " ")
}

// quote writes a word as a shell of this system wants it.
func quote(word string) string {
	special := func(c rune) bool {
		return !strings.ContainsRune(`%+,-./:=@_\`, c) && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c < 0x80
	}
	switch {
	case runtime.GOOS == "windows" && (word == "" || strings.ContainsFunc(word, special)):
		return `"` + word + `"`
	case runtime.GOOS != "windows" && (word == "" || strings.ContainsFunc(word, special) || strings.Contains(word, `\`)):
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	return word
}

// progress is a line on a terminal that tells how far a scan is. It stands still for a moment first, so that nothing
// flickers where a scan takes no time.
type progress struct {
	files, of, builds atomic.Int64
	drivers           atomic.Bool // it counts built drivers
	done, gone        chan struct{}
}

const (
	progressAfter = 300 * time.Millisecond
	progressEvery = 100 * time.Millisecond
)

// startProgress shows nothing where standard error is no terminal, or one that can't go back to the start of a line.
func startProgress(stderr io.Writer) *progress {
	p := &progress{done: make(chan struct{}), gone: make(chan struct{})}
	f, ok := terminal(stderr)
	if !ok || os.Getenv("TERM") == "dumb" {
		close(p.gone)
		return p
	}
	go p.show(f)
	return p
}

// update is called by the readers; what it keeps is shown at the next tick.
func (p *progress) update(files, of, builds int) {
	p.files.Store(int64(files))
	p.of.Store(int64(of))
	p.builds.Store(int64(builds))
}

// judge is update for built drivers.
func (p *progress) judge(drivers, of int) {
	p.drivers.Store(true)
	p.files.Store(int64(drivers))
	p.of.Store(int64(of))
}

func (p *progress) show(f *os.File) {
	defer close(p.gone)
	last := ""
	for wait := progressAfter; ; wait = progressEvery {
		select {
		case <-p.done:
			if last != "" {
				fmt.Fprintf(f, "\r%s\r", strings.Repeat(" ", len(last)))
			}
			return
		case <-time.After(wait):
		}
		line := p.line()
		line = line[:min(len(line), max(0, widthOf(f)-1))]
		fmt.Fprintf(f, "\r%s%s", line, strings.Repeat(" ", max(0, len(last)-len(line))))
		last = line
	}
}

func (p *progress) line() string {
	switch {
	case p.drivers.Load():
		return fmt.Sprintf("nxport: judged %d of %d drivers", p.files.Load(), p.of.Load())
	case p.of.Load() == 0:
		return "nxport: reading build files"
	}
	return fmt.Sprintf("nxport: read %d of %d files for %d builds", p.files.Load(), p.of.Load(), p.builds.Load())
}

// stop takes the line away.
func (p *progress) stop() {
	close(p.done)
	<-p.gone
}
