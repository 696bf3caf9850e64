package nx

import (
	_ "embed"
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
)

//go:embed ddi.txt
var ddiText string

var builtin = sync.OnceValue(func() []DDI {
	t, err := ParseDDIs("ddi.txt", strings.NewReader(ddiText))
	if err != nil {
		panic(err) // the embedded table is part of the program; a test reads it
	}
	return t
})

// DDIs returns the built-in table, sorted by name.
func DDIs() []DDI { return slices.Clone(builtin()) }

// ParseDDIs reads a table in the format of ddi.txt, which documents itself. Errors name file and line.
func ParseDDIs(name string, r io.Reader) ([]DDI, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var table []DDI
	seen := map[string]int{}
	for i, line := range strings.Split(string(text), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		d, err := parseDDI(strings.Fields(line))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, i+1, err)
		}
		key := d.key()
		if first, dup := seen[key]; dup {
			return nil, fmt.Errorf("%s:%d: %s stands already in line %d", name, i+1, d.Name, first)
		}
		seen[key] = i + 1
		table = append(table, d)
	}
	slices.SortStableFunc(table, func(a, b DDI) int { return strings.Compare(a.Name, b.Name) })
	return table, nil
}

// key is what a row is known by: methods of one name differ in how many arguments they take.
func (d DDI) key() string {
	if _, _, method := d.Method(); method {
		return fmt.Sprintf("%s/%d", d.Name, d.Arity)
	}
	return d.Name
}

const columns = "name argument kind header since remapped replacement since"

func parseDDI(f []string) (d DDI, err error) {
	if len(f) < 8 {
		return d, fmt.Errorf("want 8 fields (%s), found %d", columns, len(f))
	}
	d = DDI{Name: f[0], Kind: Kind(f[2]), Header: named(f[3]), Remapped: f[5] == "yes", Replacement: named(f[6])}
	if !slices.Contains(kinds, d.Kind) {
		return d, fmt.Errorf("unknown kind %q: want one of %v", f[2], kinds)
	}
	if d.Argument, err = position("argument", f[1]); err != nil {
		return d, err
	}
	if d.Argument == 0 && d.Kind != Always && d.Kind != PortDriver || d.Argument > 0 && d.Kind == Always {
		return d, fmt.Errorf("kind %s does not go with argument %d", d.Kind, d.Argument)
	}
	if f[5] != "yes" && f[5] != "no" {
		return d, fmt.Errorf("remapped %q: want yes or no", f[5])
	}
	if d.Since, err = ParseVersion(f[4]); err != nil {
		return d, err
	}
	if d.Replacement != "" {
		if d.ReplacementSince, err = ParseVersion(f[7]); err != nil {
			return d, err
		}
	}
	for _, option := range f[8:] {
		if err := d.parseOption(option); err != nil {
			return d, err
		}
	}
	return d, d.check()
}

// named reads a field in which - stands for none.
func named(field string) string {
	if field == "-" {
		return ""
	}
	return field
}

// parseWide reads 2,3,4.
func (d *DDI) parseWide(s string) error {
	for _, w := range strings.Split(s, ",") {
		n, err := position("wide", w)
		if err != nil || n == 0 {
			return fmt.Errorf("wide=%s: want positions of arguments, as wide=2,3", s)
		}
		d.Wide |= 1 << n
	}
	return nil
}

// maxWdf is more than any version of the framework has.
const maxWdf = 1 << 12

func (d *DDI) parseOption(option string) (err error) {
	key, value, _ := strings.Cut(option, "=")
	switch key {
	case "args":
		d.Arity, err = position(key, value)
	case "mode":
		d.AccessMode, err = position(key, value)
	case "allocate":
		d.Allocate, err = position(key, value)
	case "wide":
		err = d.parseWide(value)
	case "wdf":
		if d.Wdf, err = strconv.Atoi(value); err != nil || d.Wdf < 1 || d.Wdf > maxWdf {
			err = fmt.Errorf("wdf=%s: want a place in the framework's table, from 1 to %d", value, maxWdf)
		}
	case "memory":
		if d.UserMemory = value == "user"; !d.UserMemory {
			err = fmt.Errorf("memory=%s: want memory=user", value)
		}
	case "over":
		if d.Over = value; value == "" || value == d.Name {
			err = fmt.Errorf("over=%s: want the name of another routine", value)
		}
	case "nx":
		err = d.parseAdder(value)
	default:
		err = fmt.Errorf("unknown option %q: want args=N, mode=N, allocate=N, memory=user, over=NAME, wide=N,N, wdf=N or nx=WHO after the 8 fields (%s)", option, columns)
	}
	return err
}

// parseAdder reads framework, or kit:10.0.14393.
func (d *DDI) parseAdder(s string) (err error) {
	who, kit, versioned := strings.Cut(s, ":")
	d.Adder = Adder(who)
	switch {
	case !slices.Contains(adders, d.Adder):
		return fmt.Errorf("nx=%s: want one of %v", s, adders)
	case versioned != (d.Adder != Framework):
		return fmt.Errorf("nx=%s: want the first kit behind a colon, as kit:10.0.14393, and none for a framework", s)
	case versioned:
		d.AdderKit, err = ParseVersion(kit)
	}
	return err
}

// maxArguments is more than any routine of the kit takes.
const maxArguments = 20

func position(what, s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > maxArguments {
		return 0, fmt.Errorf("%s %q: want a number from 0 to %d", what, s, maxArguments)
	}
	return n, nil
}

// check finds what each field alone allows but all together do not.
func (d DDI) check() error {
	_, _, method := d.Method()
	switch {
	case method && d.Arity == 0:
		return fmt.Errorf("%s is a method: say by args=N how many arguments it takes", d.Name)
	case d.Arity > 0 && max(d.Argument, d.AccessMode, d.Allocate, bits.Len32(d.Wide)-1) > d.Arity:
		return fmt.Errorf("argument %d of %d", max(d.Argument, d.AccessMode, d.Allocate), d.Arity)
	case d.Guarded() && d.Kind != PoolType && d.Kind != LookasideFlags && d.Kind != MdlPriority:
		return fmt.Errorf("kind %s has no NX bit that an opt-in, a kit or a framework could add", d.Kind)
	}
	return nil
}
