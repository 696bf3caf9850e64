package project

import (
	"path"
	"strings"
)

// Functions of GNU make for file names, 8.3 of its manual. Files are those of the tree; outside of what was named
// nothing is looked up.

// wildcard gives the files of the tree that match. Outside of what was named nothing is looked up.
func (g *gnuMake) wildcard(rest, reference text) text {
	var list []text
	for _, w := range words(g.expand(rest)) {
		if w.unknown() || !g.tree.Within(g.tree.Join(g.dir, patternBase(w.String()))) {
			return unknownText(reference, "it looks outside of what was named")
		}
		for _, p := range g.glob(w.String()) {
			list = append(list, plain(p))
		}
	}
	return joinWords(list).from(reference)
}

// patternBase gives the directory of a pattern that has no wildcard itself.
func patternBase(pattern string) string {
	i := strings.IndexAny(pattern, "*?[")
	if i < 0 {
		return pattern
	}
	return path.Dir(pattern[:i] + "x")
}

// glob gives the files that match a pattern, in the pattern's spelling of the directory.
func (g *gnuMake) glob(pattern string) []string {
	pattern = strings.ReplaceAll(pattern, `\`, "/")
	base := patternBase(pattern)
	if base == pattern {
		if _, ok := g.tree.Find(g.tree.Join(g.dir, pattern)); ok {
			return []string{pattern}
		}
		return nil
	}
	dir := g.tree.Join(g.dir, base)
	if !g.tree.Within(dir) {
		return nil
	}
	rest := strings.TrimPrefix(path.Clean(pattern), strings.TrimSuffix(path.Clean(base), "/")+"/")
	var found []string
	for _, p := range g.walk(dir) {
		name := strings.TrimPrefix(p, dir+"/")
		if ok, _ := path.Match(rest, name); ok {
			found = append(found, strings.TrimSuffix(pattern, rest)+name)
		}
	}
	return found
}

// walk gives the files below a directory; it is paid for each time.
func (g *gnuMake) walk(dir string) []string {
	files, ok := g.walked[dir]
	if !ok {
		files, _ = g.tree.Walk(dir) // one that is not there holds no file
		g.walked[dir] = files
	}
	g.spend(10 * len(files))
	return files
}

// abspath is realpath too: symbolic links are not followed, and files need not be there.
func (g *gnuMake) abspath(a []text) text {
	return g.mapWords(a[0], func(w text) text { return plain(absolute(g.dir, w.String())) })
}

// absolute gives a path as make's abspath does.
func absolute(dir, name string) string {
	name = strings.ReplaceAll(name, `\`, "/")
	if !path.IsAbs(name) && !isDrive(name, 1) {
		name = path.Join(dir, name)
	}
	if path.IsAbs(name) || isDrive(name, 1) {
		return path.Clean(name)
	}
	return absolutePath(name)
}
