package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/scan"
	"github.com/nxport/nxport/internal/trace"
	"github.com/nxport/nxport/nx"
)

func traceCommand() *cobra.Command {
	var c common
	var timeout time.Duration
	var sources []string
	cmd := &cobra.Command{
		Use:   "trace [flags] DRIVER.sys",
		Short: "Load a driver in Wine as several Windows versions and print what it asked for",
		Long: `trace loads a driver that you built into Wine, once as each Windows version, and prints the type or flags of every request
for memory that it makes until it is unloaded: with the address behind the call and, where the image has DWARF, the line of
the source. With --source it also scans that source, and holds what scan predicts of each request against what was seen.

It shows what the driver asks for on the paths that loading and unloading it reach, not what a Windows would do with the
request; docs/trace.md says more.

The driver runs as an ordinary process of yours: trace only what you built yourself.

Exit status: 0 traced; 1 a prediction disagrees with what was seen; 2 wrong usage, or the driver could not be loaded.`,
		Example: `  nxport trace --windows 6.1,6.2,10.0 build/drv.sys
  nxport trace --source drv.vcxproj --config 'Release|x64' build/drv.sys`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("trace: name one .sys file, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.trace(cmd, args[0], sources, timeout)
		},
	}
	c.register(cmd)
	windows := cmd.Flags().Lookup("windows")
	windows.Usage, windows.DefValue = "Windows `versions` to load it as", "[6.1,10.0]"
	cmd.Flags().StringArrayVar(&sources, "source", nil, "compare with a scan of this `path`, as scan takes it (repeatable)")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "longest `time` for loading the driver as one version")
	c.registerOutput(cmd, "text or json")
	return cmd
}

// traceFormats are those of a trace.
var traceFormats = map[string]func(io.Writer, report.Trace) error{"text": report.TraceText, "json": report.TraceJSON}

func (c *common) trace(cmd *cobra.Command, sys string, sources []string, timeout time.Duration) error {
	show := traceFormats[c.format]
	if show == nil {
		return fmt.Errorf("--format %q: want text or json", c.format)
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	if len(o.Windows) == 0 {
		o.Windows = []nx.Version{nx.Windows7, nx.Windows10}
	}
	var predicted *driver.Image
	if len(sources) > 0 { // before Wine is started: what is wrong with the source is said at once
		if predicted, err = predict(cmd.ErrOrStderr(), sources, o); err != nil {
			return err
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	r, err := trace.Run(ctx, sys, trace.Options{Windows: o.Windows, Timeout: timeout})
	if r == nil {
		return plain(err)
	}
	if r.Networked {
		fmt.Fprintln(cmd.ErrOrStderr(), "nxport: note: the driver had this machine's network: the system allows no process to do without")
	}
	t := traced(r, predicted)
	if written := c.write(cmd.OutOrStdout(), func(w io.Writer) error { return show(w, t) }); written != nil || err != nil {
		return errors.Join(written, err) // what was seen until then is shown first
	}
	if disagrees(t.Source) {
		return &exitError{status: findings}
	}
	return nil
}

// traced puts the predictions beside what was seen.
func traced(r *trace.Result, predicted *driver.Image) report.Trace {
	t := report.Trace{Seen: r.Seen}
	for _, seen := range r.Seen {
		t.Binary = append(t.Binary, driver.Observe(r.Binary, seen, r.Gap))
		if predicted != nil {
			t.Source, t.Build = append(t.Source, driver.Observe(*predicted, seen, r.Gap)), predicted.Build.ID
		}
	}
	return t
}

func disagrees(lists [][]driver.Observation) bool {
	return slices.ContainsFunc(slices.Concat(lists...), func(o driver.Observation) bool { return o.Verdict == driver.Disagree })
}

// predict scans the source for the build of the driver.
func predict(stderr io.Writer, sources []string, o scan.Options) (*driver.Image, error) {
	r, err := scan.Run(sources, o)
	if err != nil {
		return nil, err
	}
	if err := unreadable(stderr, r); err != nil {
		return nil, err
	}
	m, err := r.Prediction(nx.X64, o.Windows) // which is what Wine loads
	if err != nil {
		return nil, fmt.Errorf("--source: %w", err)
	}
	return &m, nil
}
