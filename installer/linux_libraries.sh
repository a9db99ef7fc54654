#!/bin/sh
# The libraries that Qt needs and pip cannot bring. Installs them where the user is root and has apt, else says how.
[ "$(uname)" = Linux ] || exit 0

# what the loader knows; a user's PATH may lack /sbin. A system without ldconfig cannot be asked: Qt will say
known=$(PATH="$PATH:/sbin:/usr/sbin" ldconfig -p 2>/dev/null) || exit 0
missing=""
# need LIBRARY PACKAGE: remembers the package when the loader does not know the library
need() {
  case "$known" in *"$1"*) ;; *) missing="$missing $2" ;; esac
}

need libEGL.so.1 libegl1
need libGL.so.1 libgl1
need libxkbcommon.so.0 libxkbcommon0
need libfontconfig.so.1 libfontconfig1
need libglib-2.0.so.0 libglib2.0-0
need libdbus-1.so.3 libdbus-1-3
# a window on a screen; offscreen tests do without these
if [ -n "$DISPLAY" ]; then
  need libxcb-cursor.so.0 libxcb-cursor0
  need libxkbcommon-x11.so.0 libxkbcommon-x11-0
  need libxcb-icccm.so.4 libxcb-icccm4
  need libxcb-keysyms.so.1 libxcb-keysyms1
  need libxcb-shape.so.0 libxcb-shape0
  # QtNetwork, by which a second start finds the open window
  need libgssapi_krb5.so.2 libgssapi-krb5-2
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  echo "Installing system libraries that Qt needs:$missing"
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null && exit 0
  echo "That failed. Install by hand:  apt-get install$missing" >&2
  exit 1
fi
echo "Qt needs system libraries that are missing here. On Debian and Ubuntu:" >&2
echo "  sudo apt-get install$missing" >&2
exit 1
