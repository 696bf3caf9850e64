package project

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// The values are those that the documentation of .NET's methods and "Property functions" of MSBuild's say.
func TestFunctions(t *testing.T) {
	write(t, "-- p.vcxproj --\n-- sub/deep/x.txt --\n-- sub/here.txt --\n-- a b.txt --\n")
	here, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	here = filepath.ToSlash(here)
	e := evaluationOf(t, map[string]string{"C": "Win10 Release", "P": "x64", "V": "16.11.2", "N": "5", "Dir": here + `/sub/deep/`, "W": "  w  ", "Here": strconv.Itoa(len(here))})
	for _, c := range []struct{ expression, want string }{
		{"$(C.Replace(' ', ''))", "Win10Release"},
		{"$(C.Replace('Win', 'W').ToLower())", "w10 release"},
		{"$(C.EndsWith('Release'))", "True"},
		{"$(C.EndsWith('release'))", "False"},
		{"$(C.EndsWith('release', StringComparison.OrdinalIgnoreCase))", "True"},
		{"$(C.StartsWith(Win10))", "True"},
		{"$(C.Contains('8'))", "False"},
		{"$(C.Substring(6))", "Release"},
		{"$(C.Substring(0, 5))", "Win10"},
		{"$(C.Substring(0,$(C.IndexOf(' '))))", "Win10"},
		{"$(C.IndexOf('R')) $(C.IndexOf('z')) $(C.LastIndexOf('e'))", "6 -1 12"},
		{"$(C.Length)", "13"},
		{"$(C.Remove(5)) $(C.Remove(0,6)) $(P.Insert(1, '-'))", "Win10 Release x-64"},
		{"$(P.ToUpper())/$(P.ToUpperInvariant())/$(C.ToLowerInvariant())", "X64/X64/win10 release"},
		{"[$(W.Trim())][$(W.TrimStart())][$(W.TrimEnd())]", "[w][w  ][  w]"},
		{`$(Dir.TrimEnd('/').Substring($(Here)))`, "/sub/deep"},
		{"$(V.Split('.')[0]) $(V.Split('.')[2])", "16 2"},
		{"$(V.Split('.1'))", ";6;;;;2"}, // any of the characters cuts
		{"$(C[0])", "W"},
		{"$(N.PadLeft(3, '0')) $(N.PadLeft(3)) $(N.PadRight(2, '-'))", "005   5 5-"},
		{"$(P.Equals('x64')) $(P.Equals('X64')) $(P.ToString())", "True False x64"},
		{"$(Undefined.Length)", "0"},
		{"$([System.String]::Format('{0}-{1}{{{0}}}', $(P), b))", "x64-b{x64}"},
		{"$([System.String]::IsNullOrEmpty('$(Undefined)')) $([System.String]::IsNullOrEmpty('$(P)'))", "True False"},
		{"$([System.String]::IsNullOrWhiteSpace('  '))", "True"},
		{"$([System.String]::Copy('$(P)').Replace('x', 'y'))", "y64"},
		{"$([System.String]::Concat('a', $(P), 'b'))$([System.String]::new('c'))", "ax64bc"},
		{"$([System.String]::Join('-', a, b))", "a-b"},
		{`$([System.IO.Path]::Combine('a', 'b\', 'c.d'))`, `a\b\c.d`},
		{`$([System.IO.Path]::Combine('a', '\b'))`, `\b`},
		{"$([System.IO.Path]::GetFullPath('sub/../q'))", here + "/q"},
		{`$([System.IO.Path]::GetDirectoryName('a\b\c.d'))`, `a\b`},
		{`$([System.IO.Path]::GetFileName('a\b/c.d'))`, "c.d"},
		{`$([System.IO.Path]::GetFileNameWithoutExtension('a\c.x.d'))`, "c.x"},
		{`$([System.IO.Path]::GetExtension('a\c.x.d'))$([System.IO.Path]::GetExtension('a.b\c'))`, ".d"},
		{`$([System.IO.Path]::IsPathRooted('C:\a')) $([System.IO.Path]::IsPathRooted('a'))`, "True False"},
		{"$([System.IO.File]::Exists('SUB/here.txt')) $([System.IO.Directory]::Exists('gone'))", "True False"},
		{"$([MSBuild]::GetDirectoryNameOfFileAbove($(Dir), here.txt))", here + "/sub"},
		{"$([MSBuild]::GetDirectoryNameOfFileAbove('$(Dir)', 'deep/x.txt'))", here + "/sub"},
		{"[$([MSBuild]::GetDirectoryNameOfFileAbove($(Dir), 'no such file anywhere'))]", "[]"},
		{"$([MSBuild]::GetPathOfFileAbove('here.txt', '$(Dir)'))", here + `/sub\here.txt`},
		{"$([MSBuild]::GetPathOfFileAbove('p.vcxproj'))", here + `\p.vcxproj`},
		{"$([MSBuild]::NormalizePath('a', '..', 'b'))", here + "/b"},
		{"$([MSBuild]::NormalizeDirectory('a'))", here + `/a\`},
		{`$([MSBuild]::EnsureTrailingSlash('a'))$([MSBuild]::EnsureTrailingSlash('b/'))$([MSBuild]::EnsureTrailingSlash(''))`, `a\b/`},
		{`$([MSBuild]::MakeRelative('$(Dir)', '$(Dir)../here.txt'))`, `..\here.txt`},
		{"$([MSBuild]::ValueOrDefault('$(Undefined)', 'd')) $([MSBuild]::ValueOrDefault('$(P)', 'd'))", "d x64"},
		{"$([MSBuild]::Escape('a;b*')) $([MSBuild]::Unescape('a%3bb'))", "a%3bb%2a a;b"},
		{"$([MSBuild]::IsOSPlatform('windows')) $([MSBuild]::IsOSPlatform(Linux)) $([MSBuild]::IsOSUnixLike())", "True False False"},
		{"$([MSBuild]::Add($(N), 2)) $([MSBuild]::Subtract(1, 3)) $([MSBuild]::Multiply(2, 1.5)) $([MSBuild]::Divide(7, 2)) $([MSBuild]::Modulo(7, 4))", "7 -2 3 3 3"},
		{"$([MSBuild]::BitwiseOr(0x5, 2)) $([MSBuild]::BitwiseAnd(7, 3)) $([MSBuild]::BitwiseXor(5, 1))", "7 3 4"},
		{"$([MSBuild]::VersionGreaterThan('16.11', '16.2')) $([MSBuild]::VersionLessThan('v16.2-rc', '16.11'))", "True True"},
		{"$([MSBuild]::VersionEquals('16', '16.0.0')) $([MSBuild]::VersionNotEquals('16', '16.0'))", "True False"},
		{"$([MSBuild]::VersionGreaterThanOrEquals($(V), '16.11.2')) $([MSBuild]::VersionLessThanOrEquals($(V), '16.11.1'))", "True False"},
	} {
		got := e.expand(e.compile(plain(c.expression)), scope{element: &element{file: &file{path: "p.vcxproj"}}})
		if got.unknown() || got.String() != c.want {
			t.Errorf("%s:\n got %s %s\nwant %s", c.expression, got, got.why(), c.want)
		}
	}
}

func TestUnknownFunctions(t *testing.T) {
	write(t, "-- p.vcxproj --\n")
	e := evaluationOf(t, map[string]string{"P": "x64", "Long": strings.Repeat("x", maxText-1)})
	for expression, why := range map[string]string{
		"$([System.DateTime]::Now.ToString('yyyy'))":                        "the clock",
		"$([System.Guid]::NewGuid())":                                       "in every build",
		"$([System.Environment]::GetEnvironmentVariable('X'))":              "the environment",
		"$([System.IO.File]::ReadAllText('p.vcxproj'))":                     "reads a file",
		"$([System.Text.RegularExpressions.Regex]::Replace('a', 'b', 'c'))": "regular expressions",
		"$([MSBuild]::GetRegistryValue('HKEY_LOCAL_MACHINE', 'x'))":         "the registry",
		"$(Registry:HKEY_LOCAL_MACHINE\\x@y)":                               "the registry",
		"$([MSBuild]::Frobnicate('x'))":                                     "msbuild::frobnicate is not known",
		"$(P.Frobnicate())":                                                 "frobnicate is not known",
		"$(P.Substring(9))":                                                 "no such part",
		"$(P.Substring(-1))":                                                "no such part",
		"$(P.Substring(1, 99))":                                             "no such part",
		"$(P.Substring(1, 9223372036854775807))":                            "no such part",
		"$(P.Substring())":                                                  "another number of arguments",
		"$(P.Split('.')[4])":                                                "out of range",
		"$(P.Split('.')[-1])":                                               "out of range",
		"$(P.Split('.').Length)":                                            "only an index",
		"$(P[7])":                                                           "out of range",
		"$(P.Replace('', 'x'))":                                             "nothing",
		"$(Long.Replace('x', 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy'))": "too long",
		"$(P.PadLeft(2000000000))":                      "too long",
		"$([System.String]::Concat($(Long), $(Long)))":  "too long",
		"$([System.String]::Format('{0}{0}', $(Long)))": "too long",
		"$([System.String]::Format('{', 'x'))":          "braces",
		"$([System.String]::Format('{3}', 'x'))":        "not there",
		"$([MSBuild]::Add('a', 1))":                     "no number",
		"$([MSBuild]::Divide(1, 0))":                    "divides by zero",
		"$([MSBuild]::VersionEquals('a', '1'))":         "no version",
		"$(P.Replace('x', $([System.DateTime]::Now)))":  "the clock",
		"$(P.Replace('x', '$(VCToolsVersion)'))":        "Visual Studio",
		"$([A)":                                         "no call",
		"$(P!)":                                         "no property",
		"$(P.x]":                                        "", // closes nothing, so it is no reference
	} {
		got := e.expand(e.compile(plain(expression)), scope{element: &element{file: &file{path: "p.vcxproj"}}})
		e.budget = maxWork
		if why == "" {
			equal(t, expression, got.String(), expression)
			continue
		}
		if !got.unknown() || !strings.Contains(got.why(), why) || got.String() != expression {
			t.Errorf("%s: got %.60q (%v), want unknown: %s", expression, got, got.why(), why)
		}
	}
}

// A function that makes much of little must not be repeated without end.
func TestFunctionBomb(t *testing.T) {
	write(t, "-- a.c --\n")
	put(t, "p.vcxproj", projectText("Debug|x64", "<PropertyGroup><P>xxxxxxxxxxxxxxxx</P>"+
		strings.Repeat("<P>$(P.Replace('x', 'xxxxxxxxxxxxxxxx'))</P>", 40)+"</PropertyGroup>"+compiled))
	start := time.Now()
	b := load(t, LoadOptions{}).Builds[0]
	equal(t, "files", b.Files, 1)
	bounded(t, start)
}
