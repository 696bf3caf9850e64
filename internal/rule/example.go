package rule

import "strings"

// vcxproj is the build file of an example: a driver that starts at Windows 7, with these definitions and source files.
func vcxproj(definitions string, files ...string) string {
	return `-- drv.vcxproj --
<Project>
  <ItemGroup Label="ProjectConfigurations">
    <ProjectConfiguration Include="Release|x64" />
  </ItemGroup>
  <PropertyGroup>
    <ConfigurationType>Driver</ConfigurationType>
    <TargetVersion>Windows7</TargetVersion>
  </PropertyGroup>
  <ItemDefinitionGroup>
    <ClCompile>
      <PreprocessorDefinitions>` + definitions + `</PreprocessorDefinitions>
    </ClCompile>
  </ItemDefinitionGroup>
  <ItemGroup>
    <ClCompile Include="` + strings.Join(files, `" />
    <ClCompile Include="`) + `" />
  </ItemGroup>
</Project>
`
}
