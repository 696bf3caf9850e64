package replay

import (
	"regexp"
	"strings"
)

// Lines counts those that a change adds and removes.
type Lines struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
}

// purpose matches a line that has to do with NX pool: an opt-in, the call, a pool type, or what replaces one.
var purpose = regexp.MustCompile(`(?i)POOL_NX_|ExInitializeDriverRuntime|NonPagedPool|MdlMapping|ExAllocatePool|POOL_FLAG_|POOL_ZERO_`)

// count counts the lines of the hunks of a diff without context. With only set, of the hunks alone that hold a line which
// matches it: people do other things in the same commit.
func count(diff string, only *regexp.Regexp) Lines {
	var all, hunk Lines
	matched, inside := false, false // a line inside of a hunk may look like a file's name: "--- "
	end := func() {
		if only == nil || matched {
			all.Added += hunk.Added
			all.Removed += hunk.Removed
		}
		hunk, matched = Lines{}, false
	}
	for line := range strings.SplitSeq(diff, "\n") {
		switch {
		case strings.HasPrefix(line, "@@"):
			end()
			inside = true
			continue // it ends in a line of the surroundings
		case strings.HasPrefix(line, "diff "):
			inside = false
		case inside && strings.HasPrefix(line, "+"):
			hunk.Added++
		case inside && strings.HasPrefix(line, "-"):
			hunk.Removed++
		}
		matched = matched || inside && only != nil && only.MatchString(line)
	}
	end()
	return all
}

// theirs counts the lines that a commit changed in the row's files for the sake of NX.
func theirs(dir string, r Row) (Lines, error) {
	args := append([]string{"diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-renames", "--ignore-space-at-eol", "-U0", r.Parent, r.Commit, "--"}, r.Files...)
	out, err := output(git(dir, args...))
	return count(string(out), purpose), err
}
