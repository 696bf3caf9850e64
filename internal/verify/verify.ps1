#Requires -Version 5.1
#Requires -RunAsAdministrator
<#
.SYNOPSIS
Loads a driver under Driver Verifier's code integrity checks and says where it asks for executable memory.

.DESCRIPTION
FOR A TEST MACHINE ONLY. Driver Verifier stops the whole system (bug check 0xC4, a blue screen) at the first request for
executable memory; what is not saved is lost. The machine is restarted once to turn the checks on.

Run the same command again after each restart; it goes on where it was:

  1. It turns the checks on for this driver and for one start of Windows only:
     verifier /flags 0x02000000 /driver DRIVER.sys, verifier /bootmode oneboot. They take effect at the next start; there is no
     way without one (they are none of those that /volatile changes). Then it asks whether to restart.
  2. It loads the driver, writes down where it was loaded, runs -Exercise, unloads the driver, and turns the checks off.
     If the system stops meanwhile, Windows starts again without the checks.
  3. After such a stop it reads the bug check's parameters from the event log, prints the nxport command that names the place
     in the driver, and turns everything back.

It asks before it changes anything: -Force answers yes, -WhatIf only says what would be done. It refuses to run where other
settings of Driver Verifier are in effect, as it could not put them back. -Reset turns all back at any time.

The driver must be one that this Windows loads. A driver signed with a test certificate needs
"bcdedit /set testsigning on" (Secure Boot off) and a restart; this script does not change that.

Exit status: 0 nothing found (on the paths that were run); 1 a violation was found; 2 an error, or another bug check; 3 restart,
then run it again.

.PARAMETER Driver
The driver's file, DRIVER.sys. Its PDB is not needed; nxport reads the lines of a driver with DWARF.

.PARAMETER Exercise
What to run while the driver is loaded, as a script block: { .\test.exe --all }.

.PARAMETER Service
The name of the driver's service. Default: the file's name without .sys. If there is none, it is made (type kernel, start
demand) and deleted at the end.

.PARAMETER Load
How to load the driver, if starting the service does not: { pnputil.exe /enable-device 'ROOT\DRV\0000' }.

.PARAMETER Unload
How to unload it, if stopping the service does not.

.PARAMETER Reset
Turns off what this script has turned on for the driver, and forgets what it has written down.

.PARAMETER Force
Don't ask.

.EXAMPLE
.\verify.ps1 .\drv.sys -Exercise { .\drvtest.exe }

.EXAMPLE
powershell.exe -ExecutionPolicy Bypass -Command ".\verify.ps1 .\drv.sys -WhatIf"

.LINK
https://learn.microsoft.com/windows-hardware/drivers/devtest/code-integrity-checking
#>
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High', DefaultParameterSetName = 'Run')]
param(
    [Parameter(Mandatory = $true, Position = 0)]
    [ValidatePattern('\.sys$')]
    [string] $Driver,

    [Parameter(ParameterSetName = 'Run')]
    [scriptblock] $Exercise,

    [Parameter(ParameterSetName = 'Run')]
    [ValidatePattern('^[^\\/]+$')]
    [string] $Service,

    [Parameter(ParameterSetName = 'Run')]
    [scriptblock] $Load,

    [Parameter(ParameterSetName = 'Run')]
    [scriptblock] $Unload,

    [Parameter(ParameterSetName = 'Reset', Mandatory = $true)]
    [switch] $Reset,

    [switch] $Force
)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
if ($Force -and -not $PSBoundParameters.ContainsKey('Confirm')) {
    $ConfirmPreference = 'None'
}

$Clean, $Found, $Failed, $RestartFirst = 0, 1, 2, 3
$CodeIntegrity = 0x02000000
$Settings = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Memory Management'

# What must outlast a stop of the system is kept in the registry, where only administrators write, and flushed: a file in a
# folder that anyone can make could tell this script, which is elevated, what to delete.
$StateKey = 'SOFTWARE\nxport\verify\' + (Split-Path -Path $Driver -Leaf)

function Get-State {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey($StateKey)
    if ($null -eq $key) {
        return $null
    }
    $state = @{}
    foreach ($name in $key.GetValueNames()) {
        $state[$name] = [string] $key.GetValue($name)
    }
    $key.Close()
    return $state
}

function Set-State {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([hashtable] $State)

    $key = [Microsoft.Win32.Registry]::LocalMachine.CreateSubKey($StateKey)
    foreach ($name in $State.Keys) {
        $key.SetValue($name, [string] $State[$name])
    }
    $key.Flush()
    $key.Close()
}

function Remove-State {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param()

    [Microsoft.Win32.Registry]::LocalMachine.DeleteSubKeyTree($StateKey, $false)
}

# Runs verifier.exe and returns what it prints. Its exit status 2 says that a restart is needed.
function Invoke-Verifier {
    param([string[]] $Arguments)

    $text = & "$env:SystemRoot\System32\verifier.exe" @Arguments | Out-String
    if (@(0, 2) -notcontains $LASTEXITCODE) {
        throw "verifier $Arguments failed with $LASTEXITCODE`: $text"
    }
    return $text
}

# The settings for the next start of Windows, read from the registry because what verifier.exe prints is in Windows' language.
function Get-VerifierSetting {
    $values = Get-ItemProperty -Path $Settings
    $drivers, $flags = '', 0
    if ($values.PSObject.Properties['VerifyDrivers']) {
        $drivers = [string] $values.VerifyDrivers
    }
    if ($values.PSObject.Properties['VerifyDriverLevel']) {
        $flags = [int64] $values.VerifyDriverLevel
    }
    return @{ Drivers = $drivers.Trim(); Flags = $flags }
}

function ConvertFrom-StateTime {
    param([string] $Text)

    return [datetime]::Parse($Text, [Globalization.CultureInfo]::InvariantCulture)
}

function Test-Restarted {
    param([hashtable] $State)

    $boot = (Get-CimInstance -ClassName Win32_OperatingSystem).LastBootUpTime
    return $boot.ToUniversalTime() -gt (ConvertFrom-StateTime -Text $State.Written).ToUniversalTime()
}

# The size that the driver has in memory: SizeOfImage of its header, at 56 of the optional header for 32 and 64 bits.
function Get-ImageSize {
    param([string] $Path)

    $bytes = [IO.File]::ReadAllBytes($Path)
    $header = [BitConverter]::ToInt32($bytes, 0x3C)
    if ($bytes.Length -lt $header + 0x58 -or [BitConverter]::ToUInt32($bytes, $header) -ne 0x4550) {
        throw "$Path is no driver: it has no PE header"
    }
    return [BitConverter]::ToUInt32($bytes, $header + 0x50)
}

# Where the driver is loaded, as hexadecimal digits; an empty string if it is not. From Windows 11 24H2 on the addresses are told
# with SeDebugPrivilege only, which an administrator has but must enable.
function Get-DriverBase {
    param([string] $Name)

    [Diagnostics.Process]::EnterDebugMode()
    if (-not ('Nxport.Psapi' -as [type])) {
        Add-Type -Namespace Nxport -Name Psapi -UsingNamespace System.Text -MemberDefinition @'
[DllImport("psapi.dll", SetLastError = true)]
[return: MarshalAs(UnmanagedType.Bool)]
public static extern bool EnumDeviceDrivers([Out] IntPtr[] bases, uint size, out uint needed);

[DllImport("psapi.dll", SetLastError = true, CharSet = CharSet.Unicode)]
public static extern uint GetDeviceDriverBaseNameW(IntPtr address, StringBuilder name, uint size);
'@
    }
    $bases = New-Object -TypeName 'IntPtr[]' -ArgumentList 4096
    $needed = [uint32] 0
    if (-not [Nxport.Psapi]::EnumDeviceDrivers($bases, [uint32] ($bases.Length * [IntPtr]::Size), [ref] $needed)) {
        throw 'EnumDeviceDrivers failed'
    }
    $text = New-Object -TypeName Text.StringBuilder -ArgumentList 260
    foreach ($base in $bases) {
        if ($base -ne [IntPtr]::Zero -and [Nxport.Psapi]::GetDeviceDriverBaseNameW($base, $text, 260) -gt 0) {
            if ($text.ToString() -eq $Name) {
                return $base.ToString('x')
            }
        }
    }
    return ''
}

function Start-Driver {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([hashtable] $State)

    if ($null -ne $Load) {
        & $Load | Out-Host
        return
    }
    & "$env:SystemRoot\System32\sc.exe" query $State.Service | Out-Null
    if ($LASTEXITCODE -eq 1060) { # ERROR_SERVICE_DOES_NOT_EXIST
        & "$env:SystemRoot\System32\sc.exe" create $State.Service type= kernel start= demand binPath= $State.Path | Out-Host
        if ($LASTEXITCODE -ne 0) {
            throw "the service $($State.Service) could not be made: $LASTEXITCODE"
        }
        $State.Made = 'yes'
        Set-State -State $State
    }
    & "$env:SystemRoot\System32\sc.exe" start $State.Service | Out-Host
    if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1056) { # ERROR_SERVICE_ALREADY_RUNNING
        throw "the driver could not be loaded: $LASTEXITCODE (577: it is not signed for this Windows, see bcdedit /set testsigning)"
    }
}

function Stop-Driver {
    [Diagnostics.CodeAnalysis.SuppressMessageAttribute('PSUseShouldProcessForStateChangingFunctions', '')]
    param([hashtable] $State)

    if ($null -ne $Unload) {
        & $Unload | Out-Host
        return
    }
    & "$env:SystemRoot\System32\sc.exe" stop $State.Service | Out-Host
    if ($LASTEXITCODE -ne 0 -and $LASTEXITCODE -ne 1062) { # ERROR_SERVICE_NOT_ACTIVE
        Write-Warning -Message "the driver could not be unloaded: $LASTEXITCODE. What it does when it is unloaded was not seen."
    }
}

# Turns back all that was turned on. It goes on after an error, so that one thing that fails leaves no other behind.
function Restore-Setting {
    param([hashtable] $State)

    foreach ($arguments in '/bootmode persistent', '/reset') { # persistent is what it is by default
        try {
            Invoke-Verifier -Arguments $arguments.Split(' ') | Out-Null
        } catch {
            Write-Warning -Message "$_"
        }
    }
    if ($State['Made'] -eq 'yes') {
        & "$env:SystemRoot\System32\sc.exe" delete $State.Service | Out-Null
        if ($LASTEXITCODE -ne 0) {
            Write-Warning -Message "the service $($State.Service) is left: sc.exe delete $($State.Service)"
        }
    }
    $left = Get-VerifierSetting
    if ($left.Drivers -ne '') {
        Write-Warning -Message "Driver Verifier still has settings for the next start ($($left.Drivers)): verifier /reset"
        return
    }
    Remove-State
    Write-Host 'Driver Verifier is off from the next start of Windows on.'
}

# The stops of the system since then, as arrays of the bug check's code and its four parameters, hexadecimal digits. Event 1001 is
# written by Windows Error Reporting a little after the start; event 41 by the kernel, with the same numbers.
function Get-BugCheck {
    param([datetime] $Since)

    $reports = Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
        LogName = 'System'; ProviderName = 'Microsoft-Windows-WER-SystemErrorReporting'; Id = 1001; StartTime = $Since
    }
    foreach ($report in $reports) {
        $numbers = [regex]::Matches([string] $report.Properties[0].Value, '0x([0-9a-fA-F]+)')
        if ($numbers.Count -ge 5) {
            , @($numbers | Select-Object -First 5 | ForEach-Object -Process { $_.Groups[1].Value })
        }
    }
    if ($null -ne $reports) {
        return
    }
    $reports = Get-WinEvent -ErrorAction SilentlyContinue -FilterHashtable @{
        LogName = 'System'; ProviderName = 'Microsoft-Windows-Kernel-Power'; Id = 41; StartTime = $Since
    }
    foreach ($report in $reports) {
        $values = @{}
        foreach ($value in ([xml] $report.ToXml()).Event.EventData.Data) {
            $values[$value.Name] = $value.InnerText
        }
        $code = [int64] $values['BugcheckCode']
        if ($code -ne 0) { # 0: the power went
            , (@('{0:x}' -f $code) + @(1, 2, 3, 4 | ForEach-Object -Process { $values["BugcheckParameter$_"] -replace '^0x', '' }))
        }
    }
}

# Prints what a bug check says and the command that names the place. True for a violation of code integrity.
function Show-BugCheck {
    param([string[]] $Numbers, [hashtable] $State)

    $code = [Convert]::ToUInt64($Numbers[0], 16)
    $kind = [Convert]::ToUInt64($Numbers[1], 16)
    if ($code -ne 0xC4 -or $kind -lt 0x2000 -or $kind -gt 0x2005) {
        Write-Warning -Message "another bug check stopped the system: 0x$($Numbers[0]) (0x$($Numbers[1..4] -join ', 0x'))"
        return $false
    }
    $kindText = '0x{0:x}' -f $kind
    Write-Host "Bug check 0xC4 ($kindText, 0x$($Numbers[2..4] -join ', 0x'))"
    Write-Host "  nxport explain $kindText"
    if ($kind -gt 0x2002) {
        return $true # the layout of the image: parameter 2 is no address in its code
    }
    $address = [Convert]::ToUInt64($Numbers[2], 16)
    if ($State['Base']) {
        $base = [Convert]::ToUInt64($State.Base, 16)
        if ($address -ge $base -and $address - $base -lt [uint64] $State.Size) {
            Write-Host ('  nxport scan "{0}" --at 0x{1:x}' -f $State.Path, ($address - $base))
            return $true
        }
        Write-Host "  The address is outside of the driver, which was loaded at 0x$($State.Base)."
    } else {
        Write-Host '  The system stopped while the driver was being loaded, so its base is not known. This names the places that'
        Write-Host '  can be meant (or: "lm" in the debugger gives the base, and the RVA is parameter 2 less the base):'
    }
    Write-Host ('  nxport scan "{0}" --at 0x{1:x}' -f $State.Path, $address)
    return $true
}

function Enable-Check {
    param([string] $Path, [string] $Name)

    $before = Get-VerifierSetting
    if ($before.Drivers -ne '' -or $before.Flags -ne 0) {
        $says = 'Driver Verifier already has settings (flags 0x{0:x}, drivers "{1}"), which this could not put back: note them ' +
            '("verifier /querysettings"), then "verifier /reset", restart, and run this again'
        throw ($says -f $before.Flags, $before.Drivers)
    }
    $signature = Get-AuthenticodeSignature -FilePath $Path
    if ($signature.Status -ne 'Valid') {
        Write-Warning -Message "$Path`: signature $($signature.Status). Windows may not load it: see bcdedit /set testsigning."
    }
    $State = @{
        Path = $Path; Written = (Get-Date).ToUniversalTime().ToString('o'); Phase = 'on'; Size = Get-ImageSize -Path $Path
        Service = if ($Service) { $Service } else { [IO.Path]::GetFileNameWithoutExtension($Name) }
    }
    $done = $false
    try {
        Set-State -State $State
        Invoke-Verifier -Arguments '/flags', ('0x{0:x8}' -f $CodeIntegrity), '/driver', $Name | Out-Null
        Invoke-Verifier -Arguments '/bootmode', 'oneboot' | Out-Null
        $now = Get-VerifierSetting
        if ($now.Drivers -ne $Name -or ($now.Flags -band $CodeIntegrity) -eq 0) {
            throw 'Driver Verifier did not take the settings: are code integrity checks known to this Windows (10 or later)?'
        }
        $done = $true
    } finally {
        if (-not $done) {
            Restore-Setting -State $State
        }
    }
}

function Test-Driver {
    param([hashtable] $State, [string] $Name)

    try {
        $State.Phase = 'running'
        $State.Written = (Get-Date).ToUniversalTime().ToString('o')
        Set-State -State $State
        Start-Driver -State $State
        try {
            $State.Base = Get-DriverBase -Name $Name
            Set-State -State $State
            if ($State.Base -eq '') {
                throw "$Name is not loaded"
            }
            Write-Host "$Name is loaded at 0x$($State.Base)."
            $counted = Invoke-Verifier -Arguments '/query'
            if ($counted -notmatch [regex]::Escape($Name)) {
                throw 'Driver Verifier does not check the driver in this start of Windows: run this again'
            }
            if ($null -ne $Exercise) {
                & $Exercise | Out-Host
            }
            $counted = Invoke-Verifier -Arguments '/query'
        } finally {
            Stop-Driver -State $State
        }
        # Once more, for what unloading did: nxport takes the higher counts.
        $log = Join-Path -Path (Get-Location).ProviderPath -ChildPath "$Name.verifier.txt"
        $counted, (Invoke-Verifier -Arguments '/query') | Set-Content -Path $log -Encoding UTF8
        Write-Host 'No bug check on the paths that were run. What Driver Verifier counted:'
        Write-Host ('  nxport explain --hlk "{0}" "{1}"' -f $log, $State.Path)
    } finally {
        Restore-Setting -State $State
    }
}

# Tells of the stops and returns the exit status.
function Read-Stop {
    param([object[]] $Stops, [hashtable] $State)

    $violations = 0
    try {
        foreach ($stop in $Stops) {
            if (Show-BugCheck -Numbers $stop -State $State) {
                $violations++
            }
        }
    } finally {
        Restore-Setting -State $State
    }
    if ($violations -gt 0) { $Found } else { $Failed }
}

try {
    if ([Environment]::OSVersion.Version.Major -lt 10) {
        throw 'code integrity checks are there from Windows 10 on'
    }
    if ([Environment]::Is64BitOperatingSystem -and -not [Environment]::Is64BitProcess) {
        throw 'this is a 32-bit PowerShell, which cannot see where drivers are loaded: use the 64-bit one'
    }
    $path = Convert-Path -LiteralPath $Driver
    $name = Split-Path -Path $path -Leaf
    $state = Get-State
    if ($Reset) {
        if ($null -eq $state) {
            throw "nothing was turned on for $name by this script"
        }
        if ($PSCmdlet.ShouldProcess($name, 'Turn off Driver Verifier for all drivers')) {
            Restore-Setting -State $state
        }
        exit $Clean
    }
    if ($null -eq $state) {
        $says = 'Turn on code integrity checks for the next start of Windows. They stop the WHOLE SYSTEM at a violation'
        if ($PSCmdlet.ShouldProcess($name, $says)) {
            Enable-Check -Path $path -Name $name
            Write-Host 'The checks are on from the next start of Windows on, for that one. Then run this command again.'
            # ShouldProcess would take an earlier "Yes to All" for a yes to this.
            if ($Force -or $PSCmdlet.ShouldContinue('Restart Windows now?', $env:COMPUTERNAME)) {
                Restart-Computer -Force
            }
            exit $RestartFirst
        }
        exit $Clean
    }
    if (-not (Test-Restarted -State $state)) {
        Write-Host 'Restart Windows, then run this command again; or turn all back with -Reset.'
        exit $RestartFirst
    }
    $stops = @(Get-BugCheck -Since (ConvertFrom-StateTime -Text $state.Written))
    if ($stops.Count -gt 0) { # also where the driver is loaded by the start of Windows, and stops it
        exit (Read-Stop -Stops $stops -State $state)
    }
    if ($state.Phase -eq 'running') {
        throw 'no bug check is in the event log yet: run this again in a minute; or turn all back with -Reset'
    }
    if ($PSCmdlet.ShouldProcess($name, 'Load, exercise and unload. The system stops at a violation: save your work first')) {
        Test-Driver -State $state -Name $name
    }
    exit $Clean
} catch {
    Write-Error -Message "$_" -ErrorAction Continue
    exit $Failed
}
