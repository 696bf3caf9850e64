package nx

import (
	"fmt"
	"slices"
)

// VerifierBugCheck is DRIVER_VERIFIER_DETECTED_VIOLATION, with which Driver Verifier stops the system. Its parameter 1 says what for.
const VerifierBugCheck = 0xC4

// VerifierFlag is the option of Driver Verifier that makes it check code integrity: verifier /flags 0x02000000 /driver drv.sys.
const VerifierFlag = 0x02000000

// Check is one of the checks of code integrity, by which a driver is found incompatible with memory integrity. Driver
// Verifier stops the system at what it finds, the lab kit's HyperVisor Code Integrity Readiness Test and the debugger's
// !verifier extension count it. The first three are about requests, the others about the layout of the built image.
type Check struct {
	Code       uint32    // parameter 1 of the bug check, 0 where it is only counted
	Name       string    // a short name in kebab case
	Count      string    // the name by which it is counted
	Means      string    // what is wrong
	Parameters [3]string // the bug check's parameters 2 to 4, "" where none is documented
	// Kinds are those of the requests that it is about. Which check sees the memory of CacheType and Always is not documented.
	Kinds []Kind
	Rules []string // IDs of what nxport finds in the source, most of it first
	Find  string   // how to get from the parameters to what is wrong
	Fix   string
}

// Checks returns all of them, sorted by code; what has none comes last. They are documented on "Code integrity checking"
// (windows-driver-docs, devtest) and "Implement memory integrity compatible code" (driversecurity).
func Checks() []Check { return slices.Clone(checks) }

// CheckOf finds the check that requests of a kind are about.
func CheckOf(k Kind) (Check, bool) {
	i := slices.IndexFunc(checks, func(c Check) bool { return slices.Contains(c.Kinds, k) })
	if i < 0 {
		return Check{}, false
	}
	return checks[i], true
}

// ID gives the code as 0x2000, and the name of a check that has none.
func (c Check) ID() string {
	if c.Code == 0 {
		return c.Name
	}
	return fmt.Sprintf("%#x", c.Code)
}

// findCode serves the checks of requests, findSection those of sections.
const (
	findCode = `Parameter 2 is the place. In the debugger, "ln ADDRESS" gives the function, and with the driver's symbols the file and the
line, as "!analyze -v" does; it can be the line below the call. Without them, subtract the driver's base ("lm" lists it):
"nxport scan DRIVER.sys --at RVA" names the call, and the line if the driver has DWARF. The caller decides where that is a wrapper:
"nxport explain FILE:LINE" says for each build where the value comes from.`
	findSection = `In the debugger, "du POINTER" or "dS POINTER" prints parameter 2 and "da POINTER" parameter 4. "dumpbin /headers DRIVER.sys"
or "llvm-readobj --sections DRIVER.sys" lists the sections of the built driver with what they allow.`
)

var (
	codeParameter    = "address in the driver's code where the error was detected"
	sectionParameter = [3]string{"name of the image file, a Unicode string", "address of the section's header", "name of the section, in UTF-8"}
)

var checks = []Check{
	{
		Code: 0x2000, Name: "executable-pool-type", Count: "Execute Pool Type Count",
		Means: `The driver asks for pool memory of an executable type: a nonpaged one without POOL_NX_ALLOCATION (0x200). Parameter 3 is
0 for NonPagedPool, 4 for NonPagedPoolCacheAligned; NonPagedPoolNx, which was expected, is 512.`,
		Parameters: [3]string{codeParameter, "pool type", "pool tag, if there is one: the lowest byte is its first letter"},
		Kinds:      []Kind{PoolType, PoolFlags, LookasideFlags},
		Rules:      []string{"C30030", "NX0001", "NX0002", "NX0003", "NX0004", "NX0005", "C30032"},
		Find:       findCode + " Without symbols, the pool tag tells the request.",
		Fix: `Opt the driver in ("nxport port"), or ask for NonPagedPoolNx or by ExAllocatePool2 where the minimum Windows has them. A driver
that is opted in and stops here all the same lacks the call, makes it too late, or has a file without the macro.`,
	},
	{
		Code: 0x2001, Name: "executable-page-protection", Count: "Execute Page Protection Count",
		Means: `The driver asks for an executable page protection: one of PAGE_EXECUTE, PAGE_EXECUTE_READ, PAGE_EXECUTE_READWRITE and
PAGE_EXECUTE_WRITECOPY (0xF0). Expected was one without these bits.`,
		Parameters: [3]string{codeParameter, "page protection"},
		Kinds:      []Kind{PageProtection},
		Rules:      []string{"C30030"},
		Find:       findCode,
		Fix: `Ask for PAGE_READWRITE or PAGE_READONLY. No opt-in changes a page protection. Memory that is to be executed must come from
an image that Windows has loaded and checked.`,
	},
	{
		Code: 0x2002, Name: "executable-mdl-mapping", Count: "Execute Page Mapping Count",
		Means:      `The driver maps the pages of an MDL executable: the Priority has no MdlMappingNoExecute (0x40000000).`,
		Parameters: [3]string{codeParameter, "page priority, with the MdlMapping... bits"},
		Kinds:      []Kind{MdlPriority},
		Rules:      []string{"C30030", "NX0001", "NX0002", "NX0003", "NX0004", "NX0005", "C30032", "C30029"},
		Find:       findCode,
		Fix: `Opt the driver in ("nxport port"): MmGetSystemAddressForMdlSafe and MmMapLockedPagesSpecifyCache then get the bit. Or write
NormalPagePriority | MdlMappingNoExecute where the minimum is Windows 8. MmMapLockedPages and MmGetSystemAddressForMdl have no
Priority: call MmMapLockedPagesSpecifyCache and MmGetSystemAddressForMdlSafe.`,
	},
	{
		Code: 0x2003, Name: "writable-executable-section", Count: "Execute-Write Section Count",
		Means:      `A section of the built driver is both executable and writable.`,
		Parameters: sectionParameter,
		Find:       findSection,
		Fix: `Take one of the two away: look for /SECTION:name,ERW, for #pragma section(..., execute, write), for /MERGE of a data section
into a code section, and for a packer. Data goes into .data, constants into .rdata, code into sections that are read and executed.`,
	},
	{
		Code: 0x2004, Name: "unaligned-section", Count: "Section Alignment Failures",
		Means:      `A section of the built driver does not begin at a page: the image's section alignment is no multiple of 0x1000.`,
		Parameters: sectionParameter,
		Find:       findSection,
		Fix:        `Link with /ALIGN:0x1000 or without /ALIGN; DRIVER_ALIGNMENT=0x1000 in a SOURCES file. Look for /ALIGN:32 and the like.`,
	},
	{
		Code: 0x2005, Name: "import-table-in-executable-section", Count: "IAT in Executable Section Count",
		Means: `The import address table of the built driver stands in an executable section, where Windows must not write the addresses
that it imports.`,
		Parameters: [3]string{sectionParameter[0], "the directory of the import address table", sectionParameter[2]},
		Find:       findSection + ` "llvm-readobj --file-headers" has the IAT's directory.`,
		Fix:        `Don't merge .rdata or .idata into a code section: look for /MERGE:.rdata=.text and /MERGE:.idata=.text.`,
	},
	{
		Name: "unsupported-relocations", Count: "Unsupported Relocs Count",
		Means: `A relocation of the built driver straddles two pages. Only Windows 10 from 1507 to 1607 (10.0.10240 to 10.0.14393) can't apply
such a one under memory integrity; from 1703 on it is fine.`,
		Find: `The place is an address in initialised data that begins less than a pointer's size before the end of a page: a pointer in a
packed structure, mostly in a long array of them, or data of an assembler source.`,
		Fix: `Align the pointers: take #pragma pack(1) off structures that hold pointers, or put the pointer first and pad the size. Compile
with /Gy, so that the linker can move each variable by itself.`,
	},
}
