package project

import (
	"strings"
	"testing"
)

func TestCondition(t *testing.T) {
	write(t, "-- p.vcxproj --\n-- here.props --\n")
	e := evaluationOf(t, map[string]string{"Configuration": "Debug", "Platform": "x64", "N": "0x0601", "T": "true", "Dir": `inc\`})
	for _, c := range []struct {
		condition string
		want      truth
	}{
		{"", yes},
		{"  ", yes},
		{"'$(Configuration)|$(Platform)'=='Debug|x64'", yes},
		{"'$(Configuration)|$(Platform)' == 'debug|X64'", yes},
		{"'$(Configuration)|$(Platform)'=='Release|x64'", no},
		{"'$(Configuration)'!='Release'", yes},
		{"$(Configuration) == Debug", yes},
		{"'a'=='b' or 'a'=='a' and 'c'=='d'", no},
		{"'a'=='a' or 'a'=='a' and 'c'=='d'", yes},
		{"('a'=='a' or 'a'=='b') and 'c'=='d'", no},
		{"'a'=='a' OR 'a'=='b' AND 'c'=='d'", yes},
		{"!('$(Configuration)'=='Debug')", no},
		{"!Exists('gone')", yes},
		{"exists('here.props') And !exists('gone.props')", yes},
		{"HasTrailingSlash('$(Dir)')", yes},
		{"HasTrailingSlash($(Platform))", no},
		{"$(T)", yes},
		{"!$(T)", no},
		{"'$(T)' == 'on'", yes},
		{"true and !false", yes},
		{"$(N)<0x602 and !($(N)<0x601)", yes},
		{"$(N) >= 0x0602", no},
		{"'0x601' == '$(N)'", yes},
		{"'1.0' == '1'", yes},
		{"'10.0' > '9.5'", yes},
		{"'16.4.1' > '16.10'", no},
		{"'16.11.1' > '16.10'", yes},
		{"-1 < 1", yes},
		{"1 <= 1 and 1 >= 1 and !(1 > 1)", yes},
		{"'orange' == 'orange'", yes},
		{"'inf' == 'Infinity'", no},
		{"''==''", yes},
		{"'$(Undefined)'==''", yes},
		{"('a'=='a') == true", yes},
		{"('a'=='b') != true", yes},
		// unknown, and what may hang on it
		{"$([System.DateTime]::Now.Year) == 2020", unknown},
		{"'$(VCToolsVersion)' == '17.0'", unknown},
		{"'$(VCToolsVersion)' == '17.0' or 'a'=='a'", yes},
		{"'$(Configuration.Frob(')'))'=='debu' and 'a'=='b'", no},
		{"!('@(Inf->Count())'!='')", unknown},
		{"exists('$(A.B)')", unknown},
		{"'a' < 'b'", unknown},
		{"Frob('x')", unknown},
		{"$(Configuration)", unknown},
		// no conditions at all
		{"'a'=='a' 'b'", unknown},
		{"'a'==", unknown},
		{"('a'=='a'", unknown},
		{"'a", unknown},
		{"'a'=='b' ortrue", unknown},
		{"'a'=='a' and", unknown},
		{"$(A", unknown},
		{"Exists('a'", unknown},
		{"==", unknown},
		{"&&", unknown},
		{strings.Repeat("!", 10_000) + "true", unknown},
		{strings.Repeat("(", 10_000) + "true", unknown},
	} {
		got, why := e.parseCondition(c.condition).eval(e, scope{})
		if got != c.want {
			t.Errorf("%.80s: got %d, want %d (%s)", c.condition, got, c.want, why)
		}
		if (got == unknown) != (why != "") {
			t.Errorf("%.80s: %d with reason %q", c.condition, got, why)
		}
	}
}

func TestExpression(t *testing.T) {
	defined := func(name string) bool { return name == "X" }
	exists := func(p string) bool { return p == "a.inc" }
	for _, c := range []struct {
		expression string
		want       truth
	}{
		{"1", yes}, {"0", no}, {"!0", yes}, {"!!0", no}, {"0x10 == 16", yes},
		{`"free" == "free"`, yes}, {`"free"=="checked"`, no}, {`"Free"=="free"`, no}, {`"a" != "b"`, yes},
		{"1 && 0", no}, {"1 && 1 || 0", yes}, {"(0 || 1) && 0", no}, {"0 && 1 || 1", yes},
		{"defined(X)", yes}, {"!defined(X)", no}, {"DEFINED(Y)", no}, {"exist(a.inc) && !exist(b.inc)", yes},
		{"0x0501 < 0x0601", yes}, {"2 >= 3", no}, {"2<=2", yes}, {"3>2", yes},
		{"", unknown}, {"1 1", unknown}, {`"a"`, unknown}, {`"a" == 1`, unknown}, {"frob", unknown}, {`"a`, unknown},
		{"(1", unknown}, {"defined(X", unknown}, {"1 ==", unknown}, {strings.Repeat("!", 10_000), unknown},
	} {
		if got, why := evalExpression(c.expression, defined, exists); got != c.want || (got == unknown) != (why != "") {
			t.Errorf("%.60s: got %d (%s), want %d", c.expression, got, why, c.want)
		}
	}
}
