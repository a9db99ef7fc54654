#!/bin/sh
# Installs stmviewer for this user, without root: sh install.sh [--prefix DIR]     (default ~/.local)
# Or makes a portable copy that keeps everything beside itself:  sh install.sh --portable DIR
# An older version is replaced; settings and models of your own stay.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
prefix=${HOME:?}/.local
portable=
while [ $# -gt 0 ]; do
  case "$1" in
    --prefix) prefix=${2:?"--prefix wants a folder"}; shift 2 ;;
    --portable) portable=${2:?"--portable wants a folder"}; shift 2 ;;
    -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;;
    *) echo "install.sh: '$1' is not known; see install.sh --help" >&2; exit 2 ;;
  esac
done

# puts the application into the folder $1: whole, or not at all. What else lies there stays
place() {
  mkdir -p "$(dirname "$1")"
  rm -rf "$1.new"
  cp -R "$here/application" "$1.new"
  cp "$here/uninstall.sh" "$1.new/uninstall.sh"
  if [ -d "$1" ]; then
    for kept in portable.txt stmviewer-data; do # a portable copy and all that its user has
      if [ -e "$1/$kept" ]; then mv "$1/$kept" "$1.new/$kept"; fi
    done
    rm -rf "$1"
  fi
  mv "$1.new" "$1"
}

missing() {
  # what the loader does not find; Qt's window plugin is loaded late and would only say that it "could not be loaded"
  for file in "$1/stmviewer" "$1"/_internal/PySide6/Qt/plugins/platforms/libqxcb.so; do
    LD_LIBRARY_PATH="$1/_internal:$1/_internal/PySide6/Qt/lib" ldd "$file" 2>/dev/null
  done | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | sort -u
}

tell_missing() {
  lacks=$(missing "$1" | tr '\n' ' ')
  [ -n "$lacks" ] || return 0
  echo
  echo "These libraries are missing on this computer, and the window will not open without them:"
  echo "  $lacks"
  echo "On Debian or Ubuntu:"
  echo "  sudo apt install libegl1 libgl1 libfontconfig1 libdbus-1-3 libglib2.0-0 libx11-xcb1 libxkbcommon0 \\"
  echo "    libxcb-glx0 libxcb-randr0 libxcb-render0 libxcb-shm0 libxcb-sync1 libxcb-xfixes0 libxcb-xinput0 libwayland-egl1"
}

if [ -n "$portable" ]; then
  mkdir -p "$portable"
  portable=$(cd "$portable" && pwd)
  place "$portable/stmviewer"
  : > "$portable/stmviewer/portable.txt"
  echo "Portable copy: start $portable/stmviewer/stmviewer; models, settings and logs are kept in stmviewer-data there."
  tell_missing "$portable/stmviewer"
  exit 0
fi

mkdir -p "$prefix"
prefix=$(cd "$prefix" && pwd)
target=$prefix/lib/stmviewer
place "$target"
mkdir -p "$prefix/bin" "$prefix/share/applications" "$prefix/share/mime/packages"
ln -sfn ../lib/stmviewer/stmviewer "$prefix/bin/stmviewer"
# the menu starts it by its whole path: ~/.local/bin is not on everybody's
quoted=$(printf '%s' "$target/stmviewer" | sed 's/[\\"`$]/\\\\&/g; s/%/%%/g; s/[&|]/\\&/g')
sed "s|^Exec=stmviewer|Exec=\"$quoted\"|" "$here/share/stmviewer.desktop" > "$prefix/share/applications/stmviewer.desktop"
cp "$here/share/stmviewer-mime.xml" "$prefix/share/mime/packages/stmviewer.xml"
for size in 16 22 24 32 48 64 128 256 512; do
  mkdir -p "$prefix/share/icons/hicolor/${size}x$size/apps"
  cp "$here/share/icons/stmviewer-$size.png" "$prefix/share/icons/hicolor/${size}x$size/apps/stmviewer.png"
done
mkdir -p "$prefix/share/icons/hicolor/scalable/apps"
cp "$here/share/icons/stmviewer.svg" "$prefix/share/icons/hicolor/scalable/apps/stmviewer.svg"
sh "$target/uninstall.sh" --refresh "$prefix"
echo "Installed: stmviewer is in the menu, and $prefix/bin/stmviewer starts it."
echo "To remove it: sh $target/uninstall.sh"
tell_missing "$target"
