package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/report"
	"github.com/nxport/nxport/internal/trace"
	"github.com/nxport/nxport/nx"
)

func traceCommand() *cobra.Command {
	var c common
	var timeout time.Duration
	cmd := &cobra.Command{
		Use:   "trace [flags] DRIVER.sys",
		Short: "Load a driver in Wine as several Windows versions and print what it asked for",
		Long: `trace loads a driver that you built into Wine, once as each Windows version, and prints the type or flags of every request
for memory that it makes until it is unloaded. It shows what the driver asks for on the paths that loading reaches, not
what a Windows would do with the request.

The driver runs as an ordinary process of yours: trace only what you built yourself.

Exit status: 0 traced; 2 wrong usage, or the driver could not be loaded.`,
		Example: "  nxport trace --windows 6.1,6.2,10.0 build/drv.sys",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("trace: name one .sys file, not %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.trace(cmd.OutOrStdout(), args[0], timeout)
		},
	}
	cmd.Flags().StringSliceVar(&c.windows, "windows", []string{"6.1", "10.0"}, "Windows `versions` to load it as")
	cmd.Flags().DurationVar(&timeout, "timeout", time.Minute, "longest `time` for loading the driver as one version")
	c.registerOutput(cmd, "text or json")
	return cmd
}

func (c *common) trace(stdout io.Writer, sys string, timeout time.Duration) error {
	if c.format != "text" && c.format != "json" {
		return fmt.Errorf("--format %q: want text or json", c.format)
	}
	o := trace.Options{Timeout: timeout}
	for _, s := range c.windows {
		w, err := nx.ParseVersion(s)
		if err != nil {
			return fmt.Errorf("--windows: %w", err)
		}
		o.Windows = append(o.Windows, w)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	images, err := trace.Run(ctx, sys, o)
	if err != nil {
		return plain(err)
	}
	show := report.TraceText
	if c.format == "json" {
		show = func(w io.Writer, images []driver.Image) error { return report.TraceJSON(w, images) }
	}
	return c.write(stdout, func(w io.Writer) error { return show(w, images) })
}
