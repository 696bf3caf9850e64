package machine

import (
	"encoding/hex"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestX86 holds instructions against what the manual says that they do.
func TestX86(t *testing.T) {
	text, err := os.ReadFile("testdata/x86.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), " | ")
		if strings.HasPrefix(line, "#") {
			continue
		}
		code, err := hex.DecodeString(strings.ReplaceAll(fields[1], " ", ""))
		if err != nil || len(fields) != 4 {
			t.Fatalf("%q: %v", line, err)
		}
		var in Inst
		long, base := fields[0] == "64", uint64(0)
		if long {
			base = 0x140000000
		}
		if !decodeX86(code, 0x1000, base, long, false, &in) || int(in.Len) != len(code) {
			t.Errorf("% x %s is no instruction, or has %d bytes", code, fields[2], in.Len)
		}
		if got := textX86(&in, long); got != fields[3] {
			t.Errorf("% x %s\n got %s\nwant %s", code, fields[2], got, fields[3])
		}
		for n := range code {
			if decodeX86(code[:n], 0x1000, base, long, false, &in) && int(in.Len) > n {
				t.Errorf("%d bytes of %s are an instruction of %d", n, fields[2], in.Len)
			}
		}
	}
}

var registerX86 = regexp.MustCompile(`\b([bhwx])(\d+)\b`)

// textX86 is textARM64 with the names that x86 has.
func textX86(in *Inst, long bool) string {
	names := strings.Fields("ax cx dx bx sp bp si di")
	return registerX86.ReplaceAllStringFunc(textARM64(in), func(s string) string {
		n, _ := strconv.Atoi(s[1:])
		switch {
		case Reg(n) == temporaryX86:
			return map[byte]string{'w': "tw", 'x': "t"}[s[0]]
		case n >= len(names):
			return "r" + strconv.Itoa(n) + map[byte]string{'b': "b", 'h': "w", 'w': "d", 'x': ""}[s[0]]
		case s[0] == 'b' && n < 4:
			return names[n][:1] + "l"
		case s[0] == 'b':
			return names[n] + "l"
		case s[0] == 'h':
			return names[n]
		case s[0] == 'x' && long:
			return "r" + names[n]
		}
		return "e" + names[n]
	})
}
