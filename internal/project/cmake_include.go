package project

import (
	"slices"
	"strings"
)

// include() and find_package(). Files of the tree are read. The modules of CMake itself are not there: those that
// matter to what is compiled are modelled by tables, and what packages set begins with their name and is unknown.

// include reads a file of the tree, or a module of it. Those of CMake itself are known not to matter.
func (k *cmakeCall) include() {
	name := k.arg(0)
	if len(k.args) == 0 || k.args[0].unknown() {
		k.say("the include of %q can't be evaluated; it is left out", clip(name))
		return
	}
	p, ok := k.findScript(name)
	switch {
	case ok:
		k.runFile(p)
	case name == "GNUInstallDirs":
		k.opaque = append(k.opaque, "CMAKE_INSTALL_")
	case !strings.ContainsAny(name, "./\\") || slices.ContainsFunc(k.args, func(t text) bool { return t.String() == "OPTIONAL" }):
	default:
		k.say("the include %s is not there", clip(name))
	}
}

// findScript looks for a file, or for a module in CMAKE_MODULE_PATH.
func (k *cmakeCall) findScript(name string) (string, bool) {
	if p, ok := k.tree.Find(k.tree.Join(k.fr.dir.path, name)); ok && strings.ContainsAny(name, "./\\") {
		return p, k.isFile(p)
	}
	for _, dir := range splitList(k.variable("CMAKE_MODULE_PATH")) {
		if p, ok := k.tree.Find(k.tree.Join(k.fr.dir.path, dir.String()+"/"+name+".cmake")); ok && !dir.unknown() {
			return p, k.isFile(p)
		}
	}
	return "", false
}

// isFile tells a file from a directory, which Find takes too.
func (k *cmakeCall) isFile(p string) bool {
	_, err := k.tree.Read(p)
	return err == nil
}

// runFile reads a file in the scope of the command.
func (k *cmakeCall) runFile(p string) {
	if !k.deeper(k.fr, k.in) {
		return
	}
	defer func() { k.depth-- }()
	if !k.tree.Within(p) {
		k.say("%s was read, outside of what was named", p)
	}
	sc := k.script(p)
	if len(sc.list) > 0 && sc.list[0].name == "include_guard" {
		if k.once[p] {
			return
		}
		k.once[p] = true
	}
	if sc.err != nil {
		k.say("%s can't be read whole: %v", p, sc.err)
	}
	inner := *k.fr
	inner.file = &file{path: p}
	k.run(&inner, sc.list, 0, len(sc.list))
}

// script reads a file, once.
func (c *cmake) script(p string) script {
	if sc, ok := c.scripts[p]; ok {
		return sc
	}
	var sc script
	data, err := c.tree.Read(p)
	if err != nil {
		sc.err = err
	} else if c.spend(len(data)) {
		sc = parseCMake(newFile(p, data))
	}
	if sc.err != nil {
		c.broken[p] = sc.err
	}
	c.scripts[p] = sc
	return sc
}

// findPackage reads a module of the tree, as far as that goes without looking at what is installed. What any other sets
// is unknown: by custom it begins with the package's name.
//
// REQUIRED packages that are not there do not stop the reading: which are installed is known only on the machine that
// builds.
func (k *cmakeCall) findPackage() {
	name := k.arg(0)
	p, ok := k.findScript("Find" + name)
	if !ok {
		for _, prefix := range []string{name + "_", strings.ToUpper(name) + "_"} {
			if !slices.Contains(k.opaque, prefix) && name != "" {
				k.opaque = append(k.opaque, prefix)
			}
		}
		return
	}
	if slices.ContainsFunc(k.args, func(t text) bool { return t.String() == "REQUIRED" }) {
		k.set(name+"_FIND_REQUIRED", plain("1"))
	}
	before := k.fr
	inner := *before
	inner.quiet = true
	k.fr = &inner
	k.runFile(p)
	k.fr = before
}

// packageFound is find_package_handle_standard_args.
func (k *cmakeCall) packageFound() {
	k.setUnknown(k.fr, k.arg(0)+"_FOUND", strings.ToUpper(k.arg(0))+"_FOUND")
}
