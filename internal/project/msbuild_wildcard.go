package project

import (
	"path"
	"strings"
)

// Wildcards in items. Specification: "MSBuild items", "Use wildcards to specify items". They are not those of the
// other build tools: ** stands for directories, *.* for every file, and [ is an ordinary character.

// isWild says whether a name holds a wildcard that is left in the path it leads to: in *\..\a.c there is none.
func isWild(name, pattern string) bool {
	return strings.ContainsAny(name, "*?") && strings.ContainsAny(pattern, "*?")
}

// globBase gives the directory below which a pattern looks.
func globBase(pattern string) string {
	wild := strings.IndexAny(pattern, "*?")
	return path.Clean(pattern[:strings.LastIndexByte(pattern[:wild], '/')+1])
}

// glob gives the files that match a pattern, sorted; or the reason why it is not followed.
//
// The files below a directory are listed once for all projects and configurations of one Load.
func (e *evaluation) glob(pattern string) (files []string, why string) {
	base := globBase(pattern)
	if !e.tree.Within(base) {
		return nil, "it leads outside of what was named"
	}
	all, ok := e.paths.walks[base]
	if !ok {
		dir, found := e.paths.find(e.tree, base)
		if found {
			var err error
			if all, err = e.tree.Walk(dir); err != nil {
				return nil, err.Error()
			}
		}
		if !e.spend(len(all) * walkWork) {
			return nil, errWork.Error()
		}
		e.paths.walks[base] = all
	}
	if !e.spend(len(all)) {
		return nil, errWork.Error()
	}
	lower := strings.ToLower(pattern)
	for _, p := range all {
		if matches(lower, strings.ToLower(p)) {
			files = append(files, p)
		}
	}
	return files, ""
}

// walkWork is what it costs to find one file in a directory, in the terms of maxWork.
const walkWork = 50

// matches compares a path with a pattern: ? is a character, * any but a separator, ** any directories.
//
// A ** must be a whole part. It matches no directory too: a\**\b.c finds a\b.c.
func matches(pattern, p string) bool {
	return matchParts(strings.Split(pattern, "/"), strings.Split(p, "/"))
}

// matchParts goes back to the last ** only, which is enough: what an earlier one could take, the last can take too.
func matchParts(pattern, parts []string) bool {
	i, j, star, from := 0, 0, -1, 0
	for j < len(parts) {
		switch {
		case i < len(pattern) && pattern[i] == "**" && i+1 < len(pattern):
			star, from = i, j
			i++
		case i < len(pattern) && pattern[i] != "**" && matchPart(pattern[i], parts[j]):
			i, j = i+1, j+1
		case i < len(pattern) && pattern[i] == "**": // the last part: every file below
			return true
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return i == len(pattern)
}

// matchPart compares one part of a path, in time proportional to both lengths at most multiplied.
func matchPart(pattern, s string) bool {
	if pattern == "*.*" { // as Windows does, names without an extension too
		return true
	}
	i, j, star, from := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(pattern) && pattern[i] == '*':
			star, from = i, j
			i++
		case i < len(pattern) && (pattern[i] == '?' || pattern[i] == s[j]):
			i, j = i+1, j+1
		case star >= 0:
			from++
			i, j = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// globbed is the item of a file that a wildcard found: its name begins as the wildcard is written.
func (e *evaluation) globbed(name text, pattern, file string) *item {
	written := strings.ReplaceAll(name.String(), `\`, "/")
	head := written[:strings.LastIndexByte(written[:strings.IndexAny(written, "*?")], '/')+1]
	rest := file
	if base := globBase(pattern); base != "." { // on disk it may be spelled otherwise, and longer
		depth := strings.Count(strings.TrimSuffix(base, "/"), "/") + 1
		rest = strings.SplitN(file, "/", depth+1)[depth]
	}
	it := &item{include: plain(head + rest).from(name), path: file, key: strings.ToLower(file)}
	if strings.Contains(pattern, "**") {
		it.wild = strings.TrimSuffix(rest, path.Base(rest))
	}
	return it
}
