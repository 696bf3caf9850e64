package project

import (
	"strings"
	"testing"
)

// outline gives the builds of a set, with the units and defines of each, and what was skipped.
func outline(s *Set) string {
	var list []string
	for _, b := range s.Builds {
		list = append(list, b.ID+": "+summary(b))
	}
	for _, x := range s.Skipped {
		list = append(list, "skipped "+x.Path+": "+x.Why)
	}
	for _, x := range s.Unreadable {
		list = append(list, "unreadable "+x.Path+": "+x.Why)
	}
	return strings.Join(list, "\n")
}

func TestMakeFirst(t *testing.T) {
	write(t, `-- a.c --
-- b.c --
-- Makefile --
CC = x86_64-w64-mingw32-gcc
CFLAGS = -O2 -DA=1
OBJS = $(patsubst %.c,out/%.o,a.c b.c)
drv.sys: $(OBJS)
	$(CC) -shared -Wl,--subsystem,native -o $@ $^
out/%.o: %.c
	$(CC) $(CFLAGS) -c -o $@ $<
`)
	s := load(t, LoadOptions{})
	equal(t, "outline", outline(s), "Makefile|default|x64: a.c b.c: A=1")
	equal(t, "notes", notes(s.Builds[0]), "")
	equal(t, "placed", placed(t, s, "Makefile|default|x64"), "CFLAGS = -O2 -DA=1 -DPOOL_NX_OPTIN=1")
}

// placed gives the lines that change where the opt-in is wanted in some builds, or the error.
func placed(t *testing.T, s *Set, patterns ...string) string {
	t.Helper()
	tr := newTree(t, ".")
	edits, err := Place(tr, wantAll(s, patterns...), nil)
	if err != nil {
		return err.Error()
	}
	lines, after := applied(t, tr, edits)
	checkAfter(t, after, patterns...)
	return lines
}

func TestMakeThatBuildsNothing(t *testing.T) {
	const driver = "-- a.c --\n-- b.c --\n"
	for _, c := range []struct{ name, file, want string }{
		{"no rule for C", "# the driver's manual\ndoc.ps: doc.txt\n\tps doc.txt\n", ".: a.c b.c"},
		{"a kernel module of Linux", "obj-m := driver.o\nall:\n\t$(MAKE) -C /lib/modules/x/build M=$(PWD) modules\n", ".: a.c b.c"},
		{"user mode", "# no driver\nCC = gcc\nx.exe: a.o\n\t$(CC) -o $@ $^\n", "skipped Makefile: user mode: links no kernel image"},
		{"files unknown", "drv.sys: $(shell ls)\n\tgcc -Wl,--subsystem,native -o $@ $^\n",
			".: a.c b.c\nskipped Makefile: its files come from $(shell ...), which is not run"},
	} {
		t.Run(c.name, func(t *testing.T) {
			write(t, driver+"-- Makefile --\n"+c.file)
			equal(t, "outline", outline(load(t, LoadOptions{})), c.want)
		})
	}
}
