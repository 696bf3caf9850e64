package report

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Address is an address of a built driver, and the request that it belongs to.
type Address struct {
	Path     string
	RVA      uint32
	Section  string
	Function string // "" where the image does not tell
	Offset   uint32 // from where the function begins
	Bounded  bool   // where the function begins and ends is known
	Frames   []driver.Frame
	NoLines  string // why there are none
	Relation Relation
	Site     *driver.Site // nil where there is none
}

// Relation is how an address stands to a request.
type Relation string

// The relations.
const (
	Behind Relation = "return" // it is where the call returns to, as what Driver Verifier and a trace name
	In     Relation = "call"   // it is the call
	Tail   Relation = "tail"   // it is behind the call of a function that jumps to the routine as its last act
	Near   Relation = "near"   // the request is the nearest in the same function
	None   Relation = "none"   // the function has no request
)

// AddressText says where addresses are, which request each belongs to, and what to do next.
func AddressText(w io.Writer, list []Address) error {
	b := bufio.NewWriter(w)
	for i, a := range list {
		if i > 0 {
			fmt.Fprintln(b)
		}
		a.text(b, "")
	}
	return b.Flush()
}

func (a Address) text(w io.Writer, indent string) {
	fmt.Fprintf(w, "%s%s 0x%x: %s\n", indent, printable(a.Path), a.RVA, printable(a.where()))
	for i, f := range a.Frames {
		says := "source"
		if i > 0 {
			says = "inlined into"
		}
		a.line(w, indent, says, frameText(f))
	}
	if len(a.Frames) == 0 {
		a.line(w, indent, "source", "not known: "+cmp.Or(a.NoLines, "its debug data does not cover the address"))
	}
	if a.Site == nil {
		says := "none: no call of a routine that gives memory is in the same function"
		if !a.Bounded {
			says = "none: no call of a routine that gives memory returns there, and where functions begin is not known there"
		}
		a.line(w, indent, "request", says)
		a.line(w, indent, "next", "is it the file that ran? If so, look at what it calls there, also by a pointer, such as that of a lookaside list")
		return
	}
	s := a.Site
	a.line(w, indent, "request", fmt.Sprintf(relations[a.Relation], s.DDI.Name, s.Spot.RVA))
	if a.elsewhere() {
		own, _ := driver.Own(s.Spot.Frames)
		a.line(w, indent, "", "it is at "+frameText(own))
	}
	a.line(w, indent, "decides", decides(s.DDI))
	value := *s
	value.Value.Steps = within(a.Path, value.Value.Steps)
	for _, says := range derivation(value) {
		a.line(w, indent, "", says)
	}
	for i, command := range a.next() {
		a.line(w, indent, []string{"next", "", ""}[i], command)
	}
}

func (a Address) line(w io.Writer, indent, label, says string) {
	fmt.Fprintf(w, "%s  %-8s %s\n", indent, label, printable(says))
}

// where names the section and the function.
func (a Address) where() string {
	switch {
	case a.Function != "" && a.Offset > 0:
		return fmt.Sprintf("%s, %s+0x%x", a.Section, a.Function, a.Offset)
	case a.Function != "":
		return a.Section + ", " + a.Function
	case a.Offset > 0:
		return fmt.Sprintf("%s, 0x%x bytes into a function without a name", a.Section, a.Offset)
	}
	return a.Section
}

func frameText(f driver.Frame) string {
	text := f.Path
	if f.Line > 0 {
		text = fmt.Sprintf("%s:%d", text, f.Line)
	}
	if f.Function != "" {
		text += ", in " + f.Function
	}
	return text
}

var relations = map[Relation]string{
	Behind: "%s: the address is where the call at 0x%x returns to",
	In:     "%s: the address is in the call at 0x%x",
	Tail:   "%s: what is called in front of the address jumps there at 0x%x, as its last act",
	Near:   "%s: the address is at no request, the nearest in the same function is the call at 0x%x",
}

// elsewhere says whether the request has a line in the source that is not that of the address.
func (a Address) elsewhere() bool {
	f := a.Site.Spot.Frames
	return (a.Relation == Near || a.Relation == Tail) && len(f) > 0 && f[0].Line > 0
}

// next are the commands that say more.
func (a Address) next() []string {
	var list []string
	frames := a.Frames
	if a.elsewhere() {
		frames = a.Site.Spot.Frames
	}
	if f, ok := driver.Own(frames); ok && f.Line > 0 {
		list = append(list, fmt.Sprintf("nxport explain %s:%d", f.Path, f.Line))
	}
	if c, ok := nx.CheckOf(a.Site.DDI.Kind); ok {
		list = append(list, "nxport explain "+c.ID())
	}
	return append(list, "nxport explain "+a.Site.DDI.Name)
}

type jsonAddress struct {
	Type     string         `json:"type"`
	Witness  driver.Witness `json:"witness"`
	Path     string         `json:"path"`
	Section  string         `json:"section"`
	RVA      uint32         `json:"rva"`
	Function string         `json:"function,omitempty"`
	Offset   uint32         `json:"offset"`
	Frames   []jsonFrame    `json:"frames,omitempty"` // the innermost first
	Relation Relation       `json:"relation"`
	Site     *jsonImageSite `json:"site,omitempty"`
}

// jsonImageSite is a request in a built image. Its position in the source stands in the frames, if the image tells it.
type jsonImageSite struct {
	Type     string         `json:"type"`
	Witness  driver.Witness `json:"witness"`
	Path     string         `json:"path"`
	Section  string         `json:"section"`
	RVA      uint32         `json:"rva"`
	Return   uint32         `json:"return,omitempty"`
	Function string         `json:"function,omitempty"`
	DDI      string         `json:"ddi"`
	State    driver.State   `json:"state"`
	Kind     nx.Kind        `json:"kind"`
	Decides  int            `json:"decides,omitempty"` // the position of the deciding argument
	Start    uint32         `json:"start,omitempty"`   // where the function begins
	Frames   []jsonFrame    `json:"frames,omitempty"`
	On       []jsonOutcome  `json:"on,omitempty"` // of a driver that was judged
	Why      []jsonStep     `json:"why"`
}

// AddressJSON writes one address a line, with the request that it belongs to.
func AddressJSON(w io.Writer, list []Address) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, a := range list {
		line := jsonAddress{
			Type: "address", Witness: driver.Binary, Path: a.Path, Section: a.Section, RVA: a.RVA, Function: a.Function, Offset: a.Offset,
			Frames: jsonFrames(a.Frames), Relation: a.Relation,
		}
		if a.Site != nil {
			line.Site = imageSiteLine(*a.Site)
		}
		if err := e.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func imageSiteLine(s driver.Site) *jsonImageSite {
	line := &jsonImageSite{
		Type: "site", Witness: s.Witness, Path: s.Place.Path, Section: s.Spot.Section, RVA: s.Spot.RVA, Return: s.Spot.Return,
		Function: s.Function, DDI: s.DDI.Name, State: s.CurrentState(), Kind: s.DDI.Kind, Decides: s.DDI.Argument,
		Start: s.Spot.Start, Frames: jsonFrames(s.Spot.Frames), Why: []jsonStep{},
	}
	line.Why = append(line.Why, whyLines(s.Value)...)
	return line
}
