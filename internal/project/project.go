// Package project reads build files: which files are compiled into which driver, with which defines and include
// directories. It also knows where a define goes so that all builds get it.
//
// [Load] finds the builds under the paths a user named, in build files of these kinds:
//
//   - Visual Studio projects (.vcxproj), which solutions (.sln, .slnx) name: their configurations;
//   - SOURCES files, which dirs files name: free and checked, for x86 and amd64;
//   - make files of GNU make and nmake: each kernel image that they link, in the default configuration;
//   - CMakeLists.txt with the directories they add: each target that is linked as a driver, and the static libraries
//     linked to it, in the build type Release;
//   - compilation databases (compile_commands.json): each target and processor with a sign of kernel mode;
//   - none of them: all C and C++ files below a directory, as one default build.
//
// Nothing is run for it: no MSBuild, make, CMake, compiler or shell. Only kernel-mode builds are kept. What could not be
// evaluated is a note on the build, never a silent guess.
//
// [Place] answers where a define goes, as edits, and proves them by loading the edited files again. The files of the
// package are named by what they read: cmake*, make*, nmake*, msbuild* and so on; kinds.go ties them together.
package project

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
	"github.com/nxport/nxport/nx"
)

// Language is that of a translation unit.
type Language string

// The languages a unit is compiled as.
const (
	C   Language = "c"
	CXX Language = "c++"
)

// Define is one macro a build defines on the command line. Value is "1" where the build file gives none.
type Define struct {
	Name, Value string
	// Place is where the name stands in the build file, at the property if the define comes by one. It is zero for
	// what the kit's toolset or the user's -D adds.
	Place driver.Place
}

// Options are what a unit is compiled with. Options that are equal, the places of defines included, are the same
// pointer.
type Options struct {
	Processor nx.Processor
	Language  Language
	Defines   []Define // in order; a later one of the same name wins
	Undefines []string // applied after Defines
	Includes  []string // directories, in search order
	Forced    []string // files included before the first line
	// Precompiled is the header, as written in an include directive, up to which the compiler skips the unit because it
	// uses a precompiled one; "" where it uses none.
	Precompiled string
	// NoOptIn is set where the headers of the kit know no opt-in, so that it takes nxpool.h behind them.
	NoOptIn bool
}

// Unit is a source file with the options it is compiled with. Equal units of several builds are the same pointer.
type Unit struct {
	Path    string
	Options *Options
}

// Build is one configuration of one build file: the units of one image.
type Build struct {
	driver.Build         // Mechanism, Initialised and Exceptions are filled in by the source front end
	Units        []*Unit // in order of path
	// Target is the name of the image without its extension, "" where the build file does not say it.
	Target string

	set    *Set       // the set it was loaded into
	layers [][]*layer // of each unit, where its defines come from; parallel to Units
	// references are the projects it is linked with, until link has found their builds.
	references []projectReference
	// linked are the libraries that the linker is given by name, until link has found their builds.
	linked []string
	// declared are the targets of CMake that the units come from.
	declared []declared
}

// Skipped is something in the tree that is no driver, or could not be read.
type Skipped struct {
	Path string
	Why  string
	// Shares are the files that a driver compiles too, sorted.
	Shares []string

	configurations []string // of a project that is loaded in others
}

// Set is all that was found under the named paths.
type Set struct {
	Builds     []*Build
	Skipped    []Skipped // user-mode projects and the like: fine
	Unreadable []Skipped // input that could not be read: exit status 2
	Containers []string  // named solutions and dirs files

	options LoadOptions
	readers map[string][]string // file -> the build files whose evaluation read it, itself included
	// configurations are all that the build files have, "Release|x64", chosen or not.
	configurations []string
}

// Reads says whether a build file is, or includes, a file, readable or not.
func (s *Set) Reads(buildFile, p string) bool { return slices.Contains(s.readers[p], buildFile) }

// layer is one place in a build file that sets or extends the defines of some units: an element
// PreprocessorDefinitions, or an assignment to C_DEFINES. It is the same pointer for all configurations of one load.
type layer struct {
	file     *file
	at       int  // identifies the layer in its file
	inherits bool // it keeps what the layers before it say
	spot     spot
}

// spot is how a define is spliced into a layer.
type spot struct {
	start, end    int
	before, after string
	separator     string // between several defines
}
