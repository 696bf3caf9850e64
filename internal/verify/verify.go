// Package verify holds the PowerShell script that has a driver checked by Driver Verifier on a Windows test machine.
package verify

import _ "embed"

//go:embed verify.ps1
var script string

// Script returns the script. It runs in Windows PowerShell 5.1, which every Windows 10 and 11 has, and is plain ASCII, as that
// reads a file without a mark in the code page of the machine.
func Script() string { return script }
