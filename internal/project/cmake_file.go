package project

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// file() and aux_source_directory(), as far as they list files. The tree is what was named to the tool; a pattern
// that leads outside has no known answer, since what stands there is not to be read.

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

// glob is file(GLOB variable [options] patterns...). Only files of the tree are listed; like CMake, in order of name.
//
// A pattern that leads outside of the tree makes the whole variable unknown, not only a part of it: a list of some of
// the files would look like all of them.
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
	fixed := patternBase(full)
	if fixed == full {
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
