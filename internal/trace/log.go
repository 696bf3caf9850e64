package trace

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nxport/nxport/nx"
)

// request is one call of a DDI by the driver.
type request struct {
	ddi   nx.DDI
	value uint32 // the deciding argument, 0 where none decides
	size  uint64 // bytes, 0 where the DDI is not told
	tag   string // as the pool shows it, "" where the DDI has none
	rva   uint32 // of the return address
}

// log is what Wine's output says about one load of the driver.
type log struct {
	entry, size uint32 // of the image
	base        uint64 // where it was loaded; known once entered

	requests []request
	calls    int    // of any routine, by the driver
	entered  bool   // its entry routine was called
	late     bool   // its time ran out
	returned bool   // and returned
	status   uint32 // what it returned: an NTSTATUS
	missing  string // an export it called that Wine has no code for
	library  string // a library it needs that Wine does not have
	fault    string // Wine's words for an exception nobody handled
}

// A driver that asks for memory in an endless loop must not fill ours.
const (
	maxRequests = 100_000
	maxOutput   = 512 << 20
	maxLine     = 64 << 10
)

var errTooMuch = errors.New("asked for memory more than 100000 times, or wrote more than 512 MB of trace; it is cut there")

// The lines of Wine 8 that tell. Those of the relay channel start with the thread's number:
//
//	0124:Call driver init 0000000270131016 (obj=...,str=L"\\Registry\\Machine\\...\\Services\\nxtrace")
//	0124:Call ntoskrnl.exe.ExAllocatePoolWithTag(00000200,00000065,64636261) ret=270131081
//	0124:Ret  driver init 0000000270131016 (obj=...,str=...) retval=c000009a
var (
	initCall = regexp.MustCompile(`^[0-9a-f]+:Call driver init ([0-9A-Fa-f]+) \(.*\\` + service + `"\)$`)
	initRet  = regexp.MustCompile(`^[0-9a-f]+:Ret  driver init [0-9A-Fa-f]+ \(.*\\` + service + `"\) retval=([0-9a-f]+)$`)
	call     = regexp.MustCompile(`^[0-9a-f]+:Call [\w.]+\.(\w+)\(([^)]*)\) ret=([0-9a-f]+)$`)
	stub     = regexp.MustCompile(`^wine: Call from [0-9A-F]+ to unimplemented function (\S+), aborting$`)
	noLib    = regexp.MustCompile(`err:module:import_dll Library (\S+) \(which is needed by L".*\\` + service + `\.sys"\)`)
	fault    = regexp.MustCompile(`^wine: (Unhandled .*) \(thread [0-9a-f]+\)`)
)

// read takes in Wine's output until its end.
func (l *log) read(r io.Reader) error {
	s := bufio.NewScanner(io.LimitReader(r, maxOutput+1))
	s.Buffer(nil, maxLine)
	total := 0
	for s.Scan() {
		total += len(s.Bytes()) + 1
		l.line(strings.TrimRight(s.Text(), "\r"))
		if len(l.requests) > maxRequests {
			l.requests = l.requests[:maxRequests]
			return errTooMuch
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) || total > maxOutput {
		return errTooMuch
	}
	return s.Err()
}

func (l *log) line(s string) {
	if m := initCall.FindStringSubmatch(s); m != nil {
		address, _ := strconv.ParseUint(m[1], 16, 64)
		l.base, l.entered = address-uint64(l.entry), true
		return
	}
	if m := noLib.FindStringSubmatch(s); m != nil {
		l.library = m[1]
	}
	if !l.entered { // whatever it is, it is the work of Wine's own drivers
		return
	}
	if m := call.FindStringSubmatch(s); m != nil {
		l.call(m[1], m[2], m[3])
	} else if m := initRet.FindStringSubmatch(s); m != nil {
		status, _ := strconv.ParseUint(m[1], 16, 64)
		l.returned, l.status = true, uint32(status)
	} else if m := stub.FindStringSubmatch(s); m != nil && l.missing == "" {
		l.missing = m[1]
	} else if m := fault.FindStringSubmatch(s); m != nil && l.fault == "" {
		l.fault = m[1]
	}
}

// extras are the positions, from 1, of the size and the tag; 0 where a DDI has none.
var extras = map[string]struct{ size, tag int }{
	"ExAllocatePool":                             {2, 0},
	"ExAllocatePoolWithTag":                      {2, 3},
	"ExAllocatePoolWithQuota":                    {2, 0},
	"ExAllocatePoolWithQuotaTag":                 {2, 3},
	"ExAllocatePoolWithTagPriority":              {2, 3},
	"ExAllocatePool2":                            {2, 3},
	"ExAllocatePool3":                            {2, 3},
	"ExInitializeNPagedLookasideList":            {5, 6},
	"ExInitializeLookasideListEx":                {6, 7},
	"MmAllocateContiguousMemory":                 {1, 0},
	"MmAllocateContiguousMemorySpecifyCache":     {1, 0},
	"MmAllocateContiguousMemorySpecifyCacheNode": {1, 0},
	"MmAllocateContiguousNodeMemory":             {1, 0},
	"MmMapIoSpace":                               {2, 0},
	"MmMapIoSpaceEx":                             {2, 0},
	"NdisAllocateMemoryWithTag":                  {2, 3},
}

// known is the table of DDIs by name.
var known = sync.OnceValue(func() map[string]nx.DDI {
	byName := map[string]nx.DDI{}
	for _, d := range nx.DDIs() {
		byName[d.Name] = d
	}
	return byName
})

// call takes in one call of the driver; others are not shown, as the prefix is set up. The return address lies outside
// the image where a routine that the kernel called jumps to the DDI as its last act: then the place is not known.
func (l *log) call(name, arguments, ret string) {
	l.calls++
	ddi, ok := known()[name]
	if !ok {
		return
	}
	r := request{ddi: ddi}
	if address, err := strconv.ParseUint(ret, 16, 64); err == nil && address-l.base < uint64(l.size) {
		r.rva = uint32(address - l.base)
	}
	args := strings.Split(arguments, ",")
	r.value = uint32(argument(args, ddi.Argument))
	r.size = argument(args, extras[name].size)
	if ddi.Kind == nx.LookasideFlags {
		r.size &= 0xffffffff
	}
	if at := extras[name].tag; at != 0 {
		r.tag = tagText(uint32(argument(args, at)))
	}
	l.requests = append(l.requests, r)
}

// argument returns the argument at that position from 1, or 0. Wine prints whole registers and stack slots: of one
// narrower than 64 bits only the low part means something, and the caller takes no more of it.
func argument(args []string, position int) uint64 {
	if position < 1 || position > len(args) {
		return 0
	}
	hex, _, _ := strings.Cut(args[position-1], " ") // a pointer to text is followed by the text
	v, _ := strconv.ParseUint(hex, 16, 64)
	return v
}

// tagText gives a tag as the pool shows it: lowest byte first. What is no printing character becomes a dot.
func tagText(tag uint32) string {
	text := []byte{byte(tag), byte(tag >> 8), byte(tag >> 16), byte(tag >> 24)}
	for i, c := range text {
		if c < ' ' || c > '~' {
			text[i] = '.'
		}
	}
	return string(text)
}

// untouched says whether nothing of the driver has run, for no reason that Wine gives.
func (l *log) untouched() bool { return !l.entered && !l.late && l.library == "" }

// timedOut says what took too long.
func (l *log) timedOut(limit time.Duration) error {
	switch {
	case !l.entered:
		return fmt.Errorf("its entry routine was not reached within %s: give Wine more time", limit)
	case !l.returned:
		return fmt.Errorf("its entry routine had not returned after %s and %s: give it more time, or see what it waits for",
			limit, l.count())
	}
	return fmt.Errorf("it was not unloaded within %s, after %s: see what its unload routine waits for", limit, l.count())
}

// failure says why the load is no proof of anything, or nil where the driver was loaded.
func (l *log) failure() error {
	switch {
	case l.library != "":
		return fmt.Errorf("it needs %s, which Wine does not have: trace it where that is, or judge the image alone", l.library)
	case l.missing != "":
		return fmt.Errorf("it called %s, for which Wine has no code, after %s: find it at run time with "+
			"MmGetSystemRoutineAddress, or judge the image alone", l.missing, l.count())
	case l.fault != "":
		return fmt.Errorf("it crashed after %s (%s): Wine may give less than Windows; check for NULL what it asked for last",
			l.count(), l.fault)
	case !l.entered:
		return errors.New("its entry routine was not reached: Wine did not load the file; is it a whole, unpacked driver?")
	case !l.returned:
		return fmt.Errorf("its entry routine did not return, after %s: Wine ended it", l.count())
	case int32(l.status) < 0:
		return fmt.Errorf("its entry routine returned 0x%08X after %s: see what it needs that Wine lacks "+
			"(hardware, a registry value)", l.status, l.count())
	case l.calls == 0: // rather than "it asked for nothing"
		return errors.New("it was loaded, but no call of its was seen: either it makes none, or this Wine was built " +
			"without the relay channel; try Wine 8")
	}
	return nil
}

func (l *log) count() string {
	if len(l.requests) == 1 {
		return "1 request"
	}
	return fmt.Sprintf("%d requests", len(l.requests))
}
