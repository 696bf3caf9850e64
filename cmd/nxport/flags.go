package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/nx"
)

// common holds the flags that several verbs share.
type common struct {
	format, output, failOn string
	configs, windows       []string
	defines, includes      []string
	ddi                    []string
	jobs                   int
	noColor, suppressed    bool
}

func (c *common) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&c.configs, "config", nil, "only builds of this `configuration|platform`, as 'Release|x64' (repeatable; default all)")
	f.StringSliceVar(&c.windows, "windows", nil, "Windows `versions` to judge for, as 6.1,10.0 (default: the build's minimum, 6.1, 6.2, 10.0)")
	f.StringArrayVarP(&c.defines, "define", "D", nil, "define `NAME[=VALUE]` in every unit")
	f.StringArrayVarP(&c.includes, "include", "I", nil, "look for headers in `directory` too")
	f.StringArrayVar(&c.ddi, "ddi", nil, "read more DDIs from `file`, in the format of nx/ddi.txt")
	f.IntVarP(&c.jobs, "jobs", "j", runtime.GOMAXPROCS(0), "`number` of units read at once")
}

func (c *common) registerOutput(cmd *cobra.Command, formats string) {
	cmd.Flags().StringVar(&c.format, "format", "text", "`format` of the report: "+formats)
	cmd.Flags().StringVarP(&c.output, "output", "o", "", "write the report to `file` instead of standard output")
}

// options turns the flags into those of a scan.
func (c *common) options() (o scan.Options, err error) {
	o.Load.Configs, o.Load.Defines, o.Load.Includes = c.configs, c.defines, c.includes
	o.Jobs = c.jobs
	for _, s := range c.windows {
		w, err := nx.ParseVersion(s)
		if err != nil {
			return o, fmt.Errorf("--windows: %w", err)
		}
		o.Windows = append(o.Windows, w)
	}
	o.DDIs = nx.DDIs()
	for _, name := range c.ddi {
		more, err := readDDIs(name)
		if err != nil {
			return o, fmt.Errorf("--ddi: %w", err)
		}
		o.DDIs = slices.DeleteFunc(o.DDIs, func(d nx.DDI) bool {
			return slices.ContainsFunc(more, func(m nx.DDI) bool { return m.Name == d.Name })
		})
		o.DDIs = append(o.DDIs, more...)
	}
	return o, nil
}

func readDDIs(name string) ([]nx.DDI, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, plain(err)
	}
	defer f.Close()
	return nx.ParseDDIs(name, f)
}

// plain takes the system call out of a file error: "path: reason".
func plain(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return fmt.Errorf("%s: %w", pe.Path, pe.Err)
	}
	return err
}

// write lets fn write the report to standard output or to the file of -o. A new or regular file appears only when it is
// whole, with the mode it had; into a link or a device is written as it stands.
func (c *common) write(stdout io.Writer, fn func(io.Writer) error) error {
	if c.output == "" {
		return fn(stdout)
	}
	mode := os.FileMode(0o644)
	if info, err := os.Lstat(c.output); err == nil {
		if !info.Mode().IsRegular() {
			return c.writeThrough(fn)
		}
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(c.output), ".nxport-*")
	if err != nil {
		return fmt.Errorf("-o: %s: %w", c.output, errors.Unwrap(err))
	}
	err = errors.Join(fn(f), f.Chmod(mode), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.output)
	}
	if err != nil {
		os.Remove(f.Name())
		return fmt.Errorf("-o: %s: %w", c.output, err)
	}
	return nil
}

func (c *common) writeThrough(fn func(io.Writer) error) error {
	f, err := os.OpenFile(c.output, os.O_WRONLY|os.O_TRUNC, 0)
	if err != nil {
		return fmt.Errorf("-o: %w", plain(err))
	}
	return errors.Join(fn(f), f.Close())
}

// threshold reads --fail-on; the second result is false for never.
func threshold(s string) (rule.Level, bool, error) {
	switch s {
	case "error":
		return rule.Error, true, nil
	case "warning":
		return rule.Warning, true, nil
	case "note":
		return rule.Note, true, nil
	case "never":
		return 0, false, nil
	}
	return 0, false, fmt.Errorf("--fail-on %q: want error, warning, note or never", s)
}

// paths are the arguments of a verb, at least one.
func paths(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("%s: name at least one path (see nxport %s --help)", cmd.Name(), cmd.Name())
	}
	return nil
}

// version is that of the module, as the go command recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || strings.TrimSpace(info.Main.Version) == "" {
		return "unknown"
	}
	return info.Main.Version
}
