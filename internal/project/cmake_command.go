package project

import (
	"slices"

	"github.com/nxport/nxport/internal/driver"
)

// The commands of CMake: tables of those that are evaluated, those that change nothing here, and those that ask the
// machine. Specification: cmake-commands(7). A command that is in no table gets a note, since it may be a function of
// a module that is not read.

// cmakeCall is one command being run, with its arguments.
type cmakeCall struct {
	*cmake
	fr   *frame
	in   *invocation
	args []text
}

// commandTable gives the commands that change what is compiled.
func commandTable() map[string]func(*cmakeCall) {
	table := map[string]func(*cmakeCall){
		"set": (*cmakeCall).setVariable, "unset": (*cmakeCall).unsetVariable, "option": (*cmakeCall).option, "list": (*cmakeCall).list,
		"string": (*cmakeCall).stringCommand, "math": (*cmakeCall).math, "project": (*cmakeCall).project,
		"enable_language": (*cmakeCall).enableLanguage, "include": (*cmakeCall).include,
		"cmake_language": (*cmakeCall).language, "add_subdirectory": (*cmakeCall).addSubdirectory, "find_package": (*cmakeCall).findPackage, "file": (*cmakeCall).fileCommand,
		"get_filename_component": (*cmakeCall).filenameComponent, "cmake_path": (*cmakeCall).cmakePath,
		"cmake_parse_arguments": (*cmakeCall).parseArguments, "set_property": (*cmakeCall).setProperty,
		"get_property": (*cmakeCall).getProperty, "get_target_property": (*cmakeCall).getTargetProperty,
		"aux_source_directory": (*cmakeCall).auxSources, "separate_arguments": (*cmakeCall).separateArguments, "find_package_handle_standard_args": (*cmakeCall).packageFound,
	}
	for name, at := range outputs {
		table[name] = func(k *cmakeCall) { k.unknownOutputs(at) }
	}
	for name, do := range targetCommands() {
		table[name] = do
	}
	return table
}

// harmless are commands that change nothing that is compiled.
var harmless = map[string]bool{
	"cmake_minimum_required": true, "message": true, "install": true, "cmake_policy": true, "mark_as_advanced": true,
	"source_group": true, "enable_testing": true, "add_test": true, "export": true, "link_directories": true,
	"target_link_directories": true, "include_guard": true, "add_dependencies": true, "configure_file": true,
	"target_compile_features": true, "set_tests_properties": true, "define_property": true, "write_file": true,
	"include_external_msproject": true, "variable_watch": true, "configure_package_config_file": true,
	"write_basic_package_version_file": true, "feature_summary": true,
	"set_package_properties": true, "find_package_message": true, "include_regular_expression": true, "site_name": true,
	"endif": true, "endforeach": true, "endwhile": true, "endfunction": true, "endmacro": true, "endblock": true,
	"build_command": true, "create_test_sourcelist": true, "ctest_submit": true,
	"if": true, "else": true, "elseif": true, "foreach": true, "while": true, "break": true, "continue": true,
	"add_feature_info": true, "externalproject_add": true,
}

// output says which arguments of a command that is not run name the variables that it sets: by index, or by the words
// that stand before them.
type output struct {
	at    int
	words []string
}

// outputs are those of the commands that ask the machine: what they find differs from one to the next, so that a
// value would be a guess.
var outputs = map[string]output{
	"find_program": {at: 0}, "find_path": {at: 0}, "find_library": {at: 0}, "find_file": {at: 0}, "try_compile": {at: 0},
	"try_run": {at: 0}, "execute_process": {at: noIndex, words: []string{"OUTPUT_VARIABLE", "RESULT_VARIABLE", "ERROR_VARIABLE", "RESULTS_VARIABLE"}},
	"exec_program":            {at: noIndex, words: []string{"OUTPUT_VARIABLE", "RETURN_VALUE"}},
	"check_c_source_compiles": {at: 1}, "check_cxx_source_compiles": {at: 1}, "check_c_compiler_flag": {at: 1},
	"check_cxx_compiler_flag": {at: 1}, "check_include_file": {at: 1}, "check_include_files": {at: 1},
	"check_function_exists": {at: 1}, "check_symbol_exists": {at: 2}, "check_cxx_symbol_exists": {at: 2},
	"check_type_size": {at: 1}, "check_library_exists": {at: 3}, "check_ipo_supported": {at: noIndex, words: []string{"RESULT", "OUTPUT"}},
	"check_linker_flag": {at: 2}, "check_compiler_flag": {at: 2}, "check_source_compiles": {at: 2}, "check_struct_has_member": {at: 3},
	"check_c_source_runs": {at: 1}, "check_cxx_source_runs": {at: 1}, "check_include_file_cxx": {at: 1},
	"cmake_host_system_information": {at: noIndex, words: []string{"RESULT"}}, "get_cmake_property": {at: 0},
	"get_directory_property": {at: 0}, "get_source_file_property": {at: 0}, "get_test_property": {at: 2},
	"load_cache": {at: noIndex},
}

// noIndex stands where no argument counts by its index.
const noIndex = -1 << 10

// unknownOutputs marks the variables as unknown rather than leaving them empty: an empty one makes if() false,
// without a note.
func (k *cmakeCall) unknownOutputs(o output) {
	if o.at >= 0 && o.at < len(k.args) {
		k.setUnknown(k.fr, k.arg(o.at))
	}
	for i := range k.args {
		if i > 0 && slices.Contains(o.words, k.arg(i-1)) {
			k.setUnknown(k.fr, k.arg(i))
		}
	}
}

// arg gives an argument, "" where there is none.
func (k *cmakeCall) arg(i int) string {
	if i < 0 || i >= len(k.args) {
		return ""
	}
	return k.args[i].String()
}

// rest gives the arguments from an index on.
func (k *cmakeCall) rest(from int) []text { return k.args[min(from, len(k.args)):] }

// place is where the command begins, for messages.
func (k *cmakeCall) place() driver.Place { return k.in.file.place(k.in.at) }

// say notes something about this command.
func (k *cmakeCall) say(format string, arguments ...any) {
	k.note(k.fr, k.place(), format, arguments...)
}

// set sets a variable. A value that is too long is not known.
func (k *cmakeCall) set(name string, v text) {
	const most = 100 // pieces of what is not known as a whole
	affords := k.affords(v)
	if !affords {
		k.say("the value of %s is too long; it is not known", clip(name))
	}
	if !affords || len(v) > most && v.unknown() {
		v = text{{text: "${" + clip(name) + "}", unknown: true}}
	}
	k.fr.vars.set(name, v)
}

// variable gives the value of a variable; the empty text where it has none, as ${name} does.
func (k *cmakeCall) variable(name string) text {
	v, _ := k.get(k.fr, name)
	return v
}
