#!/bin/sh
# Removes the stmviewer that install.sh installed. Settings and models of your own stay; their places are told.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

# makes the desktop read its lists anew, with whatever of its tools is there
refresh() {
  if [ -d "$1/share/applications" ]; then run update-desktop-database "$1/share/applications"; fi
  if [ -d "$1/share/mime/packages" ]; then run update-mime-database "$1/share/mime"; fi
  if [ -f "$1/share/icons/hicolor/icon-theme.cache" ]; then run gtk-update-icon-cache -q -t -f "$1/share/icons/hicolor"; fi
}
run() {
  if command -v "$1" >/dev/null 2>&1; then "$@" >/dev/null 2>&1 || true; fi
}
if [ "${1-}" = --refresh ]; then
  refresh "$2"
  exit 0
fi
case "$here" in
  */lib/stmviewer) prefix=${here%/lib/stmviewer} ;;
  *)
    echo "uninstall.sh: $here is not an installation; a portable copy is removed by deleting its folder" >&2
    exit 2
    ;;
esac
rm -f "$prefix/bin/stmviewer" "$prefix/share/applications/stmviewer.desktop" "$prefix/share/mime/packages/stmviewer.xml"
for icon in "$prefix"/share/icons/hicolor/*/apps/stmviewer.png "$prefix"/share/icons/hicolor/*/apps/stmviewer.svg; do
  if [ -e "$icon" ]; then
    rm -f "$icon"
    rmdir -p "$(dirname "$icon")" 2>/dev/null || true # folders that nothing else uses
  fi
done
cd /
rm -rf "$here"
refresh "$prefix"
echo "Removed. Yours is still in ~/.config/stmviewer (settings), ~/.local/share/stmviewer (models, notes),"
echo "~/.local/state/stmviewer (log) and ~/.cache/stmviewer; delete these folders if you want them gone."
