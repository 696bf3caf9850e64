package project

import (
	"bytes"
	"slices"
	"strings"
)

// What of a project matters: what nothing asks for need not be evaluated in each of its configurations.

// mention says that items or metadata of one name refer to those of another: "@type" or "%metadata", in lower case. What
// stands outside of items refers as "".
type mention struct{ from, to string }

// mentionsOf gathers what the items below an element refer to. Targets do not count: they run in the build.
func mentionsOf(el *element, from string, inItems bool, out []mention) []mention {
	for _, a := range el.attributes {
		out = referred(a.value, from, out)
	}
	if len(el.children) == 0 && bytes.IndexByte(el.file.data[el.body:el.bodyEnd], '(') >= 0 {
		out = referred(string(el.file.data[el.body:el.bodyEnd]), from, out)
	}
	for _, child := range el.children {
		switch {
		case child.key == "target":
		case el.key == "itemgroup" || el.key == "itemdefinitiongroup":
			out = mentionsOf(child, "@"+child.key, true, out)
		case inItems:
			out = mentionsOf(child, "%"+child.key, true, out)
		default:
			out = mentionsOf(child, "", false, out)
		}
	}
	return out
}

// referred gathers what a text refers to. What refers to itself says nothing new.
func referred(s, from string, out []mention) []mention {
	for _, sigil := range []string{"@(", "%("} {
		for rest := s; ; {
			_, after, ok := strings.Cut(rest, sigil)
			if !ok {
				break
			}
			name := after[:indexOrEnd(after, ")", "->", ",")]
			if _, field, qualified := strings.Cut(name, "."); qualified {
				name = field
			}
			if to := sigil[:1] + strings.ToLower(strings.Trim(name, white)); to != from {
				out = append(out, mention{from, to})
			}
			rest = after
		}
	}
	return out
}

// wanted are the items and metadata that decide what is compiled and how.
var wanted = []string{
	"", "@clcompile", "@projectreference", "@link",
	"%preprocessordefinitions", "%undefinepreprocessordefinitions", "%additionalincludedirectories", "%forcedincludefiles",
	"%additionaloptions", "%excludedfrombuild", "%compileas", "%precompiledheader", "%precompiledheaderfile",
	"%linklibrarydependencies", "%referenceoutputassembly", "%driver", "%entrypointsymbol", "%noentrypoint", "%additionaldependencies",
}

// needs are the types of items and the metadata that matter, in lower case.
type needs struct{ items, metadata map[string]bool }

// needs gives what is wanted, the configurations among it if they are, and all that it refers to in some files, by
// whatever way. The configurations of a project read the same files, as a rule.
func (r *reader) needs(files []*file, configurations bool) needs {
	if !configurations && slices.Equal(files, r.lastFiles) {
		return r.lastNeeds
	}
	to := map[string][]string{}
	for _, f := range files {
		for _, m := range f.mentions {
			to[m.from] = append(to[m.from], m.to)
		}
	}
	seen, open := map[string]bool{}, slices.Clone(wanted)
	if configurations {
		open = append(open, "@projectconfiguration")
	}
	needed := needs{map[string]bool{}, map[string]bool{}}
	for len(open) > 0 {
		name := open[len(open)-1]
		if open = open[:len(open)-1]; seen[name] {
			continue
		}
		seen[name] = true
		open = append(open, to[name]...)
		switch {
		case strings.HasPrefix(name, "@"):
			needed.items[name[1:]] = true
		case strings.HasPrefix(name, "%"):
			needed.metadata[name[1:]] = true
		}
	}
	if !configurations {
		r.lastFiles, r.lastNeeds = files, needed
	}
	return needed
}
