#!/bin/sh
# Tries the Windows installer under wine with a stand-in for the application: sh installer/windows/try_under_wine.sh
# Needs makensis and a 64-bit wine (Debian: apt-get install nsis wine64 wine). Makes its own wine prefix, and removes it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
trap 'WINEPREFIX=$work/prefix wineserver -k 2>/dev/null || true; rm -rf "$work"' EXIT
export WINEPREFIX="$work/prefix" WINEARCH=win64 WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
unset DISPLAY WAYLAND_DISPLAY || true
fail() { echo "FAILED: $1" >&2; exit 1; }
ok() { echo "ok: $1"; }

icon=$work/stmviewer.ico
"$python" -c "import struct,sys; p=b'\x00\x00\xff\xff'*256; h=struct.pack('<IiiHHIIiiII',40,16,32,1,32,0,0,0,0,0,0); d=h+p+b'\x00'*64
open(sys.argv[1],'wb').write(struct.pack('<HHHBBBBHHII',0,1,1,16,16,0,0,1,32,len(d),22)+d)" "$icon"

make_installer() { # version, payload
  "$python" "$here/payload.py" "$2" "$work/remove-$1.nsh"
  makensis -V2 -DQUICK -DVERSION="$1" -DPAYLOAD="$2" -DREMOVE="$work/remove-$1.nsh" -DOUTFILE="$work/setup-$1.exe" \
    -DICON="$icon" "$here/stmviewer.nsi"
}
for version in 0.0.1 0.0.2; do
  mkdir -p "$work/$version/_internal/models"
  makensis -V2 -DSECONDS=20 -DOUTFILE="$work/$version/stmviewer.exe" "$here/standin.nsi"
  cp "$work/$version/stmviewer.exe" "$work/$version/stmviewer-cli.exe"
  echo "$version" > "$work/$version/_internal/models/version.txt"
done
echo old > "$work/0.0.1/_internal/only-old.txt"
printf x > "$work/0.0.2/_internal/name with spaces and \$ and é.txt"
make_installer 0.0.1 "$work/0.0.1"
make_installer 0.0.2 "$work/0.0.2"
ok "both installers were made"

wineboot -i >/dev/null 2>&1
wineserver -w
user=$(ls "$WINEPREFIX/drive_c/users" | grep -v Public | head -1)
home="$WINEPREFIX/drive_c/users/$user"
program="$home/AppData/Local/Programs/stmviewer"
own="$home/AppData/Local/stmviewer"
mkdir -p "$own/models" && echo mine > "$own/models/regression-mine.md"
query() { wine reg query "$@" 2>/dev/null | tr -d '\r'; }
uninstall_key='HKCU\Software\Microsoft\Windows\CurrentVersion\Uninstall\stmviewer'

windows() { wine reg add 'HKCU\Software\Wine' /v Version /d "$1" /f > /dev/null 2>&1; wineserver -w; }
windows win7
code=0; wine "$work/setup-0.0.1.exe" /S || code=$?
[ "$code" = 4 ] || fail "on Windows 7 it gave $code, not 4"
[ ! -e "$program" ] || fail "it installed on Windows 7"
ok "refused on Windows 7 (exit code 4)"
windows win10

# another program that opens .gwy by default, and offers itself
gwy='HKCU\Software\Classes\.gwy'
wine reg add "$gwy" /ve /d Gwyddion.gwy /f > /dev/null 2>&1
wine reg add "$gwy\OpenWithProgids" /v Gwyddion.gwy /d "" /f > /dev/null 2>&1
others() {
  query "$gwy" /ve | grep -q Gwyddion.gwy || fail "the default program of .gwy was changed"
  query "$gwy\OpenWithProgids" /v Gwyddion.gwy | grep -q REG_SZ || fail "another program was taken out of Open with"
}

wine "$work/setup-0.0.1.exe" /S; wineserver -w
[ -f "$program/stmviewer.exe" ] || fail "the program is not there"
[ -f "$program/_internal/only-old.txt" ] || fail "files below folders are not there"
query "$uninstall_key" /v DisplayVersion | grep -q '0\.0\.1' || fail "Windows does not list it"
find "$home" "$WINEPREFIX/drive_c/ProgramData" -name stmviewer.lnk | grep -q . || fail "it is not in the start menu"
for extension in sxm 3ds gwy; do
  query "HKCU\\Software\\Classes\\.$extension\\OpenWithProgids" | grep -q stmviewer.scan || fail "$extension is not registered"
done
query 'HKCU\Software\Classes\.dat' | grep -q stmviewer && fail ".dat was claimed"
query 'HKCU\Software\Classes\stmviewer.scan\shell\open\command' | grep -q '%1' || fail "a double click opens nothing"
others
ok "installed without an administrator, listed, in the start menu and in Open with"

for name in stmviewer stmviewer-cli; do
  wine "$program/$name.exe" & sleep 4
  code=0; wine "$work/setup-0.0.2.exe" /S || code=$?
  [ "$code" = 2 ] || fail "installing over a running $name gave $code, not 2"
  code=0; wine "$program/uninstall.exe" /S '_?=C:\users\'"$user"'\AppData\Local\Programs\stmviewer' || code=$?
  [ "$code" = 2 ] || fail "uninstalling a running $name gave $code, not 2"
  [ -f "$program/_internal/only-old.txt" ] || fail "the running version was damaged"
  wineserver -w
done
ok "nothing is installed or removed while either program runs (exit code 2)"

echo note > "$program/note of the user.txt"
wine "$work/setup-0.0.2.exe" /S; wineserver -w
grep -q '0\.0\.2' "$program/_internal/models/version.txt" || fail "the new version is not there"
[ ! -e "$program/_internal/only-old.txt" ] || fail "files of the old version were left"
[ -f "$program/note of the user.txt" ] || fail "a file of the user was taken"
grep -q mine "$own/models/regression-mine.md" || fail "models of the user were taken"
query "$uninstall_key" /v DisplayVersion | grep -q '0\.0\.2' || fail "Windows lists the old version"
ok "upgraded: new files, no old ones, the user's own kept"

rm "$program/note of the user.txt"
# NSIS wants /D= last and without quotes: not what wine makes of a word with a space
printf '"%s" /S /D=C:\\STM tools\\stm viewer\r\n' "$(winepath -w "$work/setup-0.0.2.exe" 2>/dev/null)" > "$work/move.bat"
wine cmd /c "$(winepath -w "$work/move.bat" 2>/dev/null)" >/dev/null 2>&1; wineserver -w
[ ! -e "$program" ] || fail "the version in the first folder was left: $(find "$program")"
program="$WINEPREFIX/drive_c/STM tools/stm viewer"
[ -f "$program/stmviewer.exe" ] || fail "nothing was installed in another folder"
ok "moved to another folder: the version in the first one is gone"

wine "$program/uninstall.exe" /S; sleep 3; wineserver -w
[ ! -e "$program" ] || fail "left behind: $(find "$program")"
find "$home" "$WINEPREFIX/drive_c/ProgramData" -name stmviewer.lnk | grep -q . && fail "still in the start menu"
query "$uninstall_key" | grep -q DisplayName && fail "still listed"
query 'HKCU\Software\Classes' /s | grep -qi stmviewer && fail "still in the registry"
grep -q mine "$own/models/regression-mine.md" || fail "models of the user were taken"
others
ok "uninstalled: nothing left but the user's own models and settings"
