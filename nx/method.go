package nx

import "strings"

// Methods holds the methods of a table by their bare names. Such a name says little: a driver's own classes have methods
// called NewStream, too. So a method is known by the number of its arguments and, where that is known, by its interface;
// [DDI.Takes] then tells whether the deciding argument is of the right type.
type Methods map[string][]DDI

// MethodsIn gives the methods of a table, those of one name in its order.
func MethodsIn(table []DDI) Methods {
	m := Methods{}
	for _, d := range table {
		if _, name, ok := d.Method(); ok {
			m[name] = append(m[name], d)
		}
	}
	return m
}

// Find gives the methods that a call or a definition can be, given its bare name, how many arguments it has, and the type of
// the object: IPortWavePci, a pointer type of it such as PPORTWAVEPCI, or "" where that is not known. For a placement new
// the name is new, and the size counts as the first argument.
func (m Methods) Find(object, name string, arguments int) []DDI {
	var found []DDI
	for _, d := range m[name] {
		iface, _, _ := d.Method()
		if d.Arity == arguments && (object == "" || iface == "" || isA(object, iface)) {
			found = append(found, d)
		}
	}
	return found
}

// isA knows the names that the kit's headers give to an interface: IPortWavePci and PPORTWAVEPCI, DXGKRNL_INTERFACE,
// _DXGKRNL_INTERFACE and PDXGKRNL_INTERFACE.
func isA(object, iface string) bool {
	object = strings.TrimRight(object, " *&")
	return object == iface || object == "_"+iface || object == "P"+iface ||
		strings.HasPrefix(iface, "I") && object == "P"+strings.ToUpper(iface[1:])
}
