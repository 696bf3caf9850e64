package rule

import (
	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/internal/edit"
	"github.com/nxport/nxport/nx"
)

// A page protection that lets memory be executed says so by its name, so that it may well be meant: that it is taken away is
// offered, as unsafe, where the routine gives the driver pages of its own. It is not where pages are made executable
// (MmProtectMdlSystemAddress), which nobody does for nothing; nor of a section, whose views ask for what it allows.

// dataProtection has, for each page protection, the one that allows the same but to execute.
var dataProtection = map[string]string{
	"PAGE_EXECUTE": "PAGE_READONLY", "PAGE_EXECUTE_READ": "PAGE_READONLY", "PAGE_EXECUTE_READWRITE": "PAGE_READWRITE", "PAGE_EXECUTE_WRITECOPY": "PAGE_WRITECOPY",
}

// givesPages are the routines that give pages which nobody else sees.
var givesPages = map[string]bool{
	"MmAllocateContiguousNodeMemory": true, "MmAllocateContiguousMemoryEx": true, "MmMapIoSpaceEx": true, "MmMapMdl": true,
}

// ownPages says whether a request gives such pages, whose memory is not seen to be executed.
func ownPages(s *driver.Site) bool {
	return s.DDI.Kind == nx.PageProtection && givesPages[s.DDI.Name] && len(s.Executed) == 0
}

// forData takes execution out of the page protection of a request, which is offered; nil where a text that decides it decides
// something else, too.
func (all texts) forData(s *driver.Site) *Fix {
	if !ownPages(s) {
		return nil
	}
	f := &Fix{}
	for _, w := range s.Value.Written {
		name := dataProtection[w.Text]
		if name == "" {
			continue
		}
		if w.Use > driver.Together || all.unlike[textOf(w)] {
			return nil
		}
		f.Title = "ask for " + name + ", if nothing executes the memory"
		f.Edits = append(f.Edits, edit.Edit{Path: w.At.Path, Start: w.At.Offset, End: w.End, New: name})
	}
	if len(f.Edits) == 0 {
		return nil
	}
	return f
}
