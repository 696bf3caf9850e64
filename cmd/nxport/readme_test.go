package main

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// readmeBlocks gives the parts of the README's output that follow a command, cut at each "..." line.
func readmeBlocks(t *testing.T, command string) []string {
	t.Helper()
	data, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), "\n$ "+command+"\n")
	if !ok {
		t.Fatalf("the README shows no output of %q", command)
	}
	end := strings.Index(rest, "\n```")
	if next := strings.Index(rest, "\n$ "); next >= 0 && next < end {
		end = next
	}
	var blocks []string
	for _, b := range strings.Split("\n"+rest[:end]+"\n", "\n...\n") {
		if b = strings.Trim(b, "\n"); b != "" {
			blocks = append(blocks, b)
		}
	}
	return blocks
}

// addresses are those that a trace prints, which are another compiler's choice.
var addresses = regexp.MustCompile(`\b0x1[0-9a-f]{3}\b`)

// shows fails where the output of a command lacks a part that the README shows of it.
func shows(t *testing.T, command string, output []byte) {
	t.Helper()
	text := addresses.ReplaceAllString(strings.ReplaceAll(string(output), "\r\n", "\n"), "0x1...")
	for _, b := range readmeBlocks(t, command) {
		if !strings.Contains(text, addresses.ReplaceAllString(b, "0x1...")+"\n") {
			t.Errorf("%s prints nothing like this part of the README:\n%s\nbut\n%s", command, b, text)
		}
	}
}

// The README's output is what the commands print. That of trace is checked by TestStory.
func TestReadme(t *testing.T) {
	for command, status := range map[string]int{"scan ringlog": findings, "port ringlog": clean, "port sieve": clean} {
		t.Chdir("../../examples")
		output := nxport(t, status, strings.Fields(command)...)
		t.Chdir("../cmd/nxport")
		shows(t, "nxport "+command, output)
	}
}
