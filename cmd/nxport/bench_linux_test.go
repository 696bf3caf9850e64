package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// BenchmarkScan scans the tree that NXPORT_BENCH_TREE names, as a process of its own, and in the same run lets ripgrep look
// for one word in it: CPU seconds of all processors, peak memory in MB, and how many times as much CPU the scan took.
func BenchmarkScan(b *testing.B) {
	tree := os.Getenv("NXPORT_BENCH_TREE")
	if tree == "" {
		b.Skip("make bench TREE=directory")
	}
	nxport := filepath.Join(b.TempDir(), "nxport")
	if out, err := exec.Command("go", "build", "-o", nxport, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	var scan, grep, peak float64
	for b.Loop() {
		seconds, memory := spent(b, nxport, "scan", "--format", "json", tree)
		scan, peak = scan+seconds, max(peak, memory)
		seconds, _ = spent(b, "rg", "--count", "NonPagedPool", tree)
		grep += seconds
	}
	b.ReportMetric(scan/float64(b.N), "cpu-s/op")
	b.ReportMetric(grep/float64(b.N), "rg-cpu-s/op")
	b.ReportMetric(scan/grep, "times-rg")
	b.ReportMetric(peak, "peak-MB")
}

// spent runs a command and gives its CPU seconds and its peak memory in MB. A status of 1 says what was found.
func spent(b *testing.B, name string, args ...string) (seconds, memory float64) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = nil
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 && name == "rg" {
		b.Fatalf("%s: %v", name, err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), float64(usage.Maxrss) / 1024
}
