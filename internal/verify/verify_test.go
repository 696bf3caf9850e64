package verify

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestScriptIsASCII(t *testing.T) {
	for i, line := range strings.Split(Script(), "\n") {
		if utf8.RuneCountInString(line) != len(line) || strings.Contains(line, "\r") || len(line) > 132 {
			t.Errorf("line %d: Windows PowerShell may read it otherwise, or it is too long: %q", i+1, line)
		}
	}
}

// No PowerShell runs here: the script is parsed with tree-sitter's grammar, and what it calls is held against a table that
// was filled from the documentation.
func TestScriptByGrammar(t *testing.T) {
	if testing.Short() {
		return // it needs node
	}
	s := parse(t, Script())[0]
	for _, c := range s.complaints(commands(t)) {
		t.Error(c)
	}
	for name := range s.functions {
		if verb, _, _ := strings.Cut(name, "-"); !slices.Contains(verbs, verb) {
			t.Errorf("%s: no approved verb", name)
		}
	}
	if !slices.Contains(s.calls["verifier.exe"], "/reset") {
		t.Error("nothing turns Driver Verifier off")
	}
}

// verbs are those of PowerShell's "Approved verbs" that the script's functions begin with.
var verbs = strings.Fields("convertfrom enable get invoke read remove restore set show start stop test")

// What is done to the script here is found, so that the test above does find something.
func TestBrokenScripts(t *testing.T) {
	if testing.Short() {
		return
	}
	table := []struct{ old, new, want string }{
		{"    return $text\n}", "    return $text\n", "syntax"},
		{"'Stop'\n", "'Stop\n", "syntax"},
		{"-MemberDefinition @'\n", "-MemberDefinition @'", "syntax"},
		{"if ($null -ne $Load) {", "if ($null -ne $Laod) {", "$laod"},
		{"Get-DriverBase -Name $Name", "Get-DriverBase -Nam $Name", "-nam"},
		{"Remove-State\n", "Remove-Stat\n", "remove-stat"},
		{"-Path $log -Encoding", "-Path $log -Encodings", "-encodings"},
		{"'/bootmode', 'oneboot'", "'/botmode', 'oneboot'", "/botmode"},
		{"    return $state\n", "    return $state ?? $null\n", "syntax"},
		{"        return $null\n", "        Get-Date && Get-Date\n", "5.1"},
		{"[uint32] 0", "$Force ? 1 : 0", "syntax"},
	}
	var broken []string
	for _, tt := range table {
		if !strings.Contains(Script(), tt.old) {
			t.Fatalf("%q is not in the script", tt.old)
		}
		broken = append(broken, strings.Replace(Script(), tt.old, tt.new, 1))
	}
	for i, s := range parse(t, broken...) { // all at once: the grammar is loaded once
		tt, got := table[i], s.complaints(commands(t))
		if !slices.ContainsFunc(got, func(c string) bool { return strings.Contains(c, tt.want) }) {
			t.Errorf("%q for %q: complaints %q, want one of %q", tt.new, tt.old, got, tt.want)
		}
	}
}

// commands reads the table: the parameters by the command, in small letters.
func commands(t *testing.T) map[string][]string {
	text, err := os.ReadFile("testdata/commands.txt")
	if err != nil {
		t.Fatal(err)
	}
	table := map[string][]string{}
	for line := range strings.Lines(strings.ToLower(string(text))) {
		if f := strings.Fields(line); f[0] != "#" {
			table[f[0]] = f[1 : len(f)-1]
		}
	}
	return table
}

// parsed is what stands in a script. All names are in small letters, as PowerShell does not tell them apart.
type parsed struct {
	errors         []string
	functions      map[string][]string // with their parameters
	calls          map[string][]string // with the parameters given
	assigned, read map[string]bool
}

func parse(t *testing.T, scripts ...string) []parsed {
	dir, files := t.TempDir(), []string(nil)
	for i, script := range scripts {
		file := filepath.Join(dir, strconv.Itoa(i)+".ps1")
		if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	cmd := exec.Command("../../scripts/powershell", files...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("scripts/powershell: %v", err)
	}
	var list []parsed
	for line := range strings.Lines(strings.ToLower(string(out))) {
		what, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		number, text, _ := strings.Cut(rest, " ")
		if what == "file" {
			list = append(list, parsed{
				functions: map[string][]string{}, calls: map[string][]string{}, assigned: map[string]bool{}, read: map[string]bool{},
			})
			continue
		}
		list[len(list)-1].add(what, number, strings.Fields(text))
	}
	if len(list) != len(scripts) {
		t.Fatalf("%d of %d scripts were parsed", len(list), len(scripts))
	}
	return list
}

func (s *parsed) add(what, line string, words []string) {
	switch what {
	case "error":
		s.errors = append(s.errors, "line "+line+": syntax: "+strings.Join(words, " "))
	case "chain":
		s.errors = append(s.errors, "line "+line+": not in PowerShell 5.1: "+strings.Join(words, " "))
	case "function":
		s.functions[words[0]] = words[1:]
	case "command":
		name := words[0][strings.LastIndexByte(words[0], '\\')+1:] // verifier.exe by its path
		s.calls[name] = append(s.calls[name], words[1:]...)
	case "string":
		if len(words) > 0 && strings.HasPrefix(words[0], "/") { // all these are for verifier.exe
			s.calls["verifier.exe"] = append(s.calls["verifier.exe"], words[0])
		}
	case "assigned":
		s.assigned[words[0]] = true
	case "read":
		s.read[words[0]] = true
	}
}

// automatic are the variables that PowerShell itself sets.
var automatic = []string{"$_", "$null", "$true", "$false", "$lastexitcode", "$psboundparameters", "$pscmdlet"}

// complaints are about syntax, commands and parameters that nobody knows, and variables that nobody sets.
func (s parsed) complaints(table map[string][]string) []string {
	list := s.errors
	for _, name := range slices.Sorted(maps.Keys(s.calls)) {
		known, ours := s.functions[name], true
		if known == nil {
			known, ours = table[name], false
		}
		if strings.HasPrefix(name, "$") {
			continue // a block that the user gives
		}
		if _, is := s.functions[name]; !is && known == nil {
			list = append(list, "unknown command "+name)
			continue
		}
		for _, p := range s.calls[name] {
			if ours {
				p = strings.Replace(p, "-", "$", 1)
			}
			if !slices.Contains(known, p) {
				list = append(list, name+" has no parameter "+strings.Replace(p, "$", "-", 1))
			}
		}
	}
	for name := range s.read {
		if !s.assigned[name] && !slices.Contains(automatic, name) && !strings.HasPrefix(name, "$env:") && name[0] != '@' {
			list = append(list, "nothing sets "+name)
		}
	}
	slices.Sort(list)
	return list
}
