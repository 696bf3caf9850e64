package project

import (
	"testing"
)

// expanded gives what GNU make makes of an expression after a make file, in the working directory.
func expanded(t *testing.T, data, expression string) (string, *gnuMake) {
	t.Helper()
	r := newReader(newTree(t, "."))
	f := newFile("Makefile", []byte(data))
	g := newGNUMake(r, ".", map[string]*file{"Makefile": f}, nil)
	if err := g.load("Makefile"); err != nil {
		t.Error(err)
	}
	return g.expand(plain(expression)).String(), g
}

// gnuCases are make files with an expression and what GNU make 4.3 prints for it, as $(info ...) does.
var gnuCases = []struct{ name, file, expression, want string }{
	{"recursive", "A = $(B)\nB = 1\nB = 2\n", "$(A)", "2"},
	{"simple", "B = 1\nA := $(B)\nB = 2\n", "$(A)", "1"},
	{"simple, POSIX", "B = 1\nA ::= $(B)\nB = 2\n", "$(A)", "1"},
	{"conditional", "A ?= 1\nA ?= 2\nB = $(C)\nB ?= x\nC = 3\n", "$(A)$(B)", "13"},
	{"appended", "A = $(B)\nA += $(B) c\nB = 1\nC := $(B)\nC += $(B)\nB = 2\nD += x\n", "$(A)|$(C)|$(D)", "2 2 c|1 1|x"},
	{"spaces", "A =  b  c  \nE =\nF = $(E) $(E)x\n", "[$(A)][$(F)]", "[b  c  ][ x]"},
	{"continued", "A = a \\\n    b\\\n\tc\n", "$(A)", "a b c"},
	{"comment", "A = a # b\nB = a\\#b\n# C = \\\nC = 1\n", "[$(A)]$(B)$(C)", "[a ]a#b"},
	{"name computed", "N = A\n$(N)_1 = x\nV = $($(N)_1)\n", "$(V)", "x"},
	{"one letter and braces", "A = 1\n", "$A${A}$(A)$$A", "111$A"},
	{"substitution", "A = a.c b.c x.h\n", "$(A:.c=.o) $(A:%.c=d/%.o)", "a.o b.o x.h d/a.o d/b.o x.h"},
	{"define", "define A\none $(B)\ntwo\nendef\nB = 1\ndefine C =\nendef\n", "$(A)[$(C)]", "one 1\ntwo[]"},
	{"define nested", "define A\ndefine B\nx\nendef\nendef\n$(eval $(A))\n", "$(B)", "x"},
	{"override and export", "export A = 1\noverride B := 2\nexport A B\nunexport A\n", "$(A)$(B)", "12"},
	{"undefine", "A = 1\nundefine A\n", "[$(A)]", "[]"},
	{"ifeq", "X = a\nifeq ($(X), a)\nA = 1\nelse\nA = 2\nendif\nifneq \"$(X)\" 'a'\nB = 1\nelse\nB = 2\nendif\n", "$(A)$(B)", "12"},
	{"ifdef", "X =\nY = $(X)\nifdef X\nA = 1\nelse ifdef Y\nA = 2\nelse\nA = 3\nendif\nifndef Z\nB = 4\nendif\n", "$(A)$(B)", "24"},
	{"nested", "ifdef NO\nifdef NO2\nA = 1\nelse\nA = 2\nendif\nelse\n  ifeq (,)\nA = 3\n  endif\nendif\n", "$(A)", "3"},
	{"else if chain", "X = 2\nifeq ($(X),1)\nA = 1\nelse ifeq ($(X),2)\nA = 2\nelse ifeq ($(X),2)\nA = 3\nelse\nA = 4\nendif\n", "$(A)", "2"},
	{"parentheses in ifeq", "ifeq ($(subst a,b,(a)),(b))\nA = 1\nendif\n", "$(A)", "1"},
	{"define not read", "ifdef NO\ndefine A\nendif\nendef\nendif\nB = 1\n", "$(B)", "1"},
	{"subst", "", "$(subst ee,EE,feet on the street)$(subst a,,banana)", "fEEt on the strEEtbnn"},
	{"patsubst", "", "$(patsubst %.c,%.o,x.c.c bar.c y.h)$(patsubst a,b,a aa)", "x.c.o bar.o y.hb aa"},
	{"strip", "", "[$(strip   a  b\tc )]", "[a b c]"},
	{"findstring", "", "[$(findstring a,a b c)][$(findstring a,b c)]", "[a][]"},
	{"filter", "", "$(filter %.c %.s,a.c b.h c.s)|$(filter-out %.c x,a.c b.h x)", "a.c c.s|b.h"},
	{"sort", "", "$(sort foo bar lose bar)", "bar foo lose"},
	{"words", "", "$(word 2,a b c)$(wordlist 2,9,a b c)$(words a b)$(firstword a b)$(lastword a b)[$(word 9,a)]", "bb c2ab[]"},
	{"names", "", "$(dir s/a.c b)|$(notdir s/a.c b)|$(suffix s/a.c b c.d/e x.y)|$(basename s/a.c b c.d/e)", "s/ ./|a.c b|.c .y|s/a b c.d/e"},
	{"affixes", "", "$(addsuffix .c,a b)$(addprefix s/,a b)|$(join a b c,1 2)|$(addprefix -I,)", "a.c b.cs/a s/b|a1 b2 c|"},
	{"if, or, and", "E =\n", "$(if $(E),1,2)$(if x,1)$(if $(E),1)|$(or $(E),,a,b)|$(and a,$(E),b)|$(and a,b)", "21|a||b"},
	{"foreach", "D = a b\n", "$(foreach d,$(D),$(d)/$(d).c)$(d)", "a/a.c b/b.c"},
	{"call", "rev = $(2)$(1)\nmap = $(foreach a,$(2),$(call $(1),$(a)))\no = <$(1)$(2)>\n", "$(call rev,a,b)$(call map,o,x y)$(call subst,a,b,aa)", "ba<x> <y>bb"},
	{"call in call", "f = $(call g,$(1)1)[$(1)]\ng = <$(1)>\n", "$(call f,a)", "<a1>[a]"},
	{"eval", "define t\n$(1)_x = $(2)\nendef\n$(foreach n,a b,$(eval $(call t,$(n),1$(n))))\n", "$(a_x)$(b_x)", "1a1b"},
	{"eval and dollars", "define t\n$(1)_y := $$($(1)_z)\nendef\na_z = 5\n$(eval $(call t,a))\na_z = 6\n", "$(a_y)", "5"},
	{"value, origin, flavor", "A = $(B)\nC := 1\n", "$(value A) $(origin A) $(origin NONE) $(origin CC) $(flavor A) $(flavor C)", "$(B) file undefined default recursive simple"},
	{"wildcard", "", "$(wildcard *.c) $(wildcard s/*.[ch] gone.c a.c) $(wildcard */x.c)", "a.c b.c s/x.c s/y.h a.c s/x.c"},
	{"variables of make", "", "$(MAKEFILE_LIST) $(notdir $(CURDIR)/x)", "Makefile x"},
	{"target's setting is no assignment", "A = 1\nx: A = 2\nx y: A := 3\n", "$(A)", "1"},
	{"a tab after what is no rule", "x:\nexport B = 1\n\tA = 1\n", "$(A)", "1"},
	{"include", "include s/a.mk\n-include gone.mk gone*.mk\nsinclude gone\n", "$(MK)", "1"},
	{"comma and parentheses", "C = ,\n", "$(subst $(C),;,a$(C)b)$(subst (a,b),x,(a,b))", "a;bx"},
}

func TestGNUMakeLanguage(t *testing.T) {
	for _, c := range gnuCases {
		t.Run(c.name, func(t *testing.T) {
			write(t, "-- a.c --\n-- b.c --\n-- s/x.c --\n-- s/y.h --\n-- s/a.mk --\nMK = 1\n")
			got, g := expanded(t, c.file, c.expression)
			equal(t, "value", got, c.want)
			equal(t, "notes", len(g.notes), 0)
		})
	}
}

// A condition that can't be read is false, and said so.
func TestGNUMakeConditionsNotRead(t *testing.T) {
	for _, condition := range []string{`ifeq "a" b`, `ifeq "a"`, `ifeq a a`, `ifeq (a)`, `ifeq (a`, `ifeq`, `ifeq "a" "`, `ifeq 'a' 'a"`} {
		write(t, "")
		got, g := expanded(t, condition+"\nA = 1\nelse\nA = 2\nendif\n", "$(A)")
		equal(t, condition, got, "2")
		if len(g.notes) != 1 || g.notes[0].Place.Line != 1 && condition != "ifeq" {
			t.Errorf("%s: notes %v", condition, g.notes)
		}
	}
}
