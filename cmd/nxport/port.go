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
	var to, kit string
	var write, force, unsafe bool
	cmd := &cobra.Command{
		Use:   "port [flags] PATH...",
		Short: "Opt drivers in to NX pool; prints a diff, or writes it with --write",
		Long: `port makes the smallest change that opts a driver in: the macro in its build files, and for POOL_NX_OPTIN the call
ExInitializeDriverRuntime(DrvRtPoolNxOptIn) in its entry routine. With --to explicit, each request names no-execute memory
instead: NonPagedPoolNx, POOL_NX_ALLOCATION, MdlMappingNoExecute, once where that is written. With --to pool2, the deprecated
allocators are replaced besides: by ExAllocatePool2 where all builds of a call start at Windows 10.0.19041, else by
ExAllocatePoolUninitialized and the like; a driver that starts below Windows 8 is opted in. The ported tree
is scanned again before anything is written; all files are written, or none. Standard output holds the diff alone.

auto-select takes the mechanism that the drivers use already; else POOL_NX_OPTIN_AUTO, which needs no call, where all of them are
known to start at Windows 8 or later; else POOL_NX_OPTIN. It says in two lines what decided, and what against the other.

With --kit mingw, nxpool.h (nxport header prints it) is added to the files of drivers that a kit without opt-ins compiles, behind the
include of the kit, and to the tree, if it is not there yet. It changes nothing where the kit has the opt-ins.

While it writes, the file .nxport-journal at the top of the tree names what is changed; a port that was interrupted leaves it,
and the next run puts the files back as they were. A file in a checkout of git is written only if it is as it was committed,
or with --force.

Requests whose memory seems to be executed are named first, with the signs of it, and stay executable: their file defines
POOL_NX_OPTOUT where all that is opted in there is executed, else they name NonPagedPoolExecute. What can't be kept so is left,
and named. Requests whose memory goes where it is not followed are named, too: that no sign is found proves nothing.

A build file that can't be read stops none of the others, but what it names is left alone.

Exit status: 0 done, or nothing to do; 1 something is left, or refused; 2 wrong usage or input that could not be read (the rest
is ported).`,
		Example: `  nxport port drivers/ | git apply
  nxport port --to optin --write drv.vcxproj`,
		Args: paths,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.port(cmd.OutOrStdout(), cmd.ErrOrStderr(), args, portFlags{to, kit, write, force, unsafe})
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&to, "to", string(port.AutoSelect), "the `mechanism`: "+strings.Join(port.Goals(), ", "))
	cmd.Flags().StringVar(&kit, "kit", "", "mingw: the `kit` has headers without opt-ins, which nxpool.h is added to (mingw-w64's, ReactOS's, Microsoft's before Windows 8)")
	cmd.Flags().BoolVar(&unsafe, "unsafe", false, "make changes, too, that may alter what the driver does (what an opt-in may break is named, and does not hold it back)")
	cmd.Flags().BoolVar(&write, "write", false, "write the change instead of printing it")
	cmd.Flags().BoolVar(&force, "force", false, "write files that hold what is not committed to git, too")
	return cmd
}

// portFlags are those of port alone.
type portFlags struct {
	to, kit              string
	write, force, unsafe bool
}

func (c *common) port(stdout, stderr io.Writer, args []string, f portFlags) error {
	if !slices.Contains(port.Goals(), f.to) {
		return fmt.Errorf("--to %q: want %s", f.to, strings.Join(port.Goals(), ", "))
	}
	if f.kit != "" && f.kit != "mingw" {
		return fmt.Errorf("--kit %q: want mingw, which serves mingw-w64's headers, ReactOS's, and Microsoft's from before Windows 8", f.kit)
	}
	o, err := c.options()
	if err != nil {
		return err
	}
	o.Unsafe, o.Header = f.unsafe, f.kit != ""
	recovered, err := port.Recover(args)
	for _, says := range recovered {
		fmt.Fprintln(stderr, "nxport:", says)
	}
	if err != nil {
		return err
	}
	r, err := port.Run(args, port.Goal(f.to), o)
	if err != nil {
		return asRefused(err)
	}
	problem := unreadable(stderr, r.First)
	if len(r.First.Images) == 0 {
		return problem
	}
	report.Risks(stderr, &r.Ported)
	if f.write {
		err = r.Write(f.force)
	} else {
		_, err = io.WriteString(stdout, edit.Diff(r.Changes))
	}
	if err != nil {
		return asRefused(err)
	}
	report.Port(stderr, &r.Ported, f.write)
	if problem != nil {
		return problem
	}
	if len(r.Left)+len(r.Refused) > 0 {
		return &exitError{status: findings}
	}
	return nil
}

// asRefused gives a refusal its exit status.
func asRefused(err error) error {
	if refused, ok := errors.AsType[*port.RefusedError](err); ok {
		return &exitError{status: findings, err: refused}
	}
	return err
}
