// Package header holds nxpool.h, the opt-in mechanisms for driver kits whose headers have none.
package header

import _ "embed"

//go:embed nxpool.h
var text string

// Text returns nxpool.h. It is included after the kit's own header, compiles as C and C++ with gcc, clang and MSVC,
// and changes nothing after a kit that knows the opt-ins itself.
func Text() string { return text }
