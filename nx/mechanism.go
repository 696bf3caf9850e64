package nx

import "strings"

// Processor is the processor a file is compiled for.
type Processor string

// The processors Windows drivers are built for.
const (
	X86   Processor = "x86"
	X64   Processor = "x64"
	ARM   Processor = "arm"
	ARM64 Processor = "arm64"
)

// ParseProcessor reads a platform in the spelling of a build file: Win32, x86, i386, x64, amd64, ARM, ARM64.
func ParseProcessor(platform string) (Processor, bool) {
	switch strings.ToLower(platform) {
	case "win32", "x86", "i386":
		return X86, true
	case "x64", "amd64":
		return X64, true
	case "arm":
		return ARM, true
	case "arm64":
		return ARM64, true
	}
	return "", false
}

// Mechanism is what the kit's headers do to a file.
type Mechanism string

// The mechanisms. OptedOut is a file that POOL_NX_OPTOUT takes out of the other two.
const (
	None      Mechanism = "none"
	OptIn     Mechanism = "optin"
	OptInAuto Mechanism = "optin-auto"
	OptedOut  Mechanism = "optout"
)

// Macro names the define that asks for the mechanism, "" for None.
func (m Mechanism) Macro() string {
	switch m {
	case OptIn:
		return "POOL_NX_OPTIN"
	case OptInAuto:
		return "POOL_NX_OPTIN_AUTO"
	case OptedOut:
		return "POOL_NX_OPTOUT"
	}
	return ""
}

// The variables that the header defines once per image under POOL_NX_OPTIN.
const (
	PoolTypeVariable      = "ExDefaultNonPagedPoolType"
	MdlProtectionVariable = "ExDefaultMdlProtection"
)

// File is what decides the mechanism of one compiled source file: its macros as they stand at the point where
// wdm.h is included, by whatever header brings it. A macro defined later, or one that is 0, has no effect.
type File struct {
	OptIn, OptInAuto, OptOut bool
	Processor                Processor
	// NTOS is set where _NTOS_ is defined, that is in the operating system's own build.
	NTOS bool
}

// Mechanism says what wdm.h does to the file. On every processor but x86 and x64 the header itself turns
// POOL_NX_OPTIN into POOL_NX_OPTIN_AUTO, and even a file with neither is opted in.
func (f File) Mechanism() Mechanism {
	auto := f.OptInAuto || f.automatic()
	switch {
	case (auto || f.OptIn) && f.OptOut:
		return OptedOut
	case auto:
		return OptInAuto
	case f.OptIn:
		return OptIn
	}
	return None
}

// Compiles says whether the kit accepts the combination: with both opt-ins on x86 or x64 its
// ExInitializeDriverRuntime names variables that were not declared.
func (f File) Compiles() bool {
	return !(f.OptIn && f.OptInAuto) || f.OptOut || f.automatic()
}

func (f File) automatic() bool {
	return !f.NTOS && (f.Processor == ARM || f.Processor == ARM64)
}

// OptsIn says whether ExInitializeDriverRuntime(argument), called in a file with mechanism m, sets the two
// variables of the image. In any other file, and without DrvRtPoolNxOptIn, it silently does nothing.
func (m Mechanism) OptsIn(argument uint32) bool {
	return m == OptIn && argument&DrvRtPoolNxOptIn != 0
}

// Run is the moment at which a request is made: in a file with this mechanism, before or after the image's
// variables were set by an ExInitializeDriverRuntime that counts, on this Windows.
type Run struct {
	Mechanism   Mechanism
	Initialised bool
	Windows     Version
}

// Token gives the value of a constant of the kit's headers, or of a variable of the opt-in, at that moment.
// The second result is false for a name it does not know.
func (r Run) Token(name string) (uint32, bool) {
	switch name {
	case "NonPagedPool":
		return r.poolType(), true
	case "NonPagedPoolCacheAligned":
		return r.poolType() + 4, true
	case PoolTypeVariable:
		return r.variable(PoolNXAllocation), true
	case MdlProtectionVariable:
		return r.variable(MdlMappingNoExecute), true
	}
	v, ok := tokens[name]
	return v, ok
}

// poolType is what the token NonPagedPool stands for.
func (r Run) poolType() uint32 { return r.remap(PoolNXAllocation) }

// remap gives bit where the mechanism redefines a name or an argument, 0 where it leaves it alone.
func (r Run) remap(bit uint32) uint32 {
	switch r.Mechanism {
	case OptIn:
		return r.variable(bit)
	case OptInAuto:
		return bit
	}
	return 0
}

// variable gives what the opt-in call stored: bit, or on a Windows without NX pool the initial 0.
func (r Run) variable(bit uint32) uint32 {
	if r.Initialised && r.Windows.HasNX() {
		return bit
	}
	return 0
}
