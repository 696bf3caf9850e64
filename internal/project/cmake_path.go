package project

import (
	"path"
	"slices"
	"strings"
)

// Commands that take paths apart: get_filename_component(), cmake_path() and parts of file(). All of them work on
// text with slashes and look nothing up, but for the case of a name on disk.

// slashed gives a text with slashes for its backslashes.
func slashed(t text) text {
	return recased(t, func(s string) string { return strings.ReplaceAll(s, `\`, "/") })
}

// relative is file(RELATIVE_PATH): p as seen from base. Both are absolute in CMake.
func (k *cmakeCall) relative(p, base string) text {
	p, base = path.Clean(p), path.Clean(base)
	up := ""
	for base != "." && base != "/" && p != base && !strings.HasPrefix(p, base+"/") {
		base, up = path.Dir(base), up+"../"
	}
	return plain(strings.TrimSuffix(up+strings.TrimPrefix(strings.TrimPrefix(p, base), "/"), "/"))
}

// filenameComponent is get_filename_component(variable name mode [BASE_DIR dir] [CACHE]).
func (k *cmakeCall) filenameComponent() {
	if len(k.args) < 3 {
		return
	}
	name, s := k.arg(0), k.arg(1)
	if k.args[1].unknown() {
		k.setUnknown(k.fr, name)
		return
	}
	s = strings.ReplaceAll(s, `\`, "/")
	base := k.fr.dir.path
	if k.arg(3) == "BASE_DIR" {
		base = k.arg(4)
	}
	file := path.Base(s)
	first := indexOrEnd(strings.TrimPrefix(file, "."), ".") + len(file) - len(strings.TrimPrefix(file, "."))
	v := ""
	switch k.arg(2) {
	case "DIRECTORY", "PATH":
		if v = path.Dir(s); v == "." {
			v = ""
		}
	case "NAME":
		v = file
	case "EXT":
		v = file[first:]
	case "NAME_WE":
		v = file[:first]
	case "LAST_EXT":
		v = path.Ext(file)
	case "NAME_WLE":
		v = strings.TrimSuffix(file, path.Ext(file))
	case "ABSOLUTE", "REALPATH":
		v = absolutePath(k.tree.Join(base, s))
	default:
		k.setUnknown(k.fr, name)
		return
	}
	k.set(name, plain(v).from(k.args[1]))
}

// cmakePath is cmake_path(work variable ...), as far as it is not about the file system's own spelling.
func (k *cmakeCall) cmakePath() {
	name := k.arg(1)
	v := k.variable(name)
	out := name
	if n := len(k.args); n > 2 && k.arg(n-2) == "OUTPUT_VARIABLE" {
		out = k.arg(n - 1)
		k.args = k.args[:n-2]
	}
	switch k.arg(0) {
	case "SET":
		k.set(name, slashed(slices.Concat(k.rest(max(2, len(k.args)-1))...)))
	case "APPEND":
		for _, a := range k.rest(2) {
			v = slices.Concat(v, plain("/"), a)
		}
		k.set(out, v)
	case "APPEND_STRING":
		k.set(out, slices.Concat(append([]text{v}, k.rest(2)...)...))
	case "NORMAL_PATH":
		k.set(out, plain(path.Clean(v.String())))
	case "ABSOLUTE_PATH":
		base := k.fr.dir.path
		if k.arg(2) == "BASE_DIRECTORY" {
			base = k.arg(3)
		}
		k.set(out, plain(absolutePath(k.tree.Join(base, v.String()))))
	case "GET":
		k.cmakePathGet(v.String(), k.arg(len(k.args)-1))
	default:
		k.setUnknown(k.fr, k.arg(len(k.args)-1))
	}
}

// cmakePathGet is cmake_path(GET variable part). An extension begins at the first dot unless LAST_ONLY is said,
// unlike in most other tools.
func (k *cmakeCall) cmakePathGet(s, out string) {
	file := path.Base(s)
	dot := strings.IndexByte(file, '.')
	if dot < 0 {
		dot = len(file)
	}
	last := k.arg(3) == "LAST_ONLY"
	if last {
		dot = len(file) - len(path.Ext(file))
	}
	v, ok := map[string]string{
		"FILENAME": file, "EXTENSION": file[dot:], "STEM": file[:dot], "PARENT_PATH": path.Dir(s),
	}[k.arg(2)]
	if !ok {
		k.setUnknown(k.fr, out)
		return
	}
	k.set(out, plain(v))
}
