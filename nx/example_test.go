package nx_test

import (
	"fmt"
	"strings"

	"github.com/nxport/nxport/nx"
)

// One binary that asks for executable pool on Windows 7 and for NX pool on Windows 8 and later: the macro
// POOL_NX_OPTIN, and the call.
func ExampleRun_Token() {
	m := nx.File{OptIn: true, Processor: nx.X64}.Mechanism()
	for _, w := range []nx.Version{nx.Windows7, nx.Windows8, nx.Windows10} {
		without, _ := nx.Run{Mechanism: m, Windows: w}.Token("NonPagedPool")
		with, _ := nx.Run{Mechanism: m, Initialised: true, Windows: w}.Token("NonPagedPool")
		fmt.Printf("%s: %d without the call, %d with it\n", w.Name(), without, with)
	}
	// Output:
	// Windows 7: 0 without the call, 0 with it
	// Windows 8: 0 without the call, 512 with it
	// Windows 10: 0 without the call, 512 with it
}

// An opt-in adds the no-execute bit to the Flags of a lookaside list.
func ExampleDDI_Effective() {
	for _, d := range nx.DDIs() {
		if d.Name != "ExInitializeNPagedLookasideList" {
			continue
		}
		run := nx.Run{Mechanism: nx.OptInAuto, Windows: nx.Windows10}
		flags := d.Effective(run, 0)
		fmt.Printf("argument %d: %#x, executable: %s\n", d.Argument, flags, d.Executable(run.Windows, flags))
	}
	// Output: argument 4: 0x200, executable: no
}

func ExampleFile_Mechanism() {
	for _, f := range []nx.File{
		{OptIn: true, Processor: nx.X64},
		{OptIn: true, OptOut: true, Processor: nx.X64},
		{Processor: nx.ARM64},
	} {
		fmt.Println(f.Mechanism())
	}
	// Output:
	// optin
	// optout
	// optin-auto
}

func ExampleParseDDIs() {
	table, err := nx.ParseDDIs("ours.txt", strings.NewReader(
		"DrvAllocate 2 pool_type drv.h 5.0 no - -  # our allocator: the second argument is the pool type\n"))
	fmt.Println(table[0].Name, table[0].Argument, err)
	// Output: DrvAllocate 2 <nil>
}

// What Driver Verifier stops the system for when it sees a request.
func ExampleCheckOf() {
	for _, d := range nx.DDIs() {
		if d.Name != "MmGetSystemAddressForMdlSafe" {
			continue
		}
		c, _ := nx.CheckOf(d.Kind)
		fmt.Printf("bug check 0x%X, parameter 1 %s, parameter 3 the %s\n", nx.VerifierBugCheck, c.ID(), c.Parameters[1])
	}
	// Output: bug check 0xC4, parameter 1 0x2002, parameter 3 the page priority, with the MdlMapping... bits
}

func ExampleKind_Spell() {
	fmt.Println(nx.PoolType.Spell(0x200), nx.PoolType.Spell(0))
	// Output: NonPagedPoolNx NonPagedPoolExecute
}
