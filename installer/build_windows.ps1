# Builds the Windows installer and the portable copy. In the source folder:
#
#   powershell -ExecutionPolicy Bypass -File installer\build_windows.ps1 [-Out dist-windows] [-Python python]
#
# Needs Python 3.11 or later and NSIS 3.08 or later (makensis on the path, or in Program Files). Written on Linux and not
# yet run on Windows; the installer script itself is tried under wine (installer/windows/try_under_wine.sh).
param(
    [string]$Out = "dist-windows",
    [string]$Work = "build-windows",
    [string]$Python = "python"
)
$ErrorActionPreference = "Stop"
$root = Split-Path -Parent $PSScriptRoot
Set-Location $root
New-Item -ItemType Directory -Force -Path $Out, $Work | Out-Null
$Out = (Resolve-Path $Out).Path
$Work = (Resolve-Path $Work).Path

# commands that fail do not stop PowerShell by themselves
function Invoke-Checked([string]$Program, [string[]]$Words) {
    & $Program @Words
    if ($LASTEXITCODE -ne 0) { throw "$Program $($Words -join ' ') ended with $LASTEXITCODE" }
}

$makensis = Get-Command makensis -ErrorAction SilentlyContinue
$makensis = if ($makensis) { $makensis.Source } else { Join-Path ${env:ProgramFiles(x86)} "NSIS\makensis.exe" }
if (-not (Test-Path $makensis)) { throw "makensis was not found: install NSIS from https://nsis.sourceforge.io" }

$venv = Join-Path $Work "venv"
if (-not (Test-Path $venv)) { Invoke-Checked $Python @("-m", "venv", $venv) }
$py = Join-Path $venv "Scripts\python.exe"
Invoke-Checked $py @("-m", "pip", "install", "--quiet", "--upgrade", "pip")
Invoke-Checked $py @("-m", "pip", "install", "--quiet", ".[package]")
$version = (& $py -c "import stmviewer; print(stmviewer.__version__)").Trim()

Invoke-Checked $py @(
    "-m", "PyInstaller", "-y", "--log-level", "WARN", "--distpath", (Join-Path $Work "dist"),
    "--workpath", (Join-Path $Work "work"), "installer\stmviewer.spec"
)
$application = Join-Path $Work "dist\stmviewer"

# the frozen application, as on a computer without Python: every library, every format, a restoration, the window
$report = Join-Path $Out "smoke.json"
& (Join-Path $application "stmviewer-cli.exe") smoke-test | Out-File -Encoding utf8 $report
if ($LASTEXITCODE -ne 0) { throw "the smoke test failed: see $report" }

$remove = Join-Path $Work "remove.nsh"
Invoke-Checked $py @("installer\windows\payload.py", $application, $remove)
$icon = Join-Path $Work "work\stmviewer\icons\stmviewer.ico"
$setup = Join-Path $Out "stmviewer-$version-setup.exe"
# 0.2.0rc1 is 0.2.0.0 for Windows
$four = "import sys; sys.path.insert(0, r'installer\windows'); import version_info; " +
    "print(*version_info.four_numbers(sys.argv[1]), sep='.')"
$numbers = (& $py -c $four $version).Trim()
Invoke-Checked $makensis @(
    "-V2", "-DVERSION=$version", "-DNUMBERS=$numbers", "-DPAYLOAD=$application",
    "-DREMOVE=$remove", "-DOUTFILE=$setup", "-DICON=$icon",
    "installer\windows\stmviewer.nsi"
)

# the portable copy keeps models, settings and logs beside itself
$portable = Join-Path $Work "portable\stmviewer"
if (Test-Path $portable) { Remove-Item -Recurse -Force $portable }
New-Item -ItemType Directory -Force -Path (Split-Path $portable) | Out-Null
Copy-Item -Recurse $application $portable
"Models, settings and logs are kept in stmviewer-data beside this file. Delete it to keep them where Windows does." |
    Out-File -Encoding utf8 (Join-Path $portable "portable.txt")
$zip = Join-Path $Out "stmviewer-$version-portable.zip"
if (Test-Path $zip) { Remove-Item $zip }
Compress-Archive -Path $portable -DestinationPath $zip

Get-ChildItem $Out -Include *.exe, *.zip -Recurse | ForEach-Object {
    "$((Get-FileHash -Algorithm SHA256 $_.FullName).Hash.ToLower())  $($_.Name)"
} | Out-File -Encoding ascii (Join-Path $Out "SHA256SUMS")
Get-Content (Join-Path $Out "SHA256SUMS")
