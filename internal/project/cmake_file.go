package project

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// fileCommand is file(...): of it, what lists files or makes a path is evaluated. Nothing is written, and what files
// hold is not known.
func (k *cmakeCall) fileCommand() {
	switch k.arg(0) {
	case "GLOB", "GLOB_RECURSE":
		k.glob(k.arg(0) == "GLOB_RECURSE")
	case "RELATIVE_PATH":
		k.set(k.arg(1), k.relative(k.arg(3), k.arg(2)))
	case "TO_CMAKE_PATH":
		k.set(k.arg(2), slashed(k.args[min(1, len(k.args)-1)]))
	case "TO_NATIVE_PATH", "REAL_PATH":
		k.set(k.arg(2), k.args[min(1, len(k.args)-1)])
	case "READ", "STRINGS", "TIMESTAMP", "SIZE", "READ_SYMLINK", "MD5", "SHA1", "SHA256", "SHA512":
		k.unknownOutputs(output{at: 2})
	case "GENERATE", "WRITE", "APPEND", "COPY", "INSTALL", "MAKE_DIRECTORY", "REMOVE", "REMOVE_RECURSE", "RENAME",
		"CONFIGURE", "TOUCH", "COPY_FILE", "DOWNLOAD", "LOCK":
	}
}

// slashed gives a text with slashes for its backslashes.
func slashed(t text) text {
	return recased(t, func(s string) string { return strings.ReplaceAll(s, `\`, "/") })
}

func (k *cmakeCall) relative(p, base string) text {
	p, base = path.Clean(p), path.Clean(base)
	up := ""
	for base != "." && base != "/" && p != base && !strings.HasPrefix(p, base+"/") {
		base, up = path.Dir(base), up+"../"
	}
	return plain(strings.TrimSuffix(up+strings.TrimPrefix(strings.TrimPrefix(p, base), "/"), "/"))
}

// glob is file(GLOB variable [options] patterns...). Only files of the tree are listed; like CMake, in order of name.
func (k *cmakeCall) glob(recurse bool) {
	var found []string
	base := ""
	for i := 2; i < len(k.args); i++ {
		switch s := k.arg(i); {
		case s == "LIST_DIRECTORIES":
			i++
		case s == "CONFIGURE_DEPENDS" || s == "FOLLOW_SYMLINKS":
		case s == "RELATIVE":
			i++
			base = k.arg(i)
		case k.args[i].unknown():
			k.setUnknown(k.fr, k.arg(1))
			return
		default:
			list, ok := k.matching(s, recurse)
			if !ok {
				k.say("file(GLOB): %s is outside of what was named, or in too large a directory; what it lists is not known", clip(s))
				k.setUnknown(k.fr, k.arg(1))
				return
			}
			found = append(found, list...)
		}
	}
	slices.Sort(found)
	var out []text
	for _, p := range slices.Compact(found) {
		name := plain(absolutePath(p))
		if base != "" {
			name = k.relative(absolutePath(p), base)
		}
		out = append(out, name.from(text{{file: k.in.file, at: k.in.at}}))
	}
	k.set(k.arg(1), joinList(out))
}

// auxSources is aux_source_directory(directory variable): all sources in a directory.
func (k *cmakeCall) auxSources() {
	dir := k.arg(0)
	name := k.arg(1)
	var list []string
	for _, extension := range slices.Sorted(maps.Keys(languages)) {
		found, ok := k.matching(dir+"/*"+extension, false)
		if !ok || len(k.args) < 2 || k.args[0].unknown() {
			k.setUnknown(k.fr, name)
			return
		}
		list = append(list, found...)
	}
	slices.Sort(list)
	out := splitList(k.variable(name))
	for _, p := range list {
		out = append(out, plain(absolutePath(p)).from(k.args[0]))
	}
	k.set(name, joinList(out))
}

// matching lists the files that a pattern names, without regard to case; below its directory too where it recurses.
func (k *cmakeCall) matching(pattern string, recurse bool) ([]string, bool) {
	full := k.tree.Join(k.fr.dir.path, pattern)
	fixed := full
	if i := strings.IndexAny(full, "*?["); i >= 0 {
		fixed = path.Dir(full[:i] + "x")
	} else {
		fixed = path.Dir(full)
	}
	if isForeign(pattern) || !k.tree.Within(fixed) {
		return nil, false
	}
	if found, ok := k.tree.Find(fixed); ok && fixed != "." {
		full, fixed = found+strings.TrimPrefix(full, fixed), found
	}
	files, ok := k.walk(fixed)
	if !ok || !k.spend(len(files)*len(pattern)) {
		return nil, false
	}
	lower := strings.ToLower(strings.TrimPrefix(full, "./"))
	name := path.Base(lower)
	dir := path.Dir(lower)
	var list []string
	for _, p := range files {
		s := strings.ToLower(p)
		ok, err := path.Match(lower, s)
		if recurse {
			ok, err = path.Match(name, path.Base(s))
			ok = ok && k.below(dir, path.Dir(s))
		}
		if ok && err == nil {
			list = append(list, p)
		}
	}
	return list, true
}

// below says whether a directory, or one above it, matches a pattern.
func (k *cmakeCall) below(pattern, dir string) bool {
	if pattern == "." {
		return true
	}
	n := strings.Count(pattern, "/") + 1
	parts := strings.Split(dir, "/")
	if len(parts) < n {
		return false
	}
	ok, _ := path.Match(pattern, strings.Join(parts[:n], "/"))
	return ok
}

// maxWalks bounds how many directories are searched.
const maxWalks = 200

// walk lists the files below a directory.
func (c *cmake) walk(dir string) ([]string, bool) {
	if files, ok := c.walks[dir]; ok {
		return files, true
	}
	for above, files := range c.walks { // it was walked with one above it
		if above == "." || strings.HasPrefix(dir, above+"/") {
			from, _ := slices.BinarySearch(files, dir+"/")
			to, _ := slices.BinarySearch(files, dir+"0") // "0" follows "/"
			return files[from:to], true
		}
	}
	if len(c.walks) >= maxWalks {
		return nil, false
	}
	if _, ok := c.tree.Find(dir); !ok {
		return nil, true
	}
	files, err := c.tree.Walk(dir)
	if err != nil || !c.spend(len(files)) {
		return nil, false
	}
	c.walks[dir] = files
	return files, true
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
