// Package hlk reads what the lab kit's HyperVisor Code Integrity Readiness Test, and the tools around it, say of drivers: how often
// each check of code integrity failed, and where.
//
// No log of the test itself is public as text. What it counts is public, in three forms, and all of them are read, alone or
// between lines of anything else:
//
//   - the Readiness Tool's "Module: drv.sys", "Reason: execute pool type count: 3" ("Evaluate HVCI driver compatibility", in
//     Microsoft's windows-driver-docs, driversecurity/use-device-guard-readiness-tool.md);
//   - all seven counts under "Code Integrity Statistics:", behind "Module: drv.sys (load: 1 / unload: 0)", as verifier /query
//     prints them and that tool reads them, and behind a line of the debugger's !verifier with the driver's name;
//   - bug check 0xC4 with its parameters, as "!analyze -v" (MicrosoftDocs/windows-driver-docs#1859, intel/haxm#116), the
//     debugger's first line, and event 1001 of Windows Error Reporting write it.
package hlk

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nxport/nxport/internal/tree"
	"github.com/nxport/nxport/nx"
)

// Log is what a log says.
type Log struct {
	Drivers []Driver // in the order in which they are first named
	Stops   []Stop
	bases   map[string]uint64 // where images were loaded, by name in small letters
}

// Driver is what a log says of one driver.
type Driver struct {
	Name   string
	Counts []Count // of the checks that the log has of it, zeros among them
	Base   uint64  // where it was loaded; 0 where the log does not say
	Line   int     // where the log first names it
}

// Count is how often a check failed: the most that the log says of it, as what is counted only grows until the driver is unloaded.
type Count struct {
	Check nx.Check
	N     uint64
	Line  int
}

// Stop is a bug check for code integrity.
type Stop struct {
	Driver     string // the image that the log names with it, "" for none
	Check      nx.Check
	Parameters [3]uint64 // 2 to 4
	Line       int
}

// Address is the place in the driver's code that the bug check names; 0 where it names none.
func (s Stop) Address() uint64 {
	if len(s.Check.Kinds) == 0 {
		return 0
	}
	return s.Parameters[0]
}

// Limits on what is kept of a log.
const (
	maxDrivers = 4096
	maxStops   = 1024
	maxLine    = 4096 // bytes of a line; no line of interest is longer
)

// Of gives what a log says of a driver, by the name of its file; and the bug checks that are its, or of nobody in particular.
func (l Log) Of(name string) (Driver, []Stop, bool) {
	var stops []Stop
	for _, s := range l.Stops {
		if s.Driver == "" || strings.EqualFold(s.Driver, name) || strings.EqualFold(s.Driver, strings.TrimSuffix(name, path.Ext(name))) {
			stops = append(stops, s)
		}
	}
	d := Driver{Name: name}
	if i := slices.IndexFunc(l.Drivers, func(d Driver) bool { return strings.EqualFold(d.Name, name) }); i >= 0 {
		d = l.Drivers[i]
	}
	d.Base = l.bases[strings.ToLower(name)]
	return d, stops, len(stops) > 0 || len(d.Counts) > 0
}

// pattern is what is looked for in a line, and what it tells.
type pattern struct {
	needs string // in small letters: without it the expression, which takes longer, is not tried
	in    *regexp.Regexp
	tells func(p *parser, m []string, line int)
}

const (
	// A name ends where the tools put what follows it: a blank, a parenthesis, a quote.
	file   = `\s*([^\s"'<>|*?(),;&]+\.[a-z0-9]{2,4})\b`
	digits = "[0-9a-f`]{8,17}"
	number = "\\s*(?:0x)?([0-9a-f`]{1,17})\\b"
)

var patterns = append([]pattern{
	{"module:", regexp.MustCompile(`(?i)\bmodule:` + file), (*parser).driver},
	{"driver:", regexp.MustCompile(`(?i)\bdriver:` + file), (*parser).driver},
	// !verifier: Entry, State, NonPagedPool, PagedPool, Module
	{"loaded", regexp.MustCompile(`(?i)^\s*` + digits + `\s+(?:loaded|unloaded|never loaded)\s+[0-9a-f]+\s+[0-9a-f]+` + file), (*parser).driver},
	{"image_name:", regexp.MustCompile(`(?i)^\s*IMAGE_NAME:\s*(\S+)`), (*parser).image},
	// What nxport's own script says, and the debugger's list of modules: start, end, name without .sys.
	{"is loaded at", regexp.MustCompile("(?i)(\\S+)\\.sys is loaded at" + number), (*parser).based},
	{"", regexp.MustCompile("(?i)^\\s*(" + digits + `)\s+` + digits + `\s+(\w+)(?:\s|$)`), (*parser).listed},
	{"c4", regexp.MustCompile(`(?i)\b(?:0x0*|BugCheck )c4\b[,:]?\s*[({]` + strings.Repeat(number+`,`, 3) + number), (*parser).stop},
	{"arg", regexp.MustCompile(`(?i)^[\s-]*Arg(?:ument)? ?([1-4]):` + number), (*parser).argument},
}, counts()...)

func counts() (list []pattern) {
	for _, c := range nx.Checks() {
		name := strings.TrimSuffix(c.Count, " Count")
		list = append(list, pattern{
			strings.ToLower(name),
			regexp.MustCompile(`(?i)\b` + regexp.QuoteMeta(name) + `(?: count)?\s*[:=]\s*(0x[0-9a-f]+|[0-9]+)\b`),
			func(p *parser, m []string, line int) { p.count(c, m[1], line) },
		})
	}
	return list
}

// lineEnds are references to line ends, as a message with several lines has them within XML.
var lineEnds = regexp.MustCompile(`(?i)&#x0*[ad];|&#0*1[03];`)

// Parse reads a log, in UTF-8 or, with its mark, UTF-16. Nothing is wrong with a log: it may say nothing.
func Parse(data []byte) Log {
	if tree.IsUTF16(data) {
		data, _ = tree.DecodeUTF16(data)
	}
	p := parser{current: -1, known: map[string]int{}, log: Log{bases: map[string]uint64{}}}
	line := 0
	for text := range bytes.Lines(data) {
		line++
		for _, part := range lineEnds.Split(string(text), -1) {
			p.line(part[:min(len(part), maxLine)], line)
		}
	}
	return p.log
}

type parser struct {
	log       Log
	known     map[string]int // the drivers, by name in small letters
	current   int            // the driver that is spoken of; -1 for none
	arguments [4]uint64      // of a bug check that is told one a line
	told      int            // how many of them
}

func (p *parser) line(text string, line int) {
	small := strings.ToLower(text)
	for _, pattern := range patterns {
		if !strings.Contains(small, pattern.needs) {
			continue
		}
		if m := pattern.in.FindStringSubmatch(text); m != nil {
			pattern.tells(p, m, line)
		}
	}
}

// driver turns to a driver, by its name or its path.
func (p *parser) driver(m []string, line int) {
	name := m[1][strings.LastIndexAny(m[1], `\/`)+1:]
	i, ok := p.known[strings.ToLower(name)]
	if !ok && len(p.log.Drivers) < maxDrivers {
		i, ok = len(p.log.Drivers), true
		p.known[strings.ToLower(name)] = i
		p.log.Drivers = append(p.log.Drivers, Driver{Name: name, Line: line})
	}
	if p.current = i; !ok {
		p.current = -1
	}
}

func (p *parser) count(check nx.Check, number string, line int) {
	n, err := strconv.ParseUint(number, 0, 64)
	if err != nil || p.current < 0 {
		return
	}
	d := &p.log.Drivers[p.current]
	i := slices.IndexFunc(d.Counts, func(c Count) bool { return c.Check.Count == check.Count })
	switch {
	case i < 0:
		d.Counts = append(d.Counts, Count{check, n, line})
	case n > d.Counts[i].N:
		d.Counts[i] = Count{check, n, line}
	}
}

// based keeps where a driver begins: at a page, which tells it from other numbers.
func (p *parser) based(m []string, _ int) {
	if base := hexadecimal(m[2]); base%pageSize == 0 && len(p.log.bases) < maxDrivers {
		p.log.bases[strings.ToLower(m[1])+".sys"] = base
	}
}

const pageSize = 0x1000

func (p *parser) listed(m []string, line int) { p.based([]string{m[0], m[2], m[1]}, line) }

// image names the image of the bug check that was told before.
func (p *parser) image(m []string, _ int) {
	if n := len(p.log.Stops); n > 0 {
		p.log.Stops[n-1].Driver = m[1]
	}
}

// argument takes one that stands on a line of its own; they come in order.
func (p *parser) argument(m []string, line int) {
	i := int(m[1][0] - '1')
	if i != 0 && i != p.told {
		p.told = 0
		return
	}
	p.arguments[i], p.told = hexadecimal(m[2]), i+1
	if p.told == len(p.arguments) {
		p.stopped(p.arguments, line)
	}
}

func (p *parser) stop(m []string, line int) {
	p.stopped([4]uint64{hexadecimal(m[1]), hexadecimal(m[2]), hexadecimal(m[3]), hexadecimal(m[4])}, line)
}

// stopped keeps a bug check for code integrity, once.
func (p *parser) stopped(parameters [4]uint64, line int) {
	for _, c := range nx.Checks() {
		s := Stop{Check: c, Parameters: [3]uint64(parameters[1:]), Line: line}
		same := func(t Stop) bool { return t.Check.Code == s.Check.Code && t.Parameters == s.Parameters }
		if c.Code != 0 && parameters[0] == uint64(c.Code) && len(p.log.Stops) < maxStops && !slices.ContainsFunc(p.log.Stops, same) {
			p.log.Stops = append(p.log.Stops, s)
		}
	}
}

// hexadecimal reads a number as the debugger writes it, fffff801`e7121c5d; what is no number is 0.
func hexadecimal(s string) uint64 {
	n, _ := strconv.ParseUint(strings.ReplaceAll(s, "`", ""), 16, 64)
	return n
}
