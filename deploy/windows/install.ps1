<#
.SYNOPSIS
Installs pprof-exporter as a service, or brings an installation up to date.

.DESCRIPTION
Makes a virtual environment with the exporter, a folder for its configuration, its statistics and its logs, a service that
WinSW runs as LocalService, and a firewall rule. Run it as often as you like: what is there already stays or is brought up
to date, and a configuration file is never written over. -WhatIf says what it would do and does nothing.

.PARAMETER WinSW
Path of WinSW-x64.exe 2.12.0 or later of the 2.x series, which you download from its project (winsw/winsw on GitHub).

.PARAMETER WinSWSha256
Its SHA-256, as you know it from a source that you trust. A file with another one is refused.

.PARAMETER Package
What pip installs: the name of the package, a wheel, or the folder of a checkout.

.PARAMETER Python
The Python 3.11 or later of which the virtual environment is made. It must be installed for all users, since the service
cannot look into the folder of one.

.PARAMETER InstallDir
Where everything goes.

.PARAMETER Port
Where the exporter answers.

.PARAMETER RemoteAddress
Who may ask it from elsewhere, such as 10.0.0.5 or LocalSubnet. Without it, no firewall rule is made and only this machine
can.

.EXAMPLE
.\install.ps1 -WinSW C:\Downloads\WinSW-x64.exe -RemoteAddress 10.0.0.5 -WhatIf
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [Parameter(Mandatory = $true)][string]$WinSW,
    [string]$WinSWSha256 = '',
    [string]$Package = 'pprof-exporter',
    [string]$Python = 'python.exe',
    [string]$InstallDir = (Join-Path $env:ProgramFiles 'pprof-exporter'),
    [ValidateRange(1, 65535)][int]$Port = 9717,
    [string[]]$RemoteAddress = @()
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ServiceName = 'PprofExporter'
$RuleName = 'pprof-exporter'

function Invoke-Checked {
    # A native program that fails does not stop a script by itself.
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) {
        throw "$Program $($Arguments -join ' ') exited with $LASTEXITCODE"
    }
}

# Everything that can be refused is refused before anything is done.
if (-not (Test-Path -LiteralPath $WinSW -PathType Leaf)) {
    throw "No file $WinSW. Download WinSW-x64.exe from the releases of winsw/winsw."
}
if ($WinSWSha256 -ne '') {
    $actual = (Get-FileHash -LiteralPath $WinSW -Algorithm SHA256).Hash
    if ($actual -ne $WinSWSha256) {
        throw "$WinSW has the SHA-256 $actual, not $WinSWSha256."
    }
}
$probe = 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else 1)'
Invoke-Checked -Program $Python -Arguments @('-c', $probe)

$venv = Join-Path $InstallDir 'venv'
$venvPython = Join-Path $venv 'Scripts\python.exe'
$wrapper = Join-Path $InstallDir 'pprof-exporter.exe'
$definition = Join-Path $InstallDir 'pprof-exporter.xml'
$config = Join-Path $InstallDir 'config\pprof-exporter.yml'

$service = Get-Service -Name $ServiceName -ErrorAction SilentlyContinue
if ($service -and $service.Status -ne 'Stopped') {
    if ($PSCmdlet.ShouldProcess($ServiceName, 'Stop the service')) {
        Stop-Service -Name $ServiceName
        $service.WaitForStatus('Stopped', [TimeSpan]::FromSeconds(30))
    }
}

foreach ($name in 'config', 'data', 'logs') {
    $folder = Join-Path $InstallDir $name
    if (-not (Test-Path -LiteralPath $folder) -and $PSCmdlet.ShouldProcess($folder, 'Make the folder')) {
        New-Item -ItemType Directory -Path $folder -Force | Out-Null
    }
}
# By numbers, since accounts have other names in other languages: S-1-5-18 is the system, S-1-5-19 LocalService and
# S-1-5-32-544 the administrators.
$folder = Join-Path $InstallDir 'config'
if ($PSCmdlet.ShouldProcess($folder, 'Let only administrators and the service read, since passwords may be there')) {
    Invoke-Checked -Program 'icacls.exe' -Arguments @($folder, '/inheritance:r', '/grant', '*S-1-5-18:(OI)(CI)F',
        '*S-1-5-32-544:(OI)(CI)F', '*S-1-5-19:(OI)(CI)R', '/Q')
}
foreach ($name in 'data', 'logs') {
    $folder = Join-Path $InstallDir $name
    if ($PSCmdlet.ShouldProcess($folder, 'Let LocalService write')) {
        Invoke-Checked -Program 'icacls.exe' -Arguments @($folder, '/grant', '*S-1-5-19:(OI)(CI)M', '/Q')
    }
}

if (-not (Test-Path -LiteralPath $venvPython) -and $PSCmdlet.ShouldProcess($venv, 'Make a virtual environment')) {
    Invoke-Checked -Program $Python -Arguments @('-m', 'venv', $venv)
}
if ($PSCmdlet.ShouldProcess($venv, "Install $Package")) {
    Invoke-Checked -Program $venvPython -Arguments @('-m', 'pip', 'install', '--disable-pip-version-check', '--upgrade', $Package)
}

if (-not (Test-Path -LiteralPath $config) -and $PSCmdlet.ShouldProcess($config, 'Write an example configuration')) {
    Copy-Item -LiteralPath (Join-Path $PSScriptRoot 'pprof-exporter.yml') -Destination $config
}
if ((Test-Path -LiteralPath $config) -and $PSCmdlet.ShouldProcess($config, 'Check the configuration')) {
    Invoke-Checked -Program $venvPython -Arguments @('-m', 'pprof_exporter', 'config', 'check', $config)
}

if ($PSCmdlet.ShouldProcess($definition, 'Write the definition of the service')) {
    Copy-Item -LiteralPath $WinSW -Destination $wrapper -Force
    $text = Get-Content -LiteralPath (Join-Path $PSScriptRoot 'pprof-exporter.xml') -Raw
    $listen = if ($RemoteAddress.Count -gt 0) { ":$Port" } else { "127.0.0.1:$Port" }
    $text = $text.Replace('-m pprof_exporter ', "-m pprof_exporter --web.listen-address=$listen ")
    Set-Content -LiteralPath $definition -Value $text -Encoding UTF8
}
if (-not $service -and $PSCmdlet.ShouldProcess($ServiceName, 'Install the service')) {
    Invoke-Checked -Program $wrapper -Arguments @('install')
}

$rule = Get-NetFirewallRule -Name $RuleName -ErrorAction SilentlyContinue
if ($RemoteAddress.Count -gt 0) {
    if ($rule) {
        if ($PSCmdlet.ShouldProcess($RuleName, "Let $($RemoteAddress -join ', ') ask port $Port")) {
            Set-NetFirewallRule -Name $RuleName -LocalPort $Port -RemoteAddress $RemoteAddress
        }
    } elseif ($PSCmdlet.ShouldProcess($RuleName, "Let $($RemoteAddress -join ', ') ask port $Port")) {
        New-NetFirewallRule -Name $RuleName -DisplayName 'pprof-exporter (Prometheus)' -Direction Inbound -Action Allow `
            -Protocol TCP -LocalPort $Port -RemoteAddress $RemoteAddress | Out-Null
    }
} elseif ($rule -and $PSCmdlet.ShouldProcess($RuleName, 'Remove the firewall rule')) {
    Remove-NetFirewallRule -Name $RuleName
}

if ($PSCmdlet.ShouldProcess($ServiceName, 'Start the service')) {
    Start-Service -Name $ServiceName
    $ask = @('-m', 'pprof_exporter', 'healthcheck', "--url=http://127.0.0.1:$Port/-/healthy", '--timeout=5')
    for ($try = 1; $try -le 12; $try++) {
        & $venvPython @ask
        if ($LASTEXITCODE -eq 0) {
            Write-Output "pprof-exporter answers on http://127.0.0.1:$Port/. What it watches is in $config."
            return
        }
        Start-Sleep -Seconds 5
    }
    throw "The service does not answer within a minute; see $(Join-Path $InstallDir 'logs')."
}
