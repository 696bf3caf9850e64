// Package driver holds what every witness of a driver returns: its source, its built image, or a trace of a run.
//
// A [Site] is one request for memory or a mapping; a [Fact] is anything else that rules need to know; an [Image]
// holds those of one build. Values stay symbolic until the end: package nx evaluates them.
package driver

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nxport/nxport/nx"
)

// Place is a position in a file. Line and Column count from 1, Column and Offset in bytes, a BOM included.
// Path is relative to the working directory, with forward slashes; absolute outside it.
type Place struct {
	Path         string
	Line, Column int
	Offset       int
}

// String gives path:line:column, or the path alone where the line is not known.
func (p Place) String() string {
	if p.Line == 0 {
		return p.Path
	}
	return fmt.Sprintf("%s:%d:%d", p.Path, p.Line, p.Column)
}

// Compare orders places by path, then offset.
func (p Place) Compare(q Place) int {
	return cmp.Or(strings.Compare(p.Path, q.Path), cmp.Compare(p.Offset, q.Offset))
}

// Step is one link of a derivation: where, and what it says.
type Step struct {
	Place
	Says string
	// Versioned is set of a write that stands under a condition on the version of Windows.
	Versioned bool
}

// Token is a constant of the kit's headers, and the mechanism of the file it is written in: a wrapper gets what
// NonPagedPool means to its caller. At says when it is evaluated, where that makes a difference: under POOL_NX_OPTIN it
// stands for a variable, and what was read of it before the opt-in call stays 0.
type Token struct {
	Name string
	In   nx.Mechanism
	At   Moment // 0 where it makes none
}

// HangsOnCall says whether the token stands for another value after the opt-in call.
func (t Token) HangsOnCall() bool {
	before, _ := nx.Run{Mechanism: t.In, Windows: nx.Windows10}.Token(t.Name)
	after, _ := nx.Run{Mechanism: t.In, Windows: nx.Windows10, Initialised: true}.Token(t.Name)
	return before != after
}

// Term is one value a request can have: the tokens, evaluated by nx, OR-ed together with the bits.
type Term struct {
	Tokens []Token
	Bits   uint32
	// From and Below bound the versions of Windows on which it can be: none below From, none from Below on; zero where there is no bound.
	From, Below nx.Version
}

// Possible says whether the value can be on a Windows.
func (t Term) Possible(w nx.Version) bool {
	return !w.Before(t.From) && (t.Below == nx.Version{} || w.Before(t.Below))
}

// String gives the term as C, as "NonPagedPool | 8"; high bits in hexadecimal.
func (t Term) String() string {
	var parts []string
	for _, tok := range t.Tokens {
		parts = append(parts, tok.Name)
	}
	switch {
	case t.Bits >= 1<<16:
		parts = append(parts, fmt.Sprintf("%#x", t.Bits))
	case t.Bits != 0 || len(parts) == 0:
		parts = append(parts, fmt.Sprint(t.Bits))
	}
	return strings.Join(parts, " | ")
}

// Compare orders terms; equal ones have the same value everywhere.
func (t Term) Compare(u Term) int {
	return cmp.Or(strings.Compare(t.String(), u.String()), slices.CompareFunc(t.Tokens, u.Tokens, func(a, b Token) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), cmp.Compare(a.In, b.In), cmp.Compare(a.At, b.At))
	}), t.From.Compare(u.From), t.Below.Compare(u.Below))
}

// Value is what a deciding argument can be: the set of its terms, how they were derived, and, where the set may not
// be whole, the reason why.
type Value struct {
	Terms   []Term
	Unknown string // "" where Terms is the whole set
	Steps   []Step
	// Selected are those of the Terms that come only by way of something that a condition on the version of Windows selects,
	// as in a driver that opts in by hand.
	Selected []Term
	// Written is the text that decides the value, as far as it can be edited: the constants of a pool type, of pool flags or of a
	// page protection, and of the flags of a lookaside list or the priority of a mapping the argument.
	Written []Written
}

// Written is text that decides a request: what it says is changed there, for all requests that hang on it.
type Written struct {
	At   Place
	End  int    // the offset behind it
	Text string // where it is one token, as it is spelled
	Use  Use
	// First says that it gives a variable its first value before any routine runs, where C wants a constant.
	First bool
}

// Use says what becomes of a constant, or of the value of an argument, on the way to the request.
type Use uint8

// The uses, from the one that lets the text be replaced most easily.
const (
	Alone    Use = iota // it is what is requested, or one of several that can be
	Together            // it is OR-ed with others; an argument holds an operator that binds less than that
	Computed            // it goes through another operator
	Compared            // what holds it is compared with a pool type on the way
)

// Call is the text of a call, as far as it can be edited: in a file, or in the body of a macro.
type Call struct {
	Name Place
	End  int // the offset where another argument can be put; 0 where the arguments are not written behind the name, or a directive stands there
	// Start and Stop enclose the deciding argument; 0 where it is not written in the call.
	Start, Stop int
	Constant    bool // the deciding argument is made of constants alone
	Nothing     bool // one of the others is 0
	Shared      bool // a project of user mode compiles its file, too
}

// Moment says when a request runs, seen from the image's opt-in call.
type Moment int

// A request that runs both before and after is Before|After.
const (
	Before Moment = 1 << iota
	After
	// Initial is the time before any routine of the image is entered, when a global variable of C++ is initialised, or
	// would be: no call can be in time for that.
	Initial
)

// Witness names who saw a site.
type Witness string

// The witnesses.
const (
	Source Witness = "source"
	Binary Witness = "image"
	Trace  Witness = "trace"
)

// Site is one request for memory or a mapping.
type Site struct {
	Witness Witness
	Place   Place // where the request stands for the reader: of a macro, the outermost expansion
	Spelled Place // where the DDI's name stands, if that is elsewhere; else zero
	// Function is the enclosing function, "" where there is none.
	Function string
	DDI      nx.DDI
	Argument string // the deciding argument as written; "" where none decides
	Own      string // the function of the driver that allocates instead, as written; "" where there is none
	Call     Call   // how it is written, if there is another routine for it and the text can be edited; else zero
	UserMode bool   // it gives memory of user mode, which is none of the kernel
	Guard    *Step  // the condition on the version of Windows that it stands under; nil where none was seen
	Value    Value
	// Mechanism is that of the file, decided where the kit's header is included.
	Mechanism nx.Mechanism
	Moment    Moment
	// Surely says, of a request that runs before the opt-in call and after it, that it runs before it whatever the conditions.
	Surely bool
	// Early says, of a request in an image without POOL_NX_OPTIN, that it runs before a call that opts in with the macro.
	Early bool
	Built nx.Built // the kit and the lowest Windows of the site's build, as far as they are known
	State State
	// Executed says why the memory seems to be executed: the way from the request to each sign of it, and the sign.
	Executed []Step
	Escapes  bool     // the memory's address goes where it is not followed: it is returned, stored or passed on
	Seen     *Request // a trace only
	Spot     *Spot    // a built image only
}

// State says what is known of a site. The zero value stands for Resolved or Unknown, which the value tells apart.
type State string

// The states of a site. The last three stand in no image: no build gets to them.
const (
	Resolved   State = "resolved"
	Unknown    State = "unknown"
	Inactive   State = "inactive"   // no build compiles it; the directives it hangs on are its steps
	Unexpanded State = "unexpanded" // in the body of a macro that nobody uses
	Unbuilt    State = "unbuilt"    // in a file of no build
)

// CurrentState gives the state of a site.
func (s Site) CurrentState() State {
	switch {
	case s.State != "":
		return s.State
	case s.Value.Unknown != "":
		return Unknown
	}
	return Resolved
}

// Request is what a trace saw of one request.
type Request struct {
	Windows nx.Version
	Value   uint32 // the type or flags passed
	Size    uint64 // bytes
	Tag     string // the pool tag as text, "" where it was not seen
	RVA     uint32 // of the call's return address, 0 where not known
	Jump    uint32 // of the jump to the routine, where what was called did that as its last act; else 0
	Frames  []Frame
}

// Outcome is what a site gets on one Windows.
type Outcome struct {
	Windows    nx.Version
	Values     []uint32 // sorted
	Executable nx.Executable
}

// On evaluates the site for one Windows. Where part of the value is unknown, the judgement is maybe if the known part
// can be executable; else unknown, unless something adds the NX bit to whatever is passed.
func (s Site) On(w nx.Version) Outcome {
	o := Outcome{Windows: w}
	least := s.DDI.Guarded() // the bit is added at every moment the request runs
	for _, m := range []Moment{Before, After} {
		if s.Moment&m == 0 {
			continue
		}
		run := nx.Run{Mechanism: s.Mechanism, Initialised: m == After, Windows: w}
		for _, v := range s.DDI.Values(run, s.Built, 0) {
			least = least && s.DDI.Executable(w, v) == nx.No
		}
		for _, t := range s.Value.Terms {
			for _, v := range t.values(m, w) {
				o.Values = append(o.Values, s.DDI.Values(run, s.Built, v)...)
			}
		}
	}
	slices.Sort(o.Values)
	o.Values = slices.Compact(o.Values)
	if o.Executable = s.judge(w, o.Values); o.Executable == nx.Unknown && least {
		o.Executable = nx.No
	}
	return o
}

// values evaluates the term for one Windows. Tokens that do not say when they are evaluated are at that moment.
func (t Term) values(now Moment, w nx.Version) []uint32 {
	if !t.Possible(w) {
		return nil
	}
	list := []uint32{t.Bits}
	for _, tok := range t.Tokens {
		var more []uint32
		for _, m := range []Moment{Initial, Before, After} {
			if cmp.Or(tok.At, now)&m != 0 {
				bits, _ := nx.Run{Mechanism: tok.In, Initialised: m == After, Windows: w}.Token(tok.Name)
				for _, v := range list {
					more = append(more, v|bits)
				}
			}
		}
		list = more
	}
	return list
}

func (s Site) judge(w nx.Version, values []uint32) nx.Executable {
	if s.DDI.Argument == 0 {
		return s.DDI.Executable(w, 0)
	}
	var j nx.Executable
	for _, v := range values {
		switch e := s.DDI.Executable(w, v); {
		case j == "":
			j = e
		case j == e:
		case j == nx.Unknown || e == nx.Unknown:
			j = nx.Unknown
		case j == nx.Undefined || e == nx.Undefined:
			j = nx.Undefined
		default:
			j = nx.Maybe
		}
	}
	switch {
	case j == "", s.Value.Unknown != "" && j != nx.Yes && j != nx.Maybe:
		return nx.Unknown
	case s.Value.Unknown != "":
		return nx.Maybe
	}
	return j
}

// FactKind names what a Fact is about.
type FactKind string

// The facts rules are judged by.
const (
	// Entry is an entry routine. Insert is where a first statement of its own can go.
	Entry FactKind = "entry routine"
	// OptInCall is a call of ExInitializeDriverRuntime with DrvRtPoolNxOptIn, wherever it stands.
	OptInCall FactKind = "opt-in call"
	// KitInclude is the include directive by which a unit first reaches wdm.h.
	KitInclude FactKind = "kit include"
	// OptInUnknown is an opt-in that has no effect, as the kit's headers know none and nxpool.h does not follow them.
	OptInUnknown FactKind = "opt-in unknown"
	// MissingHeader is an include that was not found and is not the kit's.
	MissingHeader FactKind = "missing header"
	// Assumption is a name that counted as undefined in a condition, though a header that is missing might define it.
	Assumption FactKind = "assumption"
	// ConstantNeeded is a use of a pool type that an opt-in makes a variable, where the language wants a constant.
	ConstantNeeded FactKind = "constant needed"
	// DynamicInitialiser is such a use that C++ takes for one of code that runs before the entry routine.
	DynamicInitialiser FactKind = "dynamic initialiser"
	// Comparison is one of a pool type with a constant.
	Comparison FactKind = "comparison"
	// MacroTooLate is a definition of a mechanism's macro, which Says names, behind the include of wdm.h.
	MacroTooLate FactKind = "macro too late"
	// Redefinition is a definition of a mechanism's macro, which Says names, where it has another value already.
	Redefinition FactKind = "redefinition"
	// OptOut is the POOL_NX_OPTOUT that opts a unit out.
	OptOut FactKind = "opt-out"
	// OptOutOff is a POOL_NX_OPTOUT that is 0, in a unit that is opted in.
	OptOutOff FactKind = "opt-out that is 0"
	// BothOptIns is the kit include of a unit for which both opt-ins are defined, on x86 or x64.
	BothOptIns FactKind = "both opt-ins"
	// OtherCall is a call of ExInitializeDriverRuntime without DrvRtPoolNxOptIn.
	OtherCall FactKind = "call without DrvRtPoolNxOptIn"
	// CodeWritten is machine code that is written to memory of which it is not known who requested it.
	CodeWritten FactKind = "code written"
	// WritableCode is a section of a built image that is executable and writable; DiscardableCode an INIT that is discardable, too.
	WritableCode    FactKind = "writable and executable section"
	DiscardableCode FactKind = "writable and executable section that is discardable"
	// UnalignedSection is one that does not begin at a page, or an alignment that lets all begin elsewhere.
	UnalignedSection FactKind = "unaligned section"
	// ImportsInCode is an import address table in a section that is executable.
	ImportsInCode FactKind = "import table in executable section"
	// StraddlingRelocation is a relocation of bytes of two pages, or several.
	StraddlingRelocation FactKind = "relocation of two pages"
	// NotJudged is why what the code of a built image asks for is not known, or not all of it.
	NotJudged FactKind = "not judged"
	// AddressTaken is that of a routine of the table, which the code of a built image takes and does not call there: who calls it by that is
	// not known.
	AddressTaken FactKind = "address taken"
	// NotUnderstood is code that holds a request, and is read without its surroundings.
	NotUnderstood FactKind = "not understood"
)

// Fact is something else than a site that rules and ports need to know.
type Fact struct {
	Kind     FactKind
	Place    Place
	Function string
	Says     string
	With     *Term // of a Comparison, what the pool type is compared with; else nil
	// Masked says, of a Comparison, that it is one of some bits, of which NX is none, with a constant that an opt-in redefines.
	Masked bool
	// Written are the constants in a Comparison or a case label; of a MacroTooLate the line of the definition, where it can be
	// moved in front of the kit's include in the same file; of an OptOut that line, where it can be taken out.
	Written []Written
	// Names are, of a ConstantNeeded or a DynamicInitialiser, the constants that an opt-in redefines, where each may be another.
	// ByMacro is set where one of them came out of a macro, or of its arguments.
	Names   []Written
	ByMacro bool
	// Labels are, of a case label that is one of the Names and nothing else, all those of its switch; nil where they are not known.
	Labels []Term
	// Initialisers can become assignments: the one of a variable that can't begin with such a name; of an Entry, those of the
	// declarations that have to wait for a statement put at Span.
	Initialisers []Initialiser
	// Calls are, of an OptInCall, its statement; of an Entry, those in its body that its build does not compile.
	Calls     []Statement
	Unit      string       // path of the translation unit
	Mechanism nx.Mechanism // of the unit
	// Effective says, of an OptInCall, that it sets the image's variables.
	Effective bool
	// Zeroing says, of a call of ExInitializeDriverRuntime, that it looks whether the system clears pool memory: its file has
	// POOL_ZERO_DOWN_LEVEL_SUPPORT.
	Zeroing bool
	// Spot is where it is in a built image; nil of what the image as a whole has, and of source.
	Spot *Spot
	// OldKit says, of an Entry or a KitInclude, that some build may compile its file with a kit that knows no opt-in.
	OldKit bool
	// NXPool says, of a KitInclude, that its unit includes nxpool.h; Waits, that it would have to, for an opt-in to have an effect.
	// Behind is, empty, the place behind the line of the directive; nil where no line can be put there.
	NXPool, Waits bool
	Behind        *Span
	// Shared says, of an Entry or a KitInclude, that a project of user mode compiles its file, too.
	Shared bool
	// Span is, of an OptInCall, its whole statement; of an Entry, empty, at the place for a new statement; of a Comparison, what
	// is compared, of a Masked one the constant; of a case label, empty, in front of the case; of a KitInclude, empty, in front of
	// the unit's own include that leads there, if a macro defined there counts.
	Span Span
}

// Statement is one that makes the opt-in call, as it is written. Span and Text have the comments that belong to it, and its Guard;
// where other code stands on its lines, Text is empty.
type Statement struct {
	Span  Span
	Text  string
	Blank int // the length of the empty line behind it, where one, or the brace, stands in front of it
	Guard *Guard
}

// Guard is an #if that holds a call and nothing else: the lines with which it begins and ends.
type Guard struct {
	If, Endif Written
	OptIn     bool // it holds wherever POOL_NX_OPTIN does
}

// Initialiser is what stands behind a variable's name in its declaration, from the white space in front of the =, and the
// statement that assigns the same.
type Initialiser struct {
	Path       string
	Start, End int
	Statement  string
}

// Span is a range of bytes in a file, and how a statement put there is to be laid out.
type Span struct {
	Path       string
	Start, End int
	Indent     string // white space in front of the statements around it
	Newline    string // "\n" or "\r\n"
	// Inline is set where other code stands on the same line, so that no new line can be begun.
	Inline bool
	// Apart is set where an empty line fits between what stands before and the new statement.
	Apart bool
}

// Initialised says whether the image sets the opt-in variables.
type Initialised string

// The states of an image's variables.
const (
	InitYes       Initialised = "yes"
	InitNo        Initialised = "no"
	InitLate      Initialised = "late" // after a request
	InitUnknown   Initialised = "unknown"
	InitNotNeeded Initialised = "not-needed"
)

// Exception is a file whose mechanism differs from its build's.
type Exception struct {
	Path      string
	Mechanism nx.Mechanism
}

// Build identifies what was built, and says how.
type Build struct {
	ID            string // <build file>|<configuration>|<platform>, in the build file's own spelling
	Project       string
	Configuration string
	Processor     nx.Processor
	Minimum       nx.Version
	MinimumSource string
	Mechanism     nx.Mechanism // the build's own define
	Initialised   Initialised
	Exceptions    []Exception
	Defines       map[string]string
	Files         int
	Entries       []string // names of the routines by which Windows may enter: DriverEntry, DllInitialize, EntryPointSymbol
	// Windows are the versions to judge for, none below Minimum, sorted.
	Windows []nx.Version
	Kit     Kit
	// Notes say what of the build file could not be evaluated and how it was read all the same: conditions with an unknown
	// value, missing imports and files.
	Notes []Step
	// Library is set for a static library, which has no entry routine of its own.
	Library bool
	Linker  string // its version, of a built image
	// Links are the IDs of the builds of static libraries that are linked into this one.
	Links []string
}

// Kit is the driver kit that a build is made with, as far as the build file says it; its Name is "" where it does not.
type Kit struct {
	Name    string     // "WDK 7.1", "WDK 10", "WDK 10.0.22621"
	Lowest  nx.Version // the lowest Windows that it can target
	Highest nx.Version // and the highest; zero where there is none
	Only64  bool       // it builds for x64 and ARM64 only
	NoOptIn bool       // its headers know no opt-in, as those from before Windows 8
	Made    nx.Version // the Windows that its headers are of; zero where it is not known
}

// Image is one build as one witness saw it.
type Image struct {
	Build        Build
	Sites        []Site
	Facts        []Fact
	Suppressions []Suppression
	Imports      []nx.DDI // of a built image: the routines of the table that it imports
}

// TooEarly says whether the request, or what decides it, may run before the opt-in call, and is executable only because of
// that.
func (s Site) TooEarly() bool {
	if s.Moment == After && !s.named() {
		return false // it gets the same in any case
	}
	now, then := s.On(nx.Windows10).Executable, s.InTime().On(nx.Windows10).Executable
	return now != then && (now == nx.Yes || now == nx.Maybe)
}

// Perhaps says, of a request that is TooEarly, that it is so only on a way that hangs on a condition.
func (s Site) Perhaps() bool { return s.Moment == Before|After && !s.Surely }

// InTime gives the site as it would be if the opt-in call were made before everything else.
func (s Site) InTime() Site {
	s.Moment = After
	return s.with(func(t Token) Token {
		t.At &= Initial
		return t
	})
}

// named says whether a token names a part of its value.
func (s *Site) named() bool {
	return slices.ContainsFunc(s.Value.Terms, func(t Term) bool { return len(t.Tokens) > 0 })
}

// with gives the site with each token of its value as change makes it.
func (s Site) with(change func(Token) Token) Site {
	if !s.named() {
		return s
	}
	terms := slices.Clone(s.Value.Terms)
	for i, t := range terms {
		terms[i].Tokens = slices.Clone(t.Tokens)
		for j, tok := range t.Tokens {
			terms[i].Tokens[j] = change(tok)
		}
	}
	s.Value.Terms = terms
	return s
}

// Redefined says whether the token is one that the kit's header redefines under an opt-in.
func (t Token) Redefined() bool {
	return t.Name == "NonPagedPool" || t.Name == "NonPagedPoolCacheAligned"
}

// As gives the site as it would be if all files that are not opted in were compiled with m, and the opt-in call made
// in time.
func (s Site) As(m nx.Mechanism) Site {
	replace := func(old nx.Mechanism) nx.Mechanism {
		if old == nx.None {
			return m
		}
		return old
	}
	s.Mechanism = replace(s.Mechanism)
	return s.InTime().with(func(t Token) Token {
		t.In = replace(t.In)
		return t
	})
}
