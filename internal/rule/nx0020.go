package rule

import "github.com/nxport/nxport/internal/driver"

var writableInit = Rule{
	ID:    "NX0020",
	Name:  "writable-init-section",
	Level: Warning,
	Doc: Doc{
		What: `The INIT section of a built driver is executable and writable, and discardable, so that Windows frees it when the entry
routine has returned. Only built drivers are judged by this rule.`,
		Why: `Linkers before that of Visual Studio 2013 made INIT so. Windows 10 and later take away that such a section can be
written, and load the driver; for what is not discardable, or has another name, they don't: that is 0x2003.`,
		Fix: `Link with Visual Studio 2013 or later, whose linker makes INIT read and executed only, or with /SECTION:INIT,ERD.`,
	},
	built: layoutOf(driver.DiscardableCode), layout: true,
}
