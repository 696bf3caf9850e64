package report

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/nxport/nxport/internal/rule"
	"github.com/nxport/nxport/nx"
)

//go:generate go test . -run ^TestRulesPage$ -update

var update = flag.Bool("update", false, "write docs/rules.md")

// docs/rules.md is what the rules and the table of checks say: go generate ./internal/report writes it.
func TestRulesPage(t *testing.T) {
	const name = "../../docs/rules.md"
	want := rulesPage(rule.All(), nx.Checks())
	if *update {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if text := strings.ReplaceAll(string(got), "\r\n", "\n"); text != want {
		t.Errorf("docs/rules.md is stale from line %d on: run go generate ./internal/report", differsAt(text, want))
	}
}

func differsAt(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return strings.Count(a[:n], "\n") + 1
}

func rulesPage(rules []*rule.Rule, checks []nx.Check) string {
	var b strings.Builder
	b.WriteString("<!-- Written by go generate ./internal/report from the rules and nx/check.go: change those. -->\n\n# Rules\n\n" +
		"What `nxport scan` finds. `nxport explain ID` prints the same. The rules whose ID begins with C are those of Microsoft's\n" +
		"code analysis, with its numbers; a suppression may name them in either spelling.\n\n" +
		"| rule | name | level | Microsoft's identifier |\n|---|---|---|---|\n")
	for _, r := range rules {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.ID, anchor(r.ID+" "+r.Name), r.Name, r.Level, code(r.Official))
	}
	b.WriteString("\nWhat Driver Verifier and the lab kit find: [bug check 0xC4](#bug-check-0xc4).\n")
	for _, r := range rules {
		ruleSection(&b, r)
	}
	checkSections(&b, checks, rules)
	return b.String()
}

func ruleSection(b *strings.Builder, r *rule.Rule) {
	what := prose(r.Doc.What)
	if r.JudgesBuilt() {
		what += "\n\nIt judges built drivers, too."
	}
	fmt.Fprintf(b, "\n## %s %s\n\n%s\n\n**Why it matters.** %s\n\n**How to mend it.** %s\n",
		r.ID, r.Name, what, prose(r.Doc.Why), prose(r.Doc.Fix))
	if r.OnlyBuilt() {
		return
	}
	b.WriteString("\nAn example, and what mends it:\n")
	for _, f := range example(r.Doc) {
		language := "diff"
		if !f.changed {
			language = languages[f.name[strings.LastIndex(f.name, ".")+1:]]
		}
		fmt.Fprintf(b, "\n%s\n```%s\n%s```\n", f.title(), language, f.text)
	}
}

var languages = map[string]string{"c": "c", "h": "c", "cpp": "cpp", "vcxproj": "xml", "props": "xml"}

func checkSections(b *strings.Builder, checks []nx.Check, rules []*rule.Rule) {
	fmt.Fprintf(b, "\n## Bug check 0xC4\n\nDRIVER_VERIFIER_DETECTED_VIOLATION: Driver Verifier stops the system for it, once its code integrity checks are on\n"+
		"(`verifier /flags %#08x /driver DRIVER.sys`). Parameter 1 says what for. The lab kit's HyperVisor Code Integrity\n"+
		"Readiness Test and the debugger's `!verifier` count the same. `nxport scan DRIVER.sys` finds them in a built driver, by the\n"+
		"parameter or the name; the rules find them in source.\n\n| parameter 1 | name | counted as | level | rules |\n|---|---|---|---|---|\n", nx.VerifierFlag)
	for _, c := range checks {
		var ids []string
		for _, r := range rulesOf(c, rules) {
			ids = append(ids, fmt.Sprintf("[%s](#%s)", r.ID, anchor(r.ID+" "+r.Name)))
		}
		fmt.Fprintf(b, "| %s | [%s](#%s) | %s | %s | %s |\n", parameter(c), c.Name, anchor(checkTitle(c)), c.Count, levelOf(c), strings.Join(ids, ", "))
	}
	for _, c := range checks {
		fmt.Fprintf(b, "\n### %s\n\n%s\n", checkTitle(c), prose(c.Means))
		if c.Code != 0 {
			b.WriteString("\n")
			for i, p := range c.Parameters {
				fmt.Fprintf(b, "- parameter %d: %s\n", i+2, cmp.Or(p, "not documented"))
			}
		}
		fmt.Fprintf(b, "\n**How to find it.** %s\n\n**How to mend it.** %s\n", prose(c.Find), prose(c.Fix))
	}
}

func checkTitle(c nx.Check) string {
	if c.Code == 0 {
		return c.Name
	}
	return c.ID() + " " + c.Name
}

// anchor is what a heading is linked by.
func anchor(title string) string { return strings.ReplaceAll(strings.ToLower(title), " ", "-") }

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

var (
	leading = regexp.MustCompile(`(^|[\s(])_`)
	special = strings.NewReplacer("*", `\*`, "<", "&lt;", "`", "\\`")
)

// prose keeps Markdown from reading more into a text than it says.
func prose(s string) string {
	return leading.ReplaceAllString(special.Replace(strings.TrimSpace(s)), `$1\_`)
}
