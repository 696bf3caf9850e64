package trace

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nxport/nxport/nx"
)

// service is the name the driver is loaded by, whatever its file is called.
const service = "nxtrace"

// wine holds the two programs of Wine.
type wine struct {
	loader, server string
}

func findWine() (wine, error) {
	loader, err := exec.LookPath("wine")
	if err != nil {
		return wine{}, errors.New("wine is not in PATH: install Wine 8 (Debian: apt install wine wine64) to trace a driver")
	}
	server, err := exec.LookPath("wineserver")
	if err != nil {
		return wine{}, fmt.Errorf("wineserver is not in PATH, though %s is: add the directory of Wine's programs to PATH", loader)
	}
	return wine{loader, server}, nil
}

// prefix is a Windows of Wine's making, with the driver as one of its services.
type prefix struct {
	wine
	driver   *file
	root     string // holds the prefix itself and what is written for it
	lock     *os.File
	isolated bool // its programs have no network
}

// directories is how the temporary directories of prefixes are called.
const directories = "nxport-trace-"

// newPrefix makes a prefix in a temporary directory. It takes 700 MB while it lives.
func newPrefix(ctx context.Context, w wine, d *file) (p *prefix, err error) {
	root, err := os.MkdirTemp("", directories)
	if err != nil {
		return nil, err
	}
	p = &prefix{wine: w, driver: d, root: root}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close())
		}
	}()
	if p.lock, err = lock(root); err != nil {
		return p, err
	}
	p.isolated = canIsolate()
	ctx, cancel := context.WithTimeout(ctx, setupTimeout)
	defer cancel()
	if err := p.setup(ctx, "wineboot", "-i"); err != nil {
		return p, err
	}
	if err := p.removeDrives(); err != nil {
		return p, err
	}
	return p, os.WriteFile(p.c("windows", "system32", "drivers", service+".sys"), d.data, 0o644)
}

// c is a path on drive C: of the prefix.
func (p *prefix) c(elem ...string) string {
	return filepath.Join(append([]string{p.root, "prefix", "drive_c"}, elem...)...)
}

// removeDrives takes away all drives but C:, and the ports: Z: is the root of this machine.
func (p *prefix) removeDrives() error {
	devices := filepath.Join(p.root, "prefix", "dosdevices")
	entries, err := os.ReadDir(devices)
	if err != nil {
		return fmt.Errorf("wineboot made no drives: %w", err)
	}
	for _, e := range entries {
		if e.Name() != "c:" {
			if err := os.Remove(filepath.Join(devices, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// close ends what runs in the prefix and removes it. It does so after a cancelled context as well, so it takes none.
func (p *prefix) close() error {
	p.shutdown()
	if p.lock != nil {
		defer p.lock.Close()
	}
	err := os.RemoveAll(p.root)
	if err != nil { // a dying process may have written once more
		time.Sleep(time.Second)
		err = os.RemoveAll(p.root)
	}
	return err
}

// sweep removes what traces left that were killed before they could: the prefixes of which nobody holds the lock.
func sweep(w wine) {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), directories+"*"))
	for _, root := range left {
		if held, err := relock(root); err == nil {
			p := prefix{wine: w, root: root, lock: held}
			_ = p.close() // the next one may have more luck
		}
	}
}

// shutdown ends all processes of the prefix, by Wine's own means, which know them, and waits until they are gone. It
// also writes the registry out. Errors have no consequence: a prefix without a server has nothing to end.
func (p *prefix) shutdown() {
	if _, err := os.Stat(filepath.Join(p.root, "prefix")); err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_ = p.command(ctx, p.server, "", "-k").Run()
	if p.command(ctx, p.server, "", "-w").Run() != nil {
		last, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = p.command(last, p.server, "", "-k9").Run()
	}
	p.endStragglers()
}

// endStragglers ends what the server did not know yet when it was told to end: on a busy machine a process that was just
// started. Such a one is found by its environment, where the system shows that (/proc).
func (p *prefix) endStragglers() {
	ours := []byte("WINEPREFIX=" + filepath.Join(p.root, "prefix") + "\x00")
	for range 20 {
		environments, _ := filepath.Glob("/proc/[0-9]*/environ")
		found := false
		for _, path := range environments {
			env, err := os.ReadFile(path)
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			if err != nil || pid == os.Getpid() || !bytes.Contains(env, ours) {
				continue
			}
			if process, err := os.FindProcess(pid); err == nil {
				found = process.Kill() == nil || found
			}
		}
		if !found {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// kept are the variables of our own environment that Wine's programs may need to be found and started.
var kept = []string{
	"PATH", "LD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "WINELOADER", "WINESERVER", "WINEDLLPATH", "TMPDIR", "USER",
}

// command is one of Wine's programs, started in the prefix with nothing of our environment that leads out of it.
func (p *prefix) command(ctx context.Context, program, debug string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = p.root
	cmd.WaitDelay = 5 * time.Second
	if p.isolated {
		isolate(cmd)
	}
	cmd.Env = []string{
		"WINEPREFIX=" + filepath.Join(p.root, "prefix"),
		"HOME=" + p.root, // Wine links the user's folders to it
		"WINEARCH=win64",
		"WINEDEBUG=" + debug,
		// neither offers to download .NET and a browser, nor menus, nor a debugger's window for a crashed driver
		"WINEDLLOVERRIDES=mscoree,mshtml,winemenubuilder.exe,winedbg.exe=",
	}
	for _, name := range kept {
		if v, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+v)
		}
	}
	return cmd
}

// setup runs a program of Windows that makes the prefix ready. Its output goes to a file, not to a pipe: the servers
// it starts inherit it, and live on.
func (p *prefix) setup(ctx context.Context, args ...string) error {
	path := filepath.Join(p.root, "setup.log")
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := p.command(ctx, p.loader, "fixme-all", args...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("wine %s: %w%s", args[0], err, lastLine(path))
	}
	return nil
}

// lastLine is what a failed program said last, to be put behind its error.
func lastLine(path string) string {
	data, _ := os.ReadFile(path)
	lines := bytes.Split(bytes.TrimSpace(data), []byte("\n"))
	if last := lines[len(lines)-1]; len(last) > 0 && len(last) < 300 {
		return ": " + string(last)
	}
	return ""
}

// registry is what the prefix needs to know: which Windows it is, that the driver is a service, that the calls of the
// driver, and no others, are to be shown, and how long a service may take to start: Wine's own 10 seconds are too few on a busy
// machine, and ours end it. Services with hardware in mind are switched off: they cost time.
const registry = `REGEDIT4

[HKEY_CURRENT_USER\Software\Wine]
"Version"="%s"

[HKEY_CURRENT_USER\Software\Wine\Debug]
"RelayExclude"=-
"RelayFromExclude"=-
"RelayInclude"="%s"
"RelayFromInclude"="nxtrace.sys"

[HKEY_LOCAL_MACHINE\System\CurrentControlSet\Services\nxtrace]
"Type"=dword:1
"Start"=dword:3
"ErrorControl"=dword:1
"ImagePath"="C:\\windows\\system32\\drivers\\nxtrace.sys"
"DisplayName"="nxtrace"

[HKEY_LOCAL_MACHINE\System\CurrentControlSet\Control]
"ServicesPipeTimeout"="%d"
`

// relayed are the routines whose calls are shown: all of the libraries that the driver imports from. Wine leaves .dll out.
func (p *prefix) relayed() []string {
	list := []string{"ntoskrnl.exe.*"} // has those that are looked up by name, too
	for _, library := range p.driver.libraries() {
		if name := strings.TrimSuffix(library, ".dll") + ".*"; !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

var idleServices = []string{"MountMgr", "winebus", "wineusb", "nsiproxy", "NDIS", "PlugPlay", "EventLog"}

// configure makes the prefix the given Windows, from its next start on: services keep the version they started with.
func (p *prefix) configure(ctx context.Context, v nx.Version, timeout time.Duration) error {
	name, err := wineName(v)
	if err != nil {
		return err
	}
	var text strings.Builder
	fmt.Fprintf(&text, registry, name, strings.Join(p.relayed(), ";"), (timeout + time.Minute).Milliseconds())
	for _, s := range idleServices {
		fmt.Fprintf(&text, "\n[HKEY_LOCAL_MACHINE\\System\\CurrentControlSet\\Services\\%s]\n\"Start\"=dword:4\n", s)
	}
	if err := os.WriteFile(p.c("nxtrace.reg"), []byte(text.String()), 0o644); err != nil {
		return err
	}
	if err := p.setup(ctx, "regedit", "/S", `C:\nxtrace.reg`); err != nil {
		return err
	}
	p.shutdown()
	return nil
}

// load loads and unloads the driver on one Windows. The log is nil only where Wine itself did not run.
func (p *prefix) load(caller context.Context, v nx.Version, timeout time.Duration) (*log, error) {
	ctx, cancel := context.WithTimeout(caller, timeout)
	defer cancel()
	if err := p.configure(ctx, v, timeout); err != nil {
		return nil, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l := &log{entry: p.driver.image.Entry, size: p.driver.image.Size}
	end := make(chan error, 1)
	go func() {
		err := l.read(r)
		if err != nil {
			cancel() // nobody reads on
		}
		end <- errors.Join(err, r.Close())
	}()
	p.startStop(ctx, w)
	cancelled, late := caller.Err(), ctx.Err() // before shutdown, whose time is not the driver's
	p.shutdown()
	w.Close()
	_ = r.SetReadDeadline(time.Now().Add(5 * time.Second)) // should a process have survived, with our pipe in its hands
	if err := <-end; err != nil {
		return l, err
	}
	switch {
	case cancelled != nil:
		return l, cancelled
	case late != nil:
		l.late = true
		return l, l.timedOut(timeout)
	}
	return l, l.failure()
}

// startStop runs the driver's entry routine and its unload routine, Wine's words about it going to w. The exit status
// of sc says less than these.
func (p *prefix) startStop(ctx context.Context, w *os.File) {
	for _, verb := range []string{"start", "stop"} {
		cmd := p.command(ctx, p.loader, "fixme-all,+relay", "sc", verb, service)
		cmd.Stderr = w
		_ = cmd.Run()
	}
}
