package nx

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The headers of MinGW's driver kit are a witness of their own: they were written from ReactOS, not from Microsoft's. They
// know about half of the routines.
const ddk = "/usr/share/mingw-w64/include/ddk"

// preprocessed gives all of a kit header, its macros too, as g++ sees it: methods are then members of a struct.
func preprocessed(t *testing.T, header string) string {
	t.Helper()
	cmd := exec.Command("x86_64-w64-mingw32-g++", "-E", "-P", "-dD", "-isystem", ddk, "-D_WIN32_WINNT=0x0A00", "-x", "c++", "-")
	cmd.Stdin = strings.NewReader("#include <ntddk.h>\n#include <" + header + ">\n")
	var diagnostics strings.Builder
	cmd.Stderr = &diagnostics
	out, err := cmd.Output()
	if err != nil || len(out) < 1<<20 {
		t.Fatalf("%s: %v\n%s", header, err, diagnostics.String())
	}
	return string(out)
}

// parameterTypes are those of the deciding argument in a prototype, with the parameter's name where the type is a mere ULONG;
// a macro's has a name alone.
var parameterTypes = map[Kind]*regexp.Regexp{
	PoolType:       regexp.MustCompile(`^POOL_TYPE\b`),
	LookasideFlags: regexp.MustCompile(`^ULONG Flags$|^_Fl$`),
	MdlPriority:    regexp.MustCompile(`^(MM_PAGE_PRIORITY|ULONG) Priority$|^_?Priority$`),
	PageProtection: regexp.MustCompile(`^ULONG \w*Protect(ion)?$`),
	CacheType:      regexp.MustCompile(`^MEMORY_CACHING_TYPE\b`),
	PortDriver:     regexp.MustCompile(`^(VP_)?POOL_TYPE\b`),
}

func TestPositionsInMinGWsHeaders(t *testing.T) {
	if testing.Short() {
		t.Skip("needs mingw-w64")
	}
	seen := map[string]bool{}
	for _, header := range []string{"ntifs.h", "ndis.h", "video.h", "portcls.h", "mcd.h", "ks.h", "stdunk.h"} {
		declared := prototypes(preprocessed(t, header))
		for _, d := range DDIs() {
			_, name, method := d.Method()
			if !method {
				name = d.Name
			}
			for _, list := range declared[name] {
				if method && len(list) != d.Arity {
					continue // of another interface
				}
				seen[d.key()] = true
				if problem := disagrees(d, list); problem != "" {
					t.Errorf("%s in %s(%s): %s", d.Name, header, strings.Join(list, ", "), problem)
				}
			}
		}
	}
	if len(seen) < 55 {
		t.Errorf("only %d of %d rows were found there", len(seen), len(DDIs()))
	}
}

// disagrees says how a list of parameters contradicts a row.
func disagrees(d DDI, list []string) string {
	switch {
	case len(list) != d.Arity:
		return fmt.Sprintf("%d parameters, the table says %d", len(list), d.Arity)
	case d.Argument > 0 && !parameterTypes[d.Kind].MatchString(list[d.Argument-1]):
		return fmt.Sprintf("parameter %d is no %s", d.Argument, d.Kind)
	case d.AccessMode > 0 && !strings.HasPrefix(list[d.AccessMode-1], "KPROCESSOR_MODE "):
		return fmt.Sprintf("parameter %d is no access mode", d.AccessMode)
	case d.Argument == 0 && slices.ContainsFunc(list, parameterTypes[PoolType].MatchString):
		return "it takes a pool type, the table has none"
	}
	return ""
}

var (
	prototype  = regexp.MustCompile(`(#define )?\b(\w+)\s*\(([^;{}()]*)\)`)
	annotation = regexp.MustCompile(`\b(IN|OUT|OPTIONAL|const)\b|__attribute__\(\([^()]*\)\)`)
)

// prototypes gives the parameters of what is declared, or defined as a macro, by name.
func prototypes(text string) map[string][][]string {
	found := map[string][][]string{}
	for _, m := range prototype.FindAllStringSubmatch(text, -1) {
		macro, name := m[1] != "", m[2]
		list := strings.Split(annotation.ReplaceAllString(m[3], " "), ",")
		typed := false // a call has no types
		for i, p := range list {
			list[i] = strings.Join(strings.Fields(p), " ")
			typed = typed || strings.Contains(list[i], " ")
		}
		if typed || macro {
			found[name] = append(found[name], list)
		}
	}
	return found
}

// The compiler itself compares the values of the constants that it knows.
func TestValuesInMinGWsHeaders(t *testing.T) {
	if testing.Short() {
		t.Skip("needs mingw-w64")
	}
	compared := map[string]bool{}
	var file strings.Builder
	file.WriteString("#include <ntifs.h>\n")
	for _, name := range regexp.MustCompile(`\w+`).FindAllString(preprocessed(t, "ntifs.h"), -1) {
		if value, ok := tokens[name]; ok && !compared[name] {
			compared[name] = true
			fmt.Fprintf(&file, "_Static_assert((unsigned)(%s) == %#xu, \"%s\");\n", name, value, name)
		}
	}
	if len(compared) < 45 {
		t.Errorf("only %d of %d constants are known there", len(compared), len(tokens))
	}
	path := filepath.Join(t.TempDir(), "values.c")
	if err := os.WriteFile(path, []byte(file.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("x86_64-w64-mingw32-gcc", "-fsyntax-only", "-isystem", ddk, path).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
