package source

import (
	"slices"

	"github.com/nxport/nxport/nx"
)

// Methods of the kit's interfaces, and its operator new, are known by more than their names: the number of arguments, the
// type of the object, and whether the deciding argument can be of the right type.

// placementHeaders declare an operator new that takes a pool type, unless the macro noPlacement is defined.
var placementHeaders = map[string]bool{"stdunk.h": true, "kcom.h": true}

const noPlacement = "_NEW_DELETE_OPERATORS_"

// includePlacement notes that a kit's header of that name declares its operator new.
func (p *cpp) includePlacement(name string) {
	if placementHeaders[baseName(name)] && p.lookup(noPlacement) == nil {
		p.placement = true
	}
}

// method gives the DDI that the call of a method is, nil for none. The object ends at the token at i.
func (r *reading) method(c *call, args [][]token, i int) *nx.DDI {
	if len(r.known.methods[c.callee]) == 0 {
		return nil
	}
	r.asks = append(r.asks, r.objectNames(i)...)
	typ, classes := r.objectType(i)
	find := func(object string) *nx.DDI {
		for _, d := range r.known.methods.Find(object, c.callee, len(args)) {
			if (object != "" || d.Argument > 0) && (d.Argument == 0 || r.canBe(&d, args[d.Argument-1], false)) {
				return &d
			}
		}
		return nil
	}
	if typ != "" && len(classes) == 0 {
		return find(typ)
	}
	if len(classes) == 0 {
		return find("")
	}
	for _, class := range classes {
		if d := find(class); d != nil {
			return d
		}
	}
	return nil
}

// objectType gives the name of the type of the object that ends at i, "" where it is none of those that headers of the kit
// declare; of a class that was seen, its bases too.
func (r *reading) objectType(i int) (typ string, classes []string) {
	if i < 0 || r.toks[i].kind != ident {
		return "", nil
	}
	if i > 0 && (r.toks[i-1].is(".") || r.toks[i-1].is("->")) {
		outer, _ := r.typeBefore(r.f, r.toks, i-2, 0)
		typ = r.memberType(outer, r.toks[i].text)
	} else if typ = r.declaredType(r.f, r.toks[i].text); typ == "" {
		typ = r.memberType(r.f.class, r.toks[i].text)
	}
	for range 10 {
		if r.aliases[typ] == "" {
			break
		}
		typ = r.aliases[typ]
	}
	if r.records[typ] != nil {
		return typ, r.withBases(typ, nil)
	}
	if len(typ) > 2 && (typ[0] == 'I' || typ[0] == 'P' || typ == upper(typ)) {
		return typ, nil
	}
	return "", nil
}

// declaredType is the name of the type that a local, parameter or global is declared with.
func (p *parser) declaredType(f *function, name string) string {
	if f != nil {
		if v, ok := f.locals[name]; ok {
			return v.typ
		}
		if i := f.param(name); i >= 0 {
			return f.params[i].written
		}
	}
	return p.types[name]
}

// memberType is the name of the type that a field of a class or its bases is declared with.
func (p *parser) memberType(class, name string) string {
	for _, c := range p.withBases(class, nil) {
		if r := p.records[c]; r != nil {
			for _, f := range r.fields {
				if f.name == name {
					return f.written
				}
			}
		}
	}
	return ""
}

// withBases gives a class and all that it derives from, as far as they were seen.
func (p *parser) withBases(class string, list []string) []string {
	if class == "" || slices.Contains(list, class) {
		return list
	}
	list = append(list, class)
	for _, b := range p.bases[class] {
		list = p.withBases(b, list)
	}
	return list
}

// objectNames are what is to be read to know the type of the object that ends at i.
func (r *reading) objectNames(i int) []string {
	start := i
	for start > 1 && (r.toks[start-1].is(".") || r.toks[start-1].is("->")) {
		start -= 2
	}
	names := append((&evaluator{parser: r.parser, f: r.f}).leading(r.toks[max(0, start):i+1]), r.f.qualifier)
	return append(names, r.withBases(r.f.class, nil)...)
}

// canBe says whether an argument can be of the type that decides. One of which nothing is known can, unless it must be
// certain.
func (r *reading) canBe(d *nx.DDI, arg []token, certain bool) bool {
	for _, t := range arg {
		switch {
		case t.kind != ident:
		case nx.TypeOf(t.text) != "":
			return d.Takes(t.text)
		case t.is("POOL_TYPE") || t.is("_POOL_TYPE"):
			return true
		}
	}
	if !plainPath(arg) {
		return !certain
	}
	name := arg[len(arg)-1].text
	typ := ""
	if len(arg) == 1 {
		if typ = r.declaredType(r.f, name); typ == "" {
			typ = r.memberType(r.f.class, name)
		}
	} else {
		outer, _ := r.typeBefore(r.f, arg, len(arg)-3, 0)
		typ = r.memberType(outer, name)
	}
	for range 10 {
		if r.aliases[typ] == "" {
			break
		}
		typ = r.aliases[typ]
	}
	if typ == "" {
		return !certain
	}
	return typ == "POOL_TYPE" || typ == "_POOL_TYPE"
}

// placed gives the kit's operator new that a new expression calls if the driver has none of its own.
func (r *reading) placed(c *call, args [][]token) *nx.DDI {
	if !r.placement {
		return nil
	}
	for _, d := range r.known.methods.Find("", "new", len(c.args)) {
		if k := d.Argument - 2; k >= 0 && k < len(args) && r.canBe(&d, args[k], len(args) == 1) {
			return &d
		}
	}
	return nil
}

// isRequest says whether a call asks for memory: it is one of a DDI, and not of an operator new that the driver defines.
func (m *image) isRequest(d *definition, c *call) bool {
	if c.ddi == nil || c.callee != "new" {
		return c.ddi != nil
	}
	own := m.resolve(scene{d: d, unit: d.unit}, c)
	return !slices.ContainsFunc(own, func(o *definition) bool { return len(o.params) == len(c.args) || o.dots })
}

// passedByPort says which method of the kit's a driver's method is, if the port driver chooses the argument of a parameter.
func (p *parser) passedByPort(f *function) *nx.DDI {
	for _, d := range p.known.methods[f.name] {
		if d.Kind == nx.PortDriver && d.Argument > 0 && d.Arity == len(f.params) {
			iface, _, _ := d.Method()
			if slices.Contains(p.withBases(f.class, nil), iface) {
				return &d
			}
		}
	}
	return nil
}
