package project

import (
	"cmp"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// processorDefines say what is compiled for, where nothing else does.
var processorDefines = map[string]nx.Processor{
	"_AMD64_": nx.X64, "AMD64": nx.X64, "_WIN64": nx.X64, "_X86_": nx.X86, "i386": nx.X86, "_ARM64_": nx.ARM64, "_ARM_": nx.ARM,
}

// processor gives the one that an image is for: by options, the compiler's prefix, or the kit's defines.
//
// x64 stands where nothing says it, as in the default build of a directory.
func (b *image) processor() nx.Processor {
	commands, seen := []*command{b.link}, map[*command]bool{}
	for _, u := range b.units {
		if !seen[u.command] {
			commands = append(commands, u.command)
		}
		seen[u.command] = true
	}
	for _, c := range commands {
		if p := cmp.Or(c.flags.processor, c.processor); p != "" {
			return p
		}
	}
	for _, c := range commands {
		for _, d := range c.flags.defines {
			if p := processorDefines[d.Name]; p != "" && d.Name != "_WIN64" {
				return p
			}
		}
	}
	if strings.Contains(b.link.flags.entry, "@") { // _DriverEntry@8: only names for x86 are decorated
		return nx.X86
	}
	return nx.X64
}

// build makes the build of an image. No make file names a minimum Windows by itself; its defines may.
func (x *makeLoader) build(b *image, id, configuration string, processor nx.Processor) *Build {
	to := &Build{Build: driver.Build{
		ID: id, Project: x.project, Configuration: configuration, Processor: processor, Library: b.link.does == archives,
		Minimum: nx.Windows7, MinimumSource: "default",
	}}
	if !to.Library {
		to.Entries = entries(strings.TrimPrefix(b.link.flags.entry, "_"))
	}
	for _, u := range b.units {
		x.unit(to, b, u)
	}
	to.Notes = b.notes
	x.finish(to)
	return to
}

// unit adds one file. The directories of its command count from where that runs, after cd or make -C.
func (x *makeLoader) unit(to *Build, b *image, u makeUnit) {
	c := u.command
	if !x.spend(unitWork + 8*len(c.words)) {
		return
	}
	language, _ := languageOf(u.path)
	o := Options{Processor: to.Processor, Language: cmp.Or(c.flags.language, c.language, language), Defines: c.flags.defines,
		Undefines: slices.Clone(c.flags.undefines), Forced: c.flags.forced, Precompiled: c.flags.precompiled}
	for _, dir := range c.flags.includes {
		if dir = x.loader.tree.Join(c.dir, dir); !slices.Contains(o.Includes, dir) {
			o.Includes = append(o.Includes, dir)
		}
	}
	c.flags.doubts(func(at driver.Place, format string, arguments ...any) {
		b.notes = addNote(b.notes, at, format, arguments...)
	})
	var kit []Define
	switch {
	case c.gnu():
		to.Kit, o.NoOptIn = gnuKit, gnuKit.NoOptIn
		kit = gnuDefines(to.Processor)
		o.Undefines = append(o.Undefines, "_MSC_VER")
		if !slices.ContainsFunc(o.Defines, func(d Define) bool { return d.Name == "_KERNEL_MODE" }) {
			o.Undefines = append(o.Undefines, "_KERNEL_MODE")
		}
	case c.usesKit() || b.link.usesKit():
		kit = toolset(to.Processor, false, nx.Version{}, 0)
	}
	x.add(to, u.path, o, kit, x.layers(c))
}

// layers gives those of a command: if some serve kernel images alone, these are better than others.
func (x *makeLoader) layers(c *command) []*layer {
	if c.layers != nil {
		return c.layers
	}
	isShared := func(y *layer) bool { return x.others[y] }
	c.layers = x.known.of(c.words, false)
	for _, defining := range []bool{true, false} {
		if own := slices.DeleteFunc(x.known.of(c.words, defining), isShared); len(own) > 0 {
			c.layers = x.known.depths.outermost(own)
			break
		}
	}
	return c.layers
}

// gnu says whether a compiler is gcc, or clang in its place, and not one in the place of Microsoft's.
func (c *command) gnu() bool {
	return !c.slash && !slices.ContainsFunc(c.words, func(t text) bool { return strings.HasSuffix(t.String(), "-msvc") })
}

// usesKit says whether a command names a directory of a driver kit.
func (c *command) usesKit() bool {
	return slices.ContainsFunc(append([]text{c.program}, c.words...), func(t text) bool {
		s := strings.ToLower(t.String())
		return strings.Contains(s, "ddk") || strings.Contains(s, "wdk") || strings.Contains(s, "windows kits")
	})
}

// gnuProcessors are the macros that gcc of MinGW-w64 defines for each processor, by "gcc -dM -E" of version 12; for ARM
// by that of llvm-mingw.
var gnuProcessors = map[nx.Processor][]string{
	nx.X86:   {"_X86_", "i386", "__i386", "__i386__"},
	nx.X64:   {"_WIN64", "WIN64", "__WIN64", "__WIN64__", "__MINGW64__", "__x86_64", "__x86_64__", "__amd64", "__amd64__"},
	nx.ARM:   {"__arm__", "__thumb__"},
	nx.ARM64: {"_WIN64", "WIN64", "__WIN64", "__WIN64__", "__MINGW64__", "__aarch64__"},
}

// gnuDefines are the macros that gcc of MinGW-w64 defines itself, and those that its headers make of them.
func gnuDefines(p nx.Processor) []Define {
	list := []Define{{Name: "__GNUC__", Value: "12"}, {Name: "__GNUC_MINOR__", Value: "2"}}
	for _, name := range []string{"_WIN32", "WIN32", "__WIN32", "__WIN32__", "WINNT", "__WINNT", "__WINNT__", "__MINGW32__"} {
		list = append(list, Define{Name: name, Value: "1"})
	}
	for _, name := range gnuProcessors[p] {
		list = append(list, Define{Name: name, Value: "1"})
	}
	if p == nx.X64 {
		list = append(list, Define{Name: "_AMD64_", Value: "1"})
	}
	return list
}
