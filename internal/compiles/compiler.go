package compiles

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/nxport/nxport/internal/project"
	"github.com/nxport/nxport/nx"
)

// Compiler is a clang and what it is to be told.
type Compiler struct {
	Command []string // the program, and arguments for every unit
	Kit     []string // directories of the kit's headers, in search order
	Jobs    int      // units at once
}

// Limits on what one unit may take.
const (
	maxMissing = 50 // headers that are taken to be empty
	maxTime    = 5 * time.Minute
)

// stubs is the directory of headers that are missing and taken to be empty. It lies deep enough for ../../x.h.
const stubs = "stubs/1/2/3/4"

// dialect makes clang read what cl does. Warnings are of no interest.
var dialect = strings.Fields("-fms-compatibility -fms-extensions -fms-compatibility-version=19.39 -fsyntax-only -w -ferror-limit=0 -nostdinc " +
	"-fno-caret-diagnostics -fno-color-diagnostics -D_KERNEL_MODE=1")

// languages: in C, the kit's excpt.h is what makes try and its like keywords.
var languages = map[project.Language][]string{
	project.C:   strings.Fields("-x c -std=gnu11 -Dtry=__try -Dexcept=__except -Dfinally=__finally -Dleave=__leave"),
	project.CXX: strings.Fields("-x c++ -std=c++17"),
}

var targets = map[nx.Processor]string{
	nx.X86: "i686-pc-windows-msvc", nx.X64: "x86_64-pc-windows-msvc", nx.ARM: "thumbv7-pc-windows-msvc", nx.ARM64: "aarch64-pc-windows-msvc",
}

// arguments are those of the unit's own options.
func arguments(u *project.Unit) []string {
	o := u.Options
	args := append([]string{"--target=" + cmp.Or(targets[o.Processor], targets[nx.X64])}, languages[o.Language]...)
	for _, d := range o.Defines {
		args = append(args, "-D"+d.Name+"="+d.Value)
	}
	for _, name := range o.Undefines {
		args = append(args, "-U"+name)
	}
	for _, dir := range o.Includes {
		args = append(args, "-I"+dir)
	}
	for _, file := range o.Forced {
		args = append(args, "-include", file)
	}
	return args
}

// Error is one that the compiler reports.
type Error struct {
	At    string // path:line:column, "" where it has no place
	Says  string
	Build string
	Fatal bool // the compiler reads no further
	InKit bool
}

func (e Error) String() string { return fmt.Sprintf("%s: %s (%s)", e.At, e.Says, e.Build) }

func (e Error) compare(f Error) int {
	return cmp.Or(cmp.Compare(e.At, f.At), cmp.Compare(e.Says, f.Says))
}

// position is a line and a column, which a port moves.
var position = regexp.MustCompile(`:\d+:\d+`)

// key is what an error has in common with itself after lines were inserted above it.
func (e Error) key() string { return position.ReplaceAllString(e.At+"\x00"+e.Says, "") }

var (
	diagnostic = regexp.MustCompile(`^(?:(.*:\d+:\d+): |[^:]*: )?(fatal )?error: (.*)$`)
	missing    = regexp.MustCompile(`^'(.+)' file not found$`)
)

// compile gives the errors of a unit. A header that is nowhere is taken to be empty, as those that other tools would generate.
func (c Compiler) compile(u *project.Unit, build, overlay, stubs string) ([]Error, error) {
	args := append(append(c.Command[1:len(c.Command):len(c.Command)], dialect...), "-ivfsoverlay", overlay)
	args = append(args, arguments(u)...)
	for _, dir := range append(c.Kit[:len(c.Kit):len(c.Kit)], stubs) {
		args = append(args, "-isystem", dir)
	}
	args = append(args, u.Path)
	tried := map[string]bool{}
	for {
		list, err := c.once(args, build)
		if err != nil || len(list) == 0 || len(tried) == maxMissing {
			return list, err
		}
		m := missing.FindStringSubmatch(list[len(list)-1].Says)
		if m == nil || tried[m[1]] || !stub(stubs, m[1]) {
			return list, nil
		}
		tried[m[1]] = true
	}
}

// stub writes an empty header, which another unit may do at the same time, and says whether that is of any use.
func stub(dir, name string) bool {
	top := filepath.Join(dir, "../../../..")
	file := filepath.Join(dir, filepath.FromSlash(strings.ReplaceAll(name, `\`, "/")))
	if inside, err := filepath.Rel(top, file); err != nil || !filepath.IsLocal(inside) || filepath.IsAbs(name) {
		return false
	}
	return os.MkdirAll(filepath.Dir(file), 0o755) == nil && os.WriteFile(file, nil, 0o644) == nil
}

// once runs the compiler.
func (c Compiler) once(args []string, build string) (list []Error, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), maxTime)
	defer cancel()
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.Command[0], args...)
	cmd.Stderr = &stderr
	err = cmd.Run()
	for line := range strings.Lines(stderr.String()) {
		if m := diagnostic.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			inKit := slices.ContainsFunc(c.Kit, func(dir string) bool { return strings.HasPrefix(m[1], dir+string(filepath.Separator)) })
			list = append(list, Error{m[1], m[3], build, m[2] != "", inKit})
		}
	}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		if len(list) == 0 { // it crashed, or took too long
			list = []Error{{"", args[len(args)-1] + ": the compiler ended with " + exit.String(), build, true, false}}
		}
		err = nil
	}
	return list, err
}
