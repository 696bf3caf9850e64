package nx

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a version of Windows as RtlGetVersion reports it.
// Build may be 0, which means "the first build of that major.minor".
type Version struct {
	Major, Minor, Build int
}

// The versions of Windows that drivers name as their minimum. NX pool exists from Windows8 on.
var (
	WindowsXP         = Version{5, 1, 0}
	WindowsServer2003 = Version{5, 2, 0}
	WindowsVista      = Version{6, 0, 0}
	Windows7          = Version{6, 1, 0}
	Windows8          = Version{6, 2, 0}
	Windows81         = Version{6, 3, 0}
	Windows10         = Version{10, 0, 0}
)

// ParseVersion reads "6.1", "10.0" or "10.0.19041".
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(s, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return Version{}, fmt.Errorf("%q is no Windows version: want major.minor or major.minor.build, as 6.1 or 10.0.19041", s)
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.ParseUint(p, 10, 31)
		if err != nil {
			return Version{}, fmt.Errorf("%q is no Windows version: %q is no number", s, p)
		}
		n[i] = int(v)
	}
	return Version{n[0], n[1], n[2]}, nil
}

// Compare returns -1, 0 or 1 as v is before, the same as, or after w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Build, w.Build))
}

// Before says whether v is an earlier Windows than w.
func (v Version) Before(w Version) bool { return v.Compare(w) < 0 }

// HasNX says whether v has no-execute nonpaged pool: Windows 8 (6.2) and later.
func (v Version) HasNX() bool { return !v.Before(Windows8) }

// String gives "6.1" or, with a build, "10.0.19041".
func (v Version) String() string {
	s := strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor)
	if v.Build != 0 {
		s += "." + strconv.Itoa(v.Build)
	}
	return s
}

var marketing = map[Version]string{
	{5, 0, 0}: "2000", WindowsXP: "XP", WindowsServer2003: "Server 2003", WindowsVista: "Vista", Windows7: "7",
	Windows8: "8", Windows81: "8.1", Windows10: "10",
}

// Name gives the name people use, as "Windows 7"; for a version without one it gives "Windows 10.0.19041".
func (v Version) Name() string {
	if n, ok := marketing[v]; ok {
		return "Windows " + n
	}
	return "Windows " + v.String()
}
