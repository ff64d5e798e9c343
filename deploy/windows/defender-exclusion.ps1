<#
.SYNOPSIS
Excludes the files that one Go program opens from the real-time scan of Microsoft Defender, or takes that back.

.DESCRIPTION
Read docs/windows.md first, and run this only when pprof_latency_difference_seconds names the modules as what makes profiles
slow. An exclusion is a hole: whatever that program opens is not scanned while it runs.

Without -Apply or -Undo it only shows what is set and what it would do.

For each binary profile a Go program on Windows looks at every module that is loaded into it, most of them in System32
(runtime/pprof, readMapping). An exclusion of the folder of the program does not cover those files; one of the process does.
So this makes a process exclusion with the full path, and no exclusion of a folder.

.PARAMETER Program
Full path of the Go program, not of the exporter.

.PARAMETER Apply
Make the exclusion.

.PARAMETER Undo
Take it back.

.EXAMPLE
.\defender-exclusion.ps1 -Program C:\shop\shop.exe

.EXAMPLE
.\defender-exclusion.ps1 -Program C:\shop\shop.exe -Apply -Confirm
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding(SupportsShouldProcess = $true, DefaultParameterSetName = 'Show')]
param(
    [Parameter(Mandatory = $true)][string]$Program,
    [Parameter(Mandatory = $true, ParameterSetName = 'Apply')][switch]$Apply,
    [Parameter(Mandatory = $true, ParameterSetName = 'Undo')][switch]$Undo
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

if (-not [System.IO.Path]::IsPathRooted($Program) -or $Program -match '[*?]') {
    throw 'Give the full path of one program: a name alone, or a wildcard, would exclude programs of that name anywhere.'
}
if (-not $Undo -and -not (Test-Path -LiteralPath $Program -PathType Leaf)) {
    throw "There is no program $Program."
}
if (-not (Get-Command -Name Add-MpPreference -ErrorAction SilentlyContinue)) {
    throw 'Microsoft Defender is not here. Another antivirus has its own way to exclude a process.'
}

# Defender knows an exclusion by its text, whatever the case of its letters.
$processes = @((Get-MpPreference).ExclusionProcess | Where-Object { $_ })
$there = $processes -contains $Program
Write-Output "Processes that are excluded now: $(if ($processes) { $processes -join ', ' } else { 'none' })"
if ((Get-MpComputerStatus).IsTamperProtected) {
    Write-Warning 'Tamper protection is on: where exclusions are managed centrally, a change here has no effect.'
}

if ($Apply) {
    if ($there) {
        Write-Output "$Program is excluded already; nothing to do."
    } elseif ($PSCmdlet.ShouldProcess($Program, 'Do not scan the files that this process opens')) {
        Add-MpPreference -ExclusionProcess $Program
        Write-Output "Done. Take it back with: $($MyInvocation.MyCommand.Name) -Program `"$Program`" -Undo"
    }
} elseif ($Undo) {
    if (-not $there) {
        Write-Output "$Program is not excluded; nothing to do."
    } elseif ($PSCmdlet.ShouldProcess($Program, 'Scan the files that this process opens again')) {
        Remove-MpPreference -ExclusionProcess $Program
        Write-Output 'Done.'
    }
} elseif ($there) {
    Write-Output "$Program is excluded. -Undo would run: Remove-MpPreference -ExclusionProcess `"$Program`""
} else {
    Write-Output "$Program is not excluded. -Apply would run: Add-MpPreference -ExclusionProcess `"$Program`""
}
