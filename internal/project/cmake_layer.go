package project

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/edit"
)

// Where a define goes in a CMakeLists.txt: behind one that a command gives to the same targets, or in a
// target_compile_definitions of its own after the command that declares the target.

// definitionsLayer gives the layer of a command that adds defines, always the same one, nil for other commands: a
// define goes behind the last argument that is for the targets themselves.
func (k *cmakeCall) definitionsLayer(property string) *layer {
	if k.fr.made {
		return nil
	}
	sp := spot{before: " ", separator: " "}
	var last *cmakeArgument
	switch {
	case property == "add_definitions":
		sp = spot{before: " -D", separator: " -D"}
		last = lastOf(k.in.args)
	case property != "COMPILE_DEFINITIONS":
		return nil
	case k.in.name == "target_compile_definitions":
		last = lastOwn(k.in.args)
	default:
		last = lastOf(k.in.args)
	}
	if last == nil {
		return nil
	}
	sp.start, sp.end = last.end, last.end
	f := k.in.file
	if indent, first := f.indent(last.at); first && strings.Trim(lineRest(f, last.end), white) == "" {
		sp.before = f.newline(last.at) + indent + strings.TrimPrefix(sp.before, " ")
	}
	return k.layer(f, k.in.at, sp)
}

// lineRest gives what stands behind an offset on its line.
func lineRest(f *file, at int) string {
	s := string(f.data[at:min(len(f.data), at+256)])
	return s[:indexOrEnd(s, "\n")]
}

// lastOf gives the last argument, behind which a define goes; nil where there is none.
func lastOf(args []cmakeArgument) *cmakeArgument {
	if len(args) == 0 {
		return nil
	}
	return &args[len(args)-1]
}

// lastOwn gives the last argument of a part that is PRIVATE or PUBLIC.
func lastOwn(args []cmakeArgument) *cmakeArgument {
	var found *cmakeArgument
	own := false
	for i := range args {
		v, ok := visibility[args[i].text.text]
		if ok && args[i].quoting == unquoted {
			own = v.own
			continue
		}
		if own {
			found = &args[i]
		}
	}
	return found
}

// propertyLayer gives the layer of a command that sets COMPILE_DEFINITIONS as a property.
func (k *cmakeCall) propertyLayer(property string) *layer {
	if property != "COMPILE_DEFINITIONS" || k.fr.made {
		return nil
	}
	for i := 0; i+1 < len(k.in.args); i++ {
		if k.in.args[i].text.text != property || i == 0 {
			continue
		}
		a := k.in.args[i+1]
		sp := spot{start: a.end, end: a.end, before: " ", separator: " "}
		switch {
		case a.quoting == quoted:
			sp = spot{start: a.end - 1, end: a.end - 1, before: ";"}
		case k.in.name == "set_property":
			last := lastOf(k.in.args)
			sp.start, sp.end = last.end, last.end
		case a.quoting == unquoted: // one value is wanted, so it is quoted now
			sp = spot{start: a.at, end: a.end, before: `"` + a.text.text + ";", after: `"`}
		default:
			return nil
		}
		return k.layer(k.in.file, a.at, sp)
	}
	return nil
}

// layer gives the layer at an offset, always the same one.
func (k *cmakeCall) layer(f *file, at int, sp spot) *layer {
	key := layerKey{f, at}
	if k.known[key] == nil {
		k.known[key] = &layer{file: f, at: at, inherits: true, spot: sp}
	}
	return k.known[key]
}

// insertDefinitions puts target_compile_definitions after each target that units come from which lack the defines.
func (p *placer) insertDefinitions(g group, _ string) (candidate, error) {
	var c candidate
	for _, b := range g.builds {
		if b.has(g.defines) {
			continue
		}
		for _, d := range b.declared {
			f := d.after.file
			if why := p.keeps(f.path); why != "" {
				return candidate{}, fmt.Errorf("%v is not changed: %s", f.place(d.after.at), why)
			}
			e := insertAfter(f, d.after, "target_compile_definitions("+d.target+" PRIVATE"+definesText(g.defines)+")")
			if !slices.Contains(c.edits, e) {
				c.edits = append(c.edits, e)
				c.lines++
			}
		}
	}
	return c, nil
}

// definesText gives defines as arguments of target_compile_definitions, which takes them without -D.
func definesText(defines []Define) string {
	var s strings.Builder
	for _, d := range defines {
		s.WriteString(" " + d.text())
	}
	return s.String()
}

// insertAfter puts a command on a line of its own after another, behind what follows that on its line.
func insertAfter(f *file, in *invocation, command string) edit.Edit {
	indent, _ := f.indent(in.at)
	if strings.Trim(indent, " \t") != "" { // something stands before it
		indent = ""
	}
	at := in.end
	rest := string(f.data[at:])
	line := rest[:indexOrEnd(rest, "\n")]
	if s := strings.TrimLeft(line, " \t"); s == "" || s == "\r" || s[0] == '#' && !strings.HasPrefix(s, "#[") {
		at += len(line)
	}
	if at < len(f.data) && f.data[at] == '\n' {
		at++
		return edit.Edit{Path: f.path, Start: at, End: at, New: indent + command + f.newline(at-1)}
	}
	return edit.Edit{Path: f.path, Start: at, End: at, New: f.newline(in.at) + indent + command}
}
