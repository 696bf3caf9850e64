package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// ansi makes a console obey ANSI sequences; consoles before Windows 10 know none.
func ansi(f *os.File) bool {
	var mode uint32
	h := windows.Handle(f.Fd())
	if windows.GetConsoleMode(h, &mode) != nil {
		return false
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
