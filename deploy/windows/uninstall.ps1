<#
.SYNOPSIS
Takes pprof-exporter off again: service, firewall rule and program.

.DESCRIPTION
Run it as often as you like: what is gone already is passed over. Configuration, statistics and logs stay, unless -All is
given. -WhatIf says what it would do and does nothing. An exclusion that defender-exclusion.ps1 made is taken back with
defender-exclusion.ps1 -Undo.

.PARAMETER InstallDir
Where install.ps1 has put everything.

.PARAMETER All
Remove configuration, statistics and logs too.

.EXAMPLE
.\uninstall.ps1 -WhatIf
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string]$InstallDir = (Join-Path $env:ProgramFiles 'pprof-exporter'),
    [switch]$All
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ServiceName = 'PprofExporter'
$RuleName = 'pprof-exporter'
$wrapper = Join-Path $InstallDir 'pprof-exporter.exe'

# A folder of something else is not removed by a slip of the hand.
if ((Test-Path -LiteralPath $InstallDir) -and -not (Test-Path -LiteralPath (Join-Path $InstallDir 'pprof-exporter.xml')) -and
    -not (Test-Path -LiteralPath (Join-Path $InstallDir 'config\pprof-exporter.yml'))) {
    throw "$InstallDir does not look like an installation of pprof-exporter."
}

$service = Get-Service -Name $ServiceName -ErrorAction SilentlyContinue
if ($service) {
    if ($service.Status -ne 'Stopped' -and $PSCmdlet.ShouldProcess($ServiceName, 'Stop the service')) {
        Stop-Service -Name $ServiceName
        $service.WaitForStatus('Stopped', [TimeSpan]::FromSeconds(30))
    }
    if ($PSCmdlet.ShouldProcess($ServiceName, 'Remove the service')) {
        if (Test-Path -LiteralPath $wrapper) {
            & $wrapper uninstall
        } else {
            & sc.exe delete $ServiceName
        }
        if ($LASTEXITCODE -ne 0) {
            throw "The service could not be removed (exit code $LASTEXITCODE)."
        }
    }
}

if ((Get-NetFirewallRule -Name $RuleName -ErrorAction SilentlyContinue) -and
    $PSCmdlet.ShouldProcess($RuleName, 'Remove the firewall rule')) {
    Remove-NetFirewallRule -Name $RuleName
}

$names = @('venv', 'pprof-exporter.exe', 'pprof-exporter.xml')
if ($All) {
    $names += @('config', 'data', 'logs')
}
foreach ($name in $names) {
    $path = Join-Path $InstallDir $name
    if ((Test-Path -LiteralPath $path) -and $PSCmdlet.ShouldProcess($path, 'Remove')) {
        Remove-Item -LiteralPath $path -Recurse -Force
    }
}
if ((Test-Path -LiteralPath $InstallDir) -and -not (Get-ChildItem -LiteralPath $InstallDir -Force) -and
    $PSCmdlet.ShouldProcess($InstallDir, 'Remove the empty folder')) {
    Remove-Item -LiteralPath $InstallDir
}
