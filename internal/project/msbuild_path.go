package project

import (
	"path"
	"slices"
	"strings"
)

// Property functions for paths. They work by the rules of Windows whatever system this runs on, since the project is
// for one.

// isRooted is true for drives, shares, and paths from the root of the current drive.
func isRooted(p string) bool {
	return strings.HasPrefix(p, `\`) || strings.HasPrefix(p, "/") || len(p) > 1 && p[1] == ':'
}

// directoryName gives a path without its last part; "" where it has one part only.
func directoryName(p string) string { return strings.TrimRight(p[:len(p)-len(fileName(p))], `\/`) }

// fileName gives the last part of a path.
func fileName(p string) string { return p[strings.LastIndexAny(p, `\/`)+1:] }

// withoutExtension drops what follows the last dot, and the dot.
func withoutExtension(name string) string { return strings.TrimSuffix(name, path.Ext(name)) }

// trailingSlash leaves nothing as it is, and takes either slash for one.
func trailingSlash(p string) string {
	if p == "" || strings.HasSuffix(p, `\`) || strings.HasSuffix(p, "/") {
		return p
	}
	return p + `\`
}

// combine joins paths as Path.Combine does: one that is rooted drops all before it.
func combine(a []string) string {
	joined := ""
	for _, p := range a {
		if isRooted(p) {
			joined = p
		} else if p != "" {
			joined = trailingSlash(joined) + p
		}
	}
	return joined
}

// absolute gives the full path of one that is relative to the project's directory.
func (c caller) absolute(p string) string {
	if !isRooted(p) {
		p = c.evaluation.directory(c.evaluation.project) + "/" + p
	}
	slashed := strings.ReplaceAll(p, `\`, "/")
	cleaned := path.Clean(slashed)
	if strings.HasSuffix(slashed, "/") {
		return trailingSlash(cleaned)
	}
	return cleaned
}

// fullPath is Path.GetFullPath(path[, base]).
func fullPath(c caller, a []string) (string, error) {
	if len(a) == 2 {
		a = []string{combine([]string{a[1], a[0]})}
	}
	return c.absolute(a[0]), nil
}

// normalizePath is [MSBuild]::NormalizePath, which joins its arguments first.
func normalizePath(c caller, a []string) (string, error) { return c.absolute(combine(a)), nil }

// normalizeDirectory is the same with a slash at the end.
func normalizeDirectory(c caller, a []string) (string, error) {
	return trailingSlash(c.absolute(combine(a))), nil
}

// exists answers for files and directories of the tree.
func exists(c caller, a []string) (string, error) {
	return truthText(c.evaluation.exists(path.Dir(c.evaluation.project), a[0])), nil
}

// directoryAbove gives the first directory, from the first argument up, that holds the file which the second names.
func directoryAbove(c caller, a []string) (string, error) {
	dir, ok := c.evaluation.above(c.absolute(a[0]), a[1])
	if !ok {
		return "", nil
	}
	return c.evaluation.directory(dir + "/x"), nil
}

// pathAbove takes the arguments the other way round; without a directory it begins with that of the file it stands in.
func pathAbove(c caller, a []string) (string, error) {
	start := c.evaluation.directory(c.element.file.path)
	if len(a) == 2 {
		start = a[1]
	}
	dir, err := directoryAbove(c, []string{start, a[0]})
	if dir == "" {
		return "", err
	}
	return dir + `\` + a[0], nil
}

// makeRelative gives the second path relative to the first.
func makeRelative(c caller, a []string) (string, error) {
	base := strings.Split(strings.TrimRight(c.absolute(a[0]), `\/`), "/")
	target := strings.Split(c.absolute(a[1]), "/")
	same := 0
	for same < min(len(base), len(target)) && strings.EqualFold(base[same], target[same]) {
		same++
	}
	return strings.Join(append(slices.Repeat([]string{".."}, len(base)-same), target[same:]...), `\`), nil
}
