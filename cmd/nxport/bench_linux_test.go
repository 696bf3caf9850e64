package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// BenchmarkImages judges the built drivers in the directory that NXPORT_BENCH_IMAGES names, as a process of its own, and in the same run
// lets sha256sum read them: CPU seconds of all processors, megabytes for each, peak memory, and how many times as much CPU it took.
func BenchmarkImages(b *testing.B) {
	dir := os.Getenv("NXPORT_BENCH_IMAGES")
	if dir == "" {
		b.Skip("make bench IMAGES=directory")
	}
	var drivers []string
	size := int64(0)
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.EqualFold(filepath.Ext(path), ".sys") {
			return err
		}
		info, err := e.Info()
		if err == nil {
			drivers, size = append(drivers, path), size+info.Size()
		}
		return err
	})
	if err != nil {
		b.Fatal(err)
	}
	nxport := builtTool(b)
	var scan, sum, peak float64
	for b.Loop() {
		seconds, memory := spent(b, nxport, "scan", "--format", "json", dir)
		scan, peak = scan+seconds, max(peak, memory)
		for list := range slices.Chunk(drivers, 1000) {
			seconds, _ = spent(b, "sha256sum", list...)
			sum += seconds
		}
	}
	b.ReportMetric(scan/float64(b.N), "cpu-s/op")
	b.ReportMetric(sum/float64(b.N), "sha256sum-cpu-s/op")
	b.ReportMetric(scan/sum, "times-sha256sum")
	b.ReportMetric(float64(size)*float64(b.N)/1e6/scan, "MB/cpu-s")
	b.ReportMetric(peak, "peak-MB")
}

// BenchmarkScan scans the tree that NXPORT_BENCH_TREE names, as a process of its own, and in the same run lets ripgrep look
// for one word in it: CPU seconds of all processors, peak memory in MB, and how many times as much CPU the scan took.
func BenchmarkScan(b *testing.B) {
	tree := os.Getenv("NXPORT_BENCH_TREE")
	if tree == "" {
		b.Skip("make bench TREE=directory")
	}
	nxport := builtTool(b)
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

// builtTool builds nxport as a process of its own, and gives its path.
func builtTool(b *testing.B) string {
	nxport := filepath.Join(b.TempDir(), "nxport")
	if out, err := exec.Command("go", "build", "-o", nxport, ".").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return nxport
}

// spent runs a command and gives its CPU seconds and its peak memory in MB. A status of 1 says what was found.
func spent(b *testing.B, name string, args ...string) (seconds, memory float64) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = nil
	err := cmd.Run()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 && (name == "rg" || name == "sha256sum") {
		b.Fatalf("%s: %v", name, err)
	}
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), float64(usage.Maxrss) / 1024
}
