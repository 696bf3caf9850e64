//go:build !windows

package main

import "os"

// ansi says whether a terminal obeys ANSI sequences.
func ansi(*os.File) bool { return true }
