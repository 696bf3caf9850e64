package image

import (
	"bytes"
	"slices"

	"github.com/nxport/nxport/internal/machine"
)

// preserved is what a routine leaves as it was.
type preserved struct {
	registers uint64
	untouched bool
}

// closely gives the routine at an address, looked at closely.
func (f *follower) closely(start uint32) *machine.Routine {
	return f.read(f.close, start, machine.ReadClosely)
}

// maxClose is how many routines that call each other are looked at for what they preserve.
const maxClose = 4

// preserves gives what the routine that is called leaves as it was.
func (f *follower) preserves(target machine.Value) (registers uint64, untouched bool) {
	name, start := f.callee(target, nil)
	if name != "" || start == 0 {
		return 0, false
	}
	p, known := f.preserved[start]
	if !known && f.looking < maxClose {
		f.preserved[start] = preserved{} // where it calls itself
		f.looking++
		p.registers, p.untouched = f.closely(start).Preserves()
		f.looking--
		f.preserved[start] = p
	}
	return p.registers, p.untouched
}

// value gives a value before an instruction of a routine; where that is lost, by a closer look.
func (f *follower) value(r *machine.Routine, at uint32, get func(*machine.State) machine.Value) (machine.Value, bool) {
	return f.valueNear(nil, r, at, get)
}

// valueNear is value, by the state before the instruction as far as its block tells, if that is given and tells it.
func (f *follower) valueNear(near *machine.State, r *machine.Routine, at uint32, get func(*machine.State) machine.Value) (machine.Value, bool) {
	var told machine.Value
	if near != nil {
		told = get(near)
	}
	v, ok := r.Value(at, told, get)
	closely := ok && (v.Lost() || disturbed(v, r))
	f.seen.value(asked{r, at, get, v, ok}, closely)
	if !closely {
		return v, ok
	}
	if s, reached := f.closely(r.Start).Before(at); reached {
		if w := get(s); !w.Lost() {
			return w, true
		}
	}
	return v, true
}

// disturbed says whether a part of a value is read through a pointer behind where something else may be written there.
func disturbed(v machine.Value, r *machine.Routine) bool {
	return slices.ContainsFunc(v, func(a machine.Atom) bool {
		return a.Kind == machine.Through && a.Mark != machine.Untouched && !r.Undisturbed(a.At)
	})
}

// neverReturn are imports behind whose calls nothing runs: what they raise is handled elsewhere.
var neverReturn = []string{
	"KeBugCheck", "KeBugCheckEx", "ExRaiseStatus", "ExRaiseAccessViolation", "ExRaiseDatatypeMisalignment", "RtlRaiseStatus",
}

func (f *follower) ends(target machine.Value) bool {
	name, _ := f.callee(target, nil)
	return slices.Contains(neverReturn, name)
}

// setsUp says whether a routine of x86 is one by Microsoft's compilers that sets up the frame of what calls it first of all (__SEH_prolog and
// its kin), with the size and the handlers of that.
func (f *follower) setsUp(start uint32) bool {
	sets, known := f.settingUp[start]
	if !known {
		const push, reach = 0x68, 28
		code := f.At(start)
		// push the handler, and what fs:0 has; then mov [esp+16], ebp; lea ebp, [esp+16]; sub esp, eax
		sets = len(code) > 0 && code[0] == push && bytes.Contains(code[:min(len(code), reach)], []byte("\x89\x6c\x24\x10\x8d\x6c\x24\x10\x2b\xe0"))
		f.settingUp[start] = sets
	}
	return sets
}
