package main

import (
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

func TestPortCommandLine(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("quotes otherwise")
	}
	for args, want := range map[string]string{
		"drv":   "nxport port drv",
		"a b c": "nxport port a b c",
		"--config Release|x64 --config Debug|x64 drv": "nxport port --config 'Release|x64' --config 'Debug|x64' drv",
		"-D A=1 -I inc --ddi t.txt drv":               "nxport port --ddi t.txt --define A=1 --include inc drv",
		"--windows 6.1,10.0 -j 3 -o f drv":            "nxport port --windows 6.1,10.0 drv",
		"--format sarif --no-color it's":              `nxport port 'it'\''s'`,
		"-- -odd":                                     "nxport port -- -odd",
		"$HOME/*":                                     "nxport port '$HOME/*'",
		"d\u00fc":                                     "nxport port d\u00fc",
	} {
		got := ""
		cmd := scanCommand()
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			got = portCommandLine(cmd, args)
			return nil
		}
		cmd.SetArgs(strings.Split(args, " "))
		if err := cmd.Execute(); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", args, got, want, err)
		}
	}
}

// What is no terminal gets neither colours nor broken lines, and no progress.
func TestNoTerminal(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if v := (&common{}).view(f); v.Colour || v.Width != 0 {
		t.Errorf("a file is shown as %+v", v)
	}
	p := startProgress(f)
	p.update(1, 2, 3)
	p.stop()
	if info, err := f.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("progress went to a file: %v", err)
	}
	if got := p.line(); got != "nxport: read 1 of 2 files for 3 builds" {
		t.Errorf("progress is %q", got)
	}
	if p.judge(4, 5); p.line() != "nxport: judged 4 of 5 drivers" {
		t.Errorf("progress is %q", p.line())
	}
}
