package scan

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
	"github.com/rogpeppe/go-internal/txtar"
)

// Every name of a DDI in front of a parenthesis, as clang's raw lexer sees it, must be a request or a declaration to scan,
// and the other way round. The trees are self-written; NXPORT_TREES names more, separated as in PATH:
//
//	NXPORT_TREES=/path/to/driver go test -run RawNames -v ./internal/scan
func TestRawNames(t *testing.T) {
	if testing.Short() {
		t.Skip("needs clang")
	}
	written := t.TempDir()
	archive, err := txtar.ParseFile("testdata/rawnames.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.Files {
		name := filepath.Join(written, filepath.FromSlash(f.Name))
		if err := cmp.Or(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.Data, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	trees := []string{written, "../../examples"}
	if more := os.Getenv("NXPORT_TREES"); more != "" {
		trees = append(trees, filepath.SplitList(more)...)
	}
	for _, dir := range trees {
		t.Run(filepath.Base(dir), func(t *testing.T) { compareNames(t, dir) })
	}
}

func compareNames(t *testing.T, dir string) {
	r, err := Run([]string{dir}, Options{DDIs: nx.DDIs()})
	if err != nil {
		t.Fatal(err)
	}
	mine := accounted(r)
	theirs := map[driver.Place]bool{}
	files, err := r.Tree.Walk(r.Tree.Clean(dir))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range files {
		for _, at := range clangNames(t, r.Tree, p) {
			theirs[at] = true
		}
	}
	t.Logf("%d names by clang, %d by scan", len(theirs), len(mine))
	if len(theirs) == 0 {
		t.Error("clang found no name of a DDI")
	}
	report := func(what string, a, b map[driver.Place]bool) {
		var list []driver.Place
		for at := range a {
			if !b[at] {
				list = append(list, at)
			}
		}
		slices.SortFunc(list, func(x, y driver.Place) int {
			return cmp.Or(strings.Compare(x.Path, y.Path), cmp.Compare(x.Line, y.Line), cmp.Compare(x.Column, y.Column))
		})
		for _, at := range list {
			t.Errorf("%s: %v", what, at)
		}
	}
	report("clang alone", theirs, mine)
	report("scan alone", mine, theirs)
}

// accounted are the places that scan speaks of, without offsets.
func accounted(r *Result) map[driver.Place]bool {
	set := map[driver.Place]bool{}
	add := func(p driver.Place) {
		p.Offset = 0
		set[p] = true
	}
	sites := slices.Clone(r.Dormant)
	for _, m := range r.Images {
		sites = append(sites, m.Sites...)
	}
	for _, s := range sites {
		if _, _, method := s.DDI.Method(); !method { // clang's lexer is not asked for the names of methods
			add(cmp.Or(s.Spelled, s.Place))
		}
	}
	for _, p := range r.Declarations {
		add(p)
	}
	return set
}

var (
	sourceFile = regexp.MustCompile(`(?i)\.(c|cc|cpp|cxx|h|hh|hpp|hxx|inl|i|ipp)$`)
	// identifier 'name'	 [flags]	Loc=<path:line:column>
	rawToken = regexp.MustCompile(`(?ms)^(\w+) '(.*?)'\t.*?Loc=<[^\n]*?:(\d+):(\d+)>$`)
)

// clangNames gives the places in a file where clang sees the name of a DDI and then a parenthesis.
func clangNames(t *testing.T, tr *tree.Tree, p string) []driver.Place {
	t.Helper()
	data, err := tr.Read(p)
	if err != nil || !sourceFile.MatchString(path.Base(p)) || tree.IsBinary(data) || !mentionsDDI(data) {
		return nil
	}
	out, err := exec.Command("clang-19", "-cc1", "-dump-raw-tokens", "-x", "c++", p).CombinedOutput()
	if err != nil && len(out) == 0 {
		t.Fatalf("clang-19: %v", err)
	}
	var list []driver.Place
	var name *driver.Place
	for _, m := range rawToken.FindAllSubmatch(out, -1) {
		switch kind, text := string(m[1]), string(m[2]); {
		case kind == "comment" || kind == "unknown" && strings.TrimSpace(text) == "":
		case kind == "l_paren" && name != nil:
			list = append(list, *name)
			name = nil
		case isDDI(text):
			at := driver.Place{Path: p}
			if _, err := fmt.Sscan(string(m[3])+" "+string(m[4]), &at.Line, &at.Column); err != nil {
				t.Fatal(err)
			}
			name = &at
		default:
			name = nil
		}
	}
	return list
}

// ddiNames are the names that stand in front of a parenthesis; those of methods have no place of their own in a file.
var ddiNames = sync.OnceValue(func() map[string]bool {
	names := map[string]bool{}
	for _, d := range nx.DDIs() {
		if _, _, method := d.Method(); !method {
			names[d.Name] = true
		}
	}
	return names
})

func isDDI(name string) bool { return ddiNames()[name] }

func mentionsDDI(data []byte) bool {
	for name := range ddiNames() {
		if bytes.Contains(data, []byte(name)) {
			return true
		}
	}
	return false
}
