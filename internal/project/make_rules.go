package project

import (
	"path"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
)

// Rules of GNU make and nmake: explicit, pattern and suffix rules, static patterns, VPATH. The two languages differ
// in how rules are written and which variables a recipe has, not in what they mean.

// rules are what a make file says about how files are made from others.
type rules struct {
	*reader
	dir      string
	expand   func(settings []setting, automatic map[string]text, t text) text
	targets  map[string]*target // by name as in key
	order    []*target
	patterns []pattern
	search   []string // directories of VPATH
	current  *recipe
	settings map[string][]setting // by key of target
	parents  map[string]string    // key of a target -> that of the first one that needs it
	nmake    bool
}

// setting is an assignment for some targets alone.
type setting struct {
	name, operator string
	value          text
}

// target is one file, or one goal, with all that rules say of it.
type target struct {
	name    string
	needs   []text
	recipes []*recipe
	stem    text
	place   driver.Place
}

// pattern is a rule for all files whose name matches.
type pattern struct {
	name   string // with "%"
	needs  []text
	recipe *recipe
}

// recipe is shared by the targets of one rule; its lines come after the rule was added.
type recipe struct{ lines []text }

// newRules takes what expands a text: GNU make and nmake share rules, but not their language.
func newRules(r *reader, dir string, expand func([]setting, map[string]text, text) text) *rules {
	return &rules{reader: r, dir: dir, expand: expand, targets: map[string]*target{}, settings: map[string][]setting{},
		current: &recipe{}}
}

// key makes the spellings of one path equal, without regard to case, as on Windows.
func (r *rules) key(name string) string { return strings.ToLower(r.tree.Join(r.dir, name)) }

// relative gives a file's path as seen from the directory that make runs in.
func (r *rules) relative(p string) string {
	if rest, ok := strings.CutPrefix(p, r.dir+"/"); ok {
		return rest
	}
	if r.dir == "." {
		return p
	}
	return absolutePath(p)
}

// maxTargets bounds the targets of one make file, those of its patterns not among them.
const maxTargets = 100_000

// add takes a rule whose recipe follows.
func (r *rules) add(names, needs []text, at driver.Place) {
	r.current = &recipe{}
	for _, name := range names {
		s := name.String()
		switch from, to, suffix := suffixes(s); {
		case name.unknown():
		case strings.Contains(s, "%"):
			r.patterns = append(r.patterns, pattern{s, needs, r.current})
		case suffix && len(needs) == 0:
			r.patterns = append(r.patterns, pattern{"%" + to, []text{plain("%" + from)}, r.current})
		default:
			if t := r.target(s, at); t != nil && r.spend(16*len(needs)) {
				t.needs = append(t.needs, needs...)
				t.recipes = append(t.recipes, r.current)
			}
		}
	}
}

// target gives the entry of a target, nil where there are too many.
func (r *rules) target(name string, at driver.Place) *target {
	key := r.key(name)
	t := r.targets[key]
	if t == nil && len(r.order) < maxTargets && r.spend(len(name)) {
		t = &target{name: name, place: at}
		r.targets[key] = t
		r.order = append(r.order, t)
	}
	return t
}

// suffixes reads .c.obj, the old way to write %.obj: %.c.
func suffixes(s string) (from, to string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i <= 0 || s[0] != '.' || strings.ContainsAny(s, `/\`) {
		return "", "", false
	}
	_, source := languages[strings.ToLower(s[:i])]
	return s[:i], s[i:], source
}

// static takes a rule whose needs follow from the names of its targets.
func (r *rules) static(names []text, from text, needs []text) {
	r.current = &recipe{}
	for _, name := range names {
		stem, ok := matched(from.String(), name.String())
		if !ok || name.unknown() {
			continue
		}
		t := r.target(name.String(), from.place())
		if t == nil || !r.spend(16*len(needs)) {
			return
		}
		t.stem = plain(stem)
		for _, n := range needs {
			if !r.spend(n.len()) {
				return
			}
			t.needs = append(t.needs, n.replace("%", t.stem))
		}
		t.recipes = append(t.recipes, r.current)
	}
}

// setting adds an assignment for some targets, which counts for what they need too (GNU make manual, 6.11).
func (r *rules) setting(names []text, s setting) {
	r.current = &recipe{}
	for _, name := range names {
		key := r.key(name.String())
		r.settings[key] = append(r.settings[key], s)
	}
}

// command adds a line to the recipe of the last rule.
func (r *rules) command(t text) {
	if len(t) > 0 {
		r.current.lines = append(r.current.lines, t)
	}
}

// searched adds directories to look for files in.
func (r *rules) searched(list []text) {
	for _, t := range list {
		for _, dir := range strings.FieldsFunc(t.String(), func(c rune) bool { return c == ';' }) {
			for _, d := range splitPath(dir) {
				if !t.unknown() && !slices.Contains(r.search, d) {
					r.search = append(r.search, d)
				}
			}
		}
	}
}

// splitPath cuts at colons that end no drive.
func splitPath(s string) []string {
	var list []string
	from := 0
	for i := range len(s) {
		if s[i] == ':' && !(i-from == 1 && i+1 < len(s) && (s[i+1] == '/' || s[i+1] == '\\')) {
			list = append(list, s[from:i])
			from = i + 1
		}
	}
	return slices.DeleteFunc(append(list, s[from:]), func(d string) bool { return d == "" })
}

// find looks a file up, in the directories to search too, and gives its name as make has it.
func (r *rules) find(name string) (string, bool) {
	if _, ok := r.tree.Find(r.tree.Join(r.dir, name)); ok {
		return name, true
	}
	if path.IsAbs(name) {
		return name, false
	}
	for _, dir := range r.search {
		if !r.spend(len(dir)) {
			break
		}
		found := strings.TrimSuffix(dir, "/") + "/" + strings.TrimPrefix(name, "./")
		if _, ok := r.tree.Find(r.tree.Join(r.dir, found)); ok {
			return found, true
		}
	}
	return name, false
}

// made is how a file is made: the needs, the first of them first, the lines of the recipe, and what "%" stood for.
type made struct {
	name   string
	needs  []text
	recipe []text
	stem   text
	direct bool // by a rule of its own, not by one for many files
}

// make gives how a file is made; ok is false where no rule says it.
func (r *rules) make(name string) (made, bool) {
	m := made{name: name}
	t := r.targets[r.key(name)]
	if t != nil {
		m.needs, m.stem, m.direct = t.needs, t.stem, true
		for _, c := range t.recipes {
			if len(c.lines) > 0 && (len(m.recipe) == 0 || r.nmake) {
				m.recipe = c.lines
			}
		}
	}
	if len(m.recipe) > 0 {
		return m, true
	}
	for _, chain := range []int{0, maxChain} {
		if best, stem, needs := r.pattern(name, chain); best != nil {
			return made{name: name, needs: append(needs, m.needs...), recipe: best.recipe.lines, stem: plain(stem)}, true
		}
	}
	return m, t != nil
}

// maxChain bounds how many patterns make a file, one from what the other makes.
const maxChain = 3

// pattern gives the one that makes a file: of those that fit, that with the shortest stem, and of these the first.
func (r *rules) pattern(name string, chain int) (best *pattern, stem string, needs []text) {
	for i, p := range r.patterns {
		s, list, ok := r.fits(p, name, chain)
		if ok && (best == nil || len(s) < len(stem)) {
			best, stem, needs = &r.patterns[i], s, list
		}
	}
	return best, stem, needs
}

// fits says whether a pattern makes a file: its first need must be there, or be made by a rule of its own or, where
// chain is above 0, by another pattern.
func (r *rules) fits(p pattern, name string, chain int) (stem string, needs []text, ok bool) {
	if !r.spend(len(name)) || len(p.recipe.lines) == 0 {
		return "", nil, false
	}
	whole, base := path.Clean(strings.ReplaceAll(p.name, `\`, "/")), path.Clean(strings.ReplaceAll(name, `\`, "/"))
	dir := ""
	if !strings.Contains(whole, "/") {
		i := strings.LastIndexByte(base, '/')
		dir, base = base[:i+1], base[i+1:]
	}
	if stem, ok = matched(whole, base); !ok && len(whole) <= len(base) {
		stem, ok = matched(strings.ToLower(whole), strings.ToLower(base))
	}
	if !ok || stem == "" {
		return "", nil, false
	}
	for _, n := range p.needs {
		n = n.replace("%", plain(stem))
		if !path.IsAbs(n.String()) {
			n = append(plain(dir), n...)
		}
		needs = append(needs, n)
	}
	if len(needs) > 0 {
		first := needs[0].String()
		if _, there := r.find(first); !there && r.targets[r.key(first)] == nil {
			if chain == 0 {
				return "", nil, false
			}
			if by, _, _ := r.pattern(first, chain-1); by == nil {
				return "", nil, false
			}
		}
	}
	return dir + stem, needs, true
}

// automatic gives the variables of a recipe.
func (r *rules) automatic(m made) map[string]text {
	var found, unique []text
	seen := map[string]bool{}
	if !r.spend(16 * len(m.needs)) {
		return nil
	}
	for _, n := range m.needs {
		if !n.unknown() {
			if s, _ := r.find(n.String()); s != n.String() {
				n = plain(s)
			}
		}
		found = append(found, n)
		if !seen[n.String()] {
			unique = append(unique, n)
		}
		seen[n.String()] = true
	}
	a := map[string]text{"@": plain(m.name), "*": m.stem, "^": joinWords(unique), "?": joinWords(unique), "+": joinWords(found), "<": nil}
	if len(found) > 0 {
		a["<"] = found[0]
	}
	if !r.nmake {
		return a
	}
	a["*"] = plain(strings.TrimSuffix(m.name, path.Ext(m.name)))
	a["**"] = a["^"]
	for _, name := range []string{"@", "*", "<", "?", "**"} {
		r.nmakeParts(a, name)
	}
	return a
}

// nmakeParts adds the parts of a file name: $(@D), $(@B), $(@F) and $(@R).
func (r *rules) nmakeParts(a map[string]text, name string) {
	parts := map[string]func(string) string{
		"d": func(s string) string { return path.Dir(s) },
		"f": path.Base,
		"b": func(s string) string { return strings.TrimSuffix(path.Base(s), path.Ext(s)) },
		"r": func(s string) string { return strings.TrimSuffix(s, path.Ext(s)) },
	}
	for letter, part := range parts {
		var list []text
		for _, w := range words(a[name]) {
			if !w.unknown() {
				w = plain(part(strings.ReplaceAll(w.String(), `\`, "/")))
			}
			list = append(list, w)
		}
		a[name+letter] = joinWords(list)
	}
}

// maxParents bounds how far the goals above a target are followed.
const maxParents = 16

// settingsOf gives what is set for a target and for the goals that lead to it, the outermost first. Of several goals
// that need a target, the first counts, as for a make that makes them all.
func (r *rules) settingsOf(name string) []setting {
	if len(r.settings) == 0 {
		return nil
	}
	if r.parents == nil {
		r.findParents()
	}
	var list []setting
	key := r.key(name)
	for range maxParents {
		list = slices.Concat(r.settings[key], list)
		if !r.spend(len(list)) {
			return nil
		}
		parent, ok := r.parents[key]
		if !ok {
			break
		}
		key = parent
	}
	return list
}

// findParents finds for each file the first target that needs it, whose settings it inherits (GNU make manual, 6.11).
func (r *rules) findParents() {
	r.parents = map[string]string{}
	for _, t := range r.order {
		for _, n := range t.needs {
			key := r.key(n.String())
			if _, ok := r.parents[key]; !ok && r.spend(n.len()) {
				r.parents[key] = r.key(t.name)
			}
		}
	}
}
