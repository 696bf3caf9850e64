package image

import (
	"cmp"
	"debug/pe"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// The layout of an image: what Driver Verifier and the lab kit's readiness test look for in its sections, its imports and its
// relocations, and why an image, or a part of one, can't be judged.

// pageSize is the smallest unit of memory that has a protection of its own.
const pageSize = 0x1000

// build says of the image what a build file says of a build.
func (m *Image) build() driver.Build {
	b := driver.Build{
		ID: m.Path, Project: m.Path, Processor: m.Processor, Mechanism: nx.None, Initialised: driver.InitUnknown,
		Linker: fmt.Sprintf("%d.%d", m.linker[0], m.linker[1]),
	}
	b.Minimum, b.MinimumSource = m.minimum()
	return b
}

// Kernel says whether the image is one of the kernel, as far as what it imports tells: what only runs before Windows is there, or is
// the first program of a session, is native, too.
func (m *Image) Kernel() bool {
	return !slices.ContainsFunc(m.Imports, func(v Import) bool { return strings.EqualFold(v.Library, "ntdll.dll") })
}

// first are the versions of Windows that came first for each processor.
var first = map[nx.Processor]nx.Version{
	nx.X86: nx.WindowsXP, nx.X64: nx.WindowsServer2003, nx.ARM: nx.Windows8, nx.ARM64: nx.Windows10,
}

// minimum is the lowest Windows that loads the image: none below its subsystem version, as far as there is such a Windows.
func (m *Image) minimum() (nx.Version, string) {
	v := nx.Version{Major: int(m.SubsystemVersion[0]), Minor: int(m.SubsystemVersion[1])}
	source := "subsystem version " + v.String()
	switch low := first[m.Processor]; {
	case nx.Windows10.Before(v):
		return nx.Windows10, source + ", which no Windows has"
	case v.Before(low):
		return low, "the first for " + string(m.Processor) + ", " + source
	}
	return v, source
}

// imported gives the routines of a table that the image imports, each once.
func (m *Image) imported(table map[string]nx.DDI) []nx.DDI {
	var list []nx.DDI
	seen := map[string]bool{}
	for _, v := range m.Imports {
		if d, ok := table[v.Name]; ok && !seen[v.Name] {
			seen[v.Name] = true
			list = append(list, d)
		}
	}
	return list
}

// layout gives what is to be known of the image besides its requests.
func (m *Image) layout() []driver.Fact {
	return slices.Concat(m.unjudged(), m.sectionFacts(), m.importsInCode(), m.straddling())
}

func (m *Image) fact(kind driver.FactKind, spot *driver.Spot, says string, args ...any) driver.Fact {
	return driver.Fact{Kind: kind, Place: driver.Place{Path: m.Path}, Spot: spot, Says: fmt.Sprintf(says, args...)}
}

// spot is an address, with the section that it is in.
func (m *Image) spot(rva uint32) *driver.Spot {
	spot := &driver.Spot{RVA: rva}
	if s, ok := m.Section(rva); ok {
		spot.Section = s.Name
	}
	return spot
}

func (s Section) spot() *driver.Spot { return &driver.Spot{Section: s.Name, RVA: s.RVA} }

func (s Section) has(bits uint32) bool { return s.Characteristics&bits == bits }

// sectionFacts are about what sections allow, and where they begin.
func (m *Image) sectionFacts() []driver.Fact {
	const writableCode = pe.IMAGE_SCN_MEM_WRITE | pe.IMAGE_SCN_MEM_EXECUTE
	var list []driver.Fact
	for _, s := range m.Sections {
		switch {
		case !s.has(writableCode):
		case s.has(pe.IMAGE_SCN_MEM_DISCARDABLE) && strings.EqualFold(s.Name, "INIT"):
			list = append(list, m.fact(driver.DiscardableCode, s.spot(), "%s at 0x%x is executable, writable and discardable", s.Name, s.RVA))
		default:
			list = append(list, m.fact(driver.WritableCode, s.spot(), "%s at 0x%x is executable and writable", s.Name, s.RVA))
		}
	}
	if m.alignment%pageSize != 0 {
		return append(list, m.fact(driver.UnalignedSection, nil, "the section alignment is 0x%x, which is no multiple of 0x%x", m.alignment, pageSize))
	}
	for _, s := range m.Sections {
		if s.RVA%pageSize != 0 {
			list = append(list, m.fact(driver.UnalignedSection, s.spot(), "%s begins at 0x%x, which is no multiple of 0x%x", s.Name, s.RVA, pageSize))
		}
	}
	return list
}

// importsInCode is about the import address table: where the header says that it is, and where the slots are.
func (m *Image) importsInCode() []driver.Fact {
	var list []driver.Fact
	slots := []uint32{m.directory(pe.IMAGE_DIRECTORY_ENTRY_IAT).rva}
	for _, v := range m.Imports {
		slots = append(slots, v.Slot)
	}
	last := Section{}
	for _, at := range slots {
		if last.Size > 0 && at-last.RVA < last.Size {
			continue // most stand one behind the other
		}
		s, ok := m.Section(at)
		if last = s; at == 0 || !ok || !s.Executable() {
			continue
		}
		known := func(f driver.Fact) bool { return f.Spot.Section == s.Name }
		if !slices.ContainsFunc(list, known) {
			list = append(list, m.fact(driver.ImportsInCode, &driver.Spot{Section: s.Name, RVA: at},
				"the import address table, at 0x%x, is in section %s, which is executable", at, s.Name))
		}
	}
	return list
}

// straddling counts the relocations that change bytes of two pages.
func (m *Image) straddling() []driver.Fact {
	n, lowest := 0, uint32(0)
	m.relocations(func(at, width uint32) {
		if at%pageSize+width <= pageSize {
			return
		}
		if n++; n == 1 || at < lowest {
			lowest = at
		}
	})
	if n == 0 {
		return nil
	}
	says := fmt.Sprintf("the relocation at 0x%x straddles two pages", lowest)
	if n > 1 {
		says = fmt.Sprintf("%d relocations straddle two pages, the first at 0x%x", n, lowest)
	}
	return []driver.Fact{m.fact(driver.StraddlingRelocation, m.spot(lowest), "%s", says)}
}

// unjudged are the reasons why what the code does is not known: a processor that is not read, damage, a packer.
func (m *Image) unjudged() []driver.Fact {
	var list []driver.Fact
	say := func(says string, args ...any) { list = append(list, m.fact(driver.NotJudged, nil, says, args...)) }
	if m.Processor == nx.ARM {
		say("the code of ARM (32-bit) images is not read: what its calls ask for was not judged")
	}
	for _, s := range m.Sections {
		if s.cut {
			say("damaged: the file ends within section %s", s.Name)
		}
	}
	if a, b, ok := m.overlap(); ok {
		say("damaged: sections %s at 0x%x and %s at 0x%x overlap", a.Name, a.RVA, b.Name, b.RVA)
	}
	entry, in := m.Section(m.Entry)
	if m.Entry != 0 && !(in && entry.Executable()) {
		say("damaged: the entry routine, at 0x%x, is in no section that is executable", m.Entry)
	}
	if len(m.Imports) == 0 && m.directory(directoryImport).rva != 0 {
		say("damaged: no import can be read")
	}
	if says := m.packed(entry); says != "" {
		say("%s", says)
	}
	return list
}

// overlap finds two sections that take the same addresses.
func (m *Image) overlap() (a, b Section, ok bool) {
	list := slices.Clone(m.Sections)
	slices.SortStableFunc(list, func(a, b Section) int { return cmp.Compare(a.RVA, b.RVA) })
	for i := 1; i < len(list); i++ {
		if a, b = list[i-1], list[i]; uint64(a.RVA)+uint64(a.Size) > uint64(b.RVA) && b.Size > 0 {
			return a, b, true
		}
	}
	return Section{}, Section{}, false
}

// packers are the names that packers give to sections, in small letters, as far as they begin so.
var packers = []struct{ section, packer string }{
	{"upx", "UPX"}, {".vmp", "VMProtect"}, {".themida", "Themida"}, {".winlice", "WinLicense"}, {".aspack", "ASPack"},
	{".enigma", "Enigma"}, {".mpress", "MPRESS"}, {".petite", "Petite"}, {"pec2", "PECompact"}, {".nsp", "NsPack"}, {".svmp", "SVMP"},
}

const (
	// fewImports is more than an unpacker needs, and less than a driver.
	fewImports = 8
	// packedEntropy, in bits a byte, is more than code has and less than what is compressed or encrypted; smallest is how many bytes
	// it takes to tell.
	packedEntropy = 7.2
	smallest      = 1 << 12
)

// packed says why the code seems to be unpacked only when the driver runs; "" where it does not.
func (m *Image) packed(entry Section) string {
	for _, s := range m.Sections {
		for _, p := range packers {
			if strings.HasPrefix(strings.ToLower(s.Name), p.section) {
				return fmt.Sprintf("packed: section %s is one of %s, whose code is there only when the driver runs", s.Name, p.packer)
			}
		}
	}
	if len(m.Imports) > fewImports {
		return ""
	}
	for _, s := range m.Sections {
		if b := m.bytes(s); s.Executable() && len(b) >= smallest {
			if e := entropy(b); e > packedEntropy {
				return fmt.Sprintf("packed: section %s is compressed or encrypted (%.1f bits a byte), with %d imports", s.Name, e, len(m.Imports))
			}
		}
	}
	if entry.has(pe.IMAGE_SCN_MEM_WRITE) && !entry.has(pe.IMAGE_SCN_MEM_DISCARDABLE) {
		return fmt.Sprintf("packed: the entry routine is in section %s, which is writable, with %d imports", entry.Name, len(m.Imports))
	}
	return ""
}

// entropy is how many bits of a byte are not told by how often each value is there.
func entropy(data []byte) float64 {
	var counts [256]int
	for _, b := range data {
		counts[b]++
	}
	bits := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(data))
			bits -= p * math.Log2(p)
		}
	}
	return bits
}
