// Command nxport moves Windows kernel-mode drivers to no-execute nonpaged pool.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	clean    = 0 // nothing at or above --fail-on
	findings = 1 // findings, or something a port left or refused
	unusable = 2 // wrong usage, or input that could not be read
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// exitError ends the program with a status; its text, if any, goes to standard error.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

// run is the program without its process: arguments in, exit status out.
func run(args []string, stdout, stderr io.Writer) int {
	root := &cobra.Command{
		Use:   "nxport",
		Short: "Moves Windows kernel-mode drivers to no-execute (NX) nonpaged pool",
		Long: `nxport finds every place where a Windows driver asks for executable memory, opts the driver in to NX pool with the
smallest correct change, and shows at run time that it worked. It needs no Windows and no driver kit.`,
		Version: version(), SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.AddCommand(scanCommand(), portCommand(), traceCommand(), explainCommand(), headerCommand(), verifyCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return clean
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, "nxport:", text)
	}
	if e, ok := errors.AsType[*exitError](err); ok {
		return e.status
	}
	return unusable // cobra's own errors are wrong usage
}
