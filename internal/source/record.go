package source

import (
	"fmt"
	"slices"
)

// record is a struct, union or class of a unit: what tells the fields of one from those of another.
type record struct {
	own    bool // it has a constructor or destructor
	name   string
	fields []member
	arrays []string // those of the fields that are
	bases  []string
	// converts is set where a constructor that is not explicit may convert something else to it.
	converts bool
}

// member is a field. Those of a struct without a name that stands inside another are the other's own.
type member struct {
	name, typ string
	written   string // its type, whether or not that is a struct
}

// openRecord reads the head of a struct's definition, from the word struct on.
func (p *parser) openRecord(head []token) *record {
	r := &record{}
	for i := 1; i < len(head); i++ {
		switch t := head[i]; {
		case t.is("("):
			i = closing(head, i)
		case t.is(":"):
			for _, b := range head[i+1:] {
				if b.kind == ident && !accesses[b.text] && b.text != "virtual" {
					r.bases = append(r.bases, b.text)
				}
			}
			i = len(head)
		case t.kind == ident && !isAnnotation(t.text) && t.text != "final":
			r.name = t.text
		}
	}
	if r.name == "" { // the position tells it from others
		r.name = fmt.Sprintf("%s:%d", head[0].file.path, head[0].off)
	} else {
		p.records[r.name] = r
		if len(r.bases) > 0 {
			p.bases[r.name] = r.bases
		}
	}
	return r
}

// closeRecord names a struct after what stands behind its body: typedefs, variables, or fields of the struct around it.
func (p *parser) closeRecord(s *scope, tail []token) {
	r := s.record
	p.records[r.name] = r
	typed := append([]token{{kind: ident, text: "struct"}, {kind: ident, text: r.name}}, tail...)
	list := declarators(typed)
	switch n := len(p.scopes); {
	case s.head[0].is("typedef"):
		p.typedefs(list)
	case n > 0 && p.scopes[n-1].record != nil:
		outer := p.scopes[n-1].record
		if len(list) == 0 && len(tail) == 0 {
			outer.fields, outer.arrays = append(outer.fields, r.fields...), append(outer.arrays, r.arrays...)
		}
		p.members(outer, list)
	case len(tail) > 0:
		head := typed
		if s.head[0].is("static") {
			head = append([]token{s.head[0]}, typed...)
			list = declarators(head)
		}
		p.variablesOf(head, list)
		p.mention(tail)
	}
}

func (p *parser) typedefs(list []declarator) {
	for _, d := range list {
		if !d.pointer && !d.called && d.typ != "" && d.name != d.typ {
			p.aliases[d.name] = d.typ
		}
	}
}

// members adds fields, and records what C++ gives them to begin with.
func (p *parser) members(r *record, list []declarator) {
	for _, d := range list {
		if d.called {
			continue
		}
		r.fields = append(r.fields, member{d.name, p.tag(d.typ), d.typ})
		if d.array {
			r.arrays = append(r.arrays, d.name)
		}
		if len(d.init) > 0 {
			p.constructs(d, d.init[0])
		}
		if to := (target{name: d.name, of: r.name, field: true}); len(d.init) > 0 && !p.unasked(nil, to) {
			p.writes = append(p.writes, write{target: to, value: p.value(nil, d.init), at: d.init[0]})
		}
	}
}

// tag gives the struct that a type's name stands for, "" where none of that name was seen.
func (p *parser) tag(typ string) string {
	for range 10 {
		if typ == "" || p.records[typ] != nil {
			return typ
		}
		typ = p.aliases[typ]
	}
	return ""
}

// writtenType is the name of the type that a variable is declared with, or, where no declaration was seen, of the variable:
// what is to be read to know its struct.
func (p *parser) writtenType(f *function, name string) string {
	typ := name
	if f != nil {
		if v, ok := f.locals[name]; ok {
			typ = v.typ
		} else if i := f.param(name); i >= 0 {
			typ = f.params[i].written
		}
	}
	for range 10 {
		if p.aliases[typ] == "" {
			break
		}
		typ = p.aliases[typ]
	}
	return typ
}

// isArray says whether a field of a struct is an array, so that its name stands for an address inside the struct.
func (p *parser) isArray(of, name string) bool {
	r := p.records[of]
	return r != nil && slices.Contains(r.arrays, name)
}

// field gives the struct that declares the field of a struct or one of its bases, and the struct that the field is. The
// first is "" where it was not seen: such a field may be any of its name.
func (p *parser) field(of, name string) (declares, typ string) {
	for range 10 {
		r := p.records[of]
		if r == nil {
			return "", ""
		}
		for _, f := range r.fields {
			if f.name == name {
				return r.name, f.typ
			}
		}
		if len(r.bases) == 0 {
			return "", ""
		}
		of = p.tag(r.bases[0])
	}
	return "", ""
}
