package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/internal/port"
	"github.com/nxport/nxport/internal/report"
)

func portCommand() *cobra.Command {
	var c common
	var to string
	var write, unsafe bool
	cmd := &cobra.Command{
		Use:   "port [flags] PATH...",
		Short: "Opt drivers in to NX pool; prints a diff, or writes it with --write",
		Long: `port makes the smallest change that opts a driver in: the macro in its build files, and for POOL_NX_OPTIN the call
ExInitializeDriverRuntime(DrvRtPoolNxOptIn) in its entry routine. With --to explicit, each request names no-execute memory
instead: NonPagedPoolNx, POOL_NX_ALLOCATION, MdlMappingNoExecute, once where that is written. The ported tree is scanned again before anything is
written; all files are written, or none. Standard output holds the diff alone.

It does not look yet for code that executes pool memory: such a request must keep executable memory.

Exit status: 0 done, or nothing to do; 1 something is left, or refused; 2 wrong usage or input that could not be read.`,
		Example: `  nxport port drivers/ | git apply
  nxport port --to optin --write drv.vcxproj`,
		Args: paths,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.port(cmd.OutOrStdout(), cmd.ErrOrStderr(), args, to, write, unsafe)
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&to, "to", string(port.AutoSelect), "the `mechanism`: "+strings.Join(port.Goals(), ", "))
	cmd.Flags().BoolVar(&unsafe, "unsafe", false, "make changes, too, that may alter what the driver does")
	cmd.Flags().BoolVar(&write, "write", false, "write the change instead of printing it")
	return cmd
}

func (c *common) port(stdout, stderr io.Writer, args []string, to string, write, unsafe bool) error {
	if !slices.Contains(port.Goals(), to) {
		return fmt.Errorf("--to %q: want %s", to, strings.Join(port.Goals(), ", "))
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	o.Unsafe = unsafe
	r, err := port.Run(args, port.Goal(to), o)
	if refused, ok := errors.AsType[*port.RefusedError](err); ok {
		return &exitError{status: findings, err: refused}
	}
	if err != nil {
		return err
	}
	if err := unreadable(stderr, r.First); err != nil {
		fmt.Fprintln(stderr, "nxport: nothing was changed")
		return err
	}
	if write {
		err = edit.Write(r.Changes)
	} else {
		_, err = io.WriteString(stdout, edit.Diff(r.Changes))
	}
	if err != nil {
		return err
	}
	report.Port(stderr, &r.Ported, write)
	if len(r.Left) > 0 {
		return &exitError{status: findings}
	}
	return nil
}
