#!/bin/sh
# Installs the packages in a bare Debian 12, tries them there, removes them, and looks whether anything stays.
#   sudo sh installer/try_debian.sh DIST [WORK]     DIST: folder with the .deb and the .tar.gz; WORK: for the root (2 GB)
# Needs root, debootstrap and a Debian mirror (MIRROR=...). The bare root is kept as WORK/base.tar for the next time.
set -eu
dist=$(cd "${1:?"try_debian.sh DIST [WORK]"}" && pwd)
work=${2:-/var/tmp/stmviewer-debian}
mirror=${MIRROR:-http://deb.debian.org/debian}
root=$work/root
[ "$(id -u)" = 0 ] || { echo "try_debian: must be root, for chroot" >&2; exit 2; }
command -v debootstrap >/dev/null || { echo "try_debian: debootstrap is missing" >&2; exit 2; }
mkdir -p "$work"
work=$(cd "$work" && pwd)
root=$work/root

clean_up() {
  for mounted in "$root/proc" "$root/dev/shm" "$root/dev" "$root/dist"; do
    if mountpoint -q "$mounted"; then umount -l "$mounted"; fi
  done
}
trap clean_up EXIT
clean_up
rm -rf "$root"
if [ ! -f "$work/base.tar" ]; then
  debootstrap --variant=minbase bookworm "$root" "$mirror" >"$work/debootstrap.log" 2>&1 ||
    { tail -20 "$work/debootstrap.log" >&2; echo "try_debian: debootstrap failed" >&2; exit 1; }
  tar -C "$root" -cf "$work/base.tar.new" . && mv "$work/base.tar.new" "$work/base.tar"
else
  mkdir -p "$root" && tar -C "$root" -xf "$work/base.tar"
fi
cp /etc/resolv.conf "$root/etc/resolv.conf"
mkdir -p "$root/dist" "$root/proc"
mount --bind "$dist" "$root/dist"
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"

chroot=$(command -v chroot) # an ordinary path has it not
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$chroot" "$root" sh -euc "$1"; }
user() { env -i PATH=/usr/bin:/bin HOME=/srv/anna LANG=C.UTF-8 OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} "$chroot" --userspec=anna:anna "$root" sh -euc "cd; $1"; }
# every file but what apt and dpkg keep for themselves
listing() { (cd "$root" && find . -path ./proc -prune -o -path ./dev -prune -o -path ./dist -prune -o -path ./tmp -prune \
  -o -path ./var/lib/dpkg -prune -o -path ./var/lib/apt -prune -o -path ./var/cache -prune -o -path ./var/log -prune -o -print | sort); }
step() { echo "== $*"; }

step "a user, and what shows windows without a screen; nothing of it comes with stmviewer"
inside 'apt-get update -qq; useradd -m -d /srv/anna anna; printf "#!/bin/sh\nexit 101\n" > /usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d'
inside 'ls /opt; ! command -v stmviewer'

step "the .deb by apt, with what it says that it needs and nothing else"
inside 'apt-get install -y -qq --no-install-recommends /dist/stmviewer_*.deb >/tmp/apt.log 2>&1 || { tail -20 /tmp/apt.log; exit 1; }'
user 'stmviewer --version'
user 'stmviewer smoke-test --skip training --skip report > /tmp/smoke.json || { cat /tmp/smoke.json; exit 1; }'
grep -o '"frozen": true' "$root/tmp/smoke.json"
step "nobody but root can change the application; the user can keep models of his own"
user '! touch /opt/stmviewer/_internal/models/x 2>/dev/null; stmviewer models | head -3'

step "on a screen: a scan, and a second start that goes to the window"
inside 'apt-get install -y -qq --no-install-recommends xvfb xauth desktop-file-utils shared-mime-info xdg-utils >/tmp/apt.log 2>&1'
cat > "$root/tmp/screen.sh" <<'SCREEN'
cd; samples=/opt/stmviewer/_internal/resources/samples
stmviewer $samples/si001h-double-tip.gwy & first=$!
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  [ -n "$(find /tmp/stmviewer-"$(id -u)" -type s 2>/dev/null)" ] && break
  sleep 1
done
sleep 3
stmviewer $samples/si001h-sparse-lines.gwy && echo "second start: handed over, ended with 0"
sleep 5 # until it has opened the file
kill -0 $first && echo "first window: still there"
kill -INT $first; wait $first && echo "first window: closed with 0"
grep -q sparse-lines ~/.config/stmviewer/window.ini && echo "the second file was opened there"
SCREEN
user 'xvfb-run -a sh -eu /tmp/screen.sh'
step "menu and file types"
inside 'desktop-file-validate /usr/share/applications/stmviewer.desktop; grep -h stmviewer /usr/share/applications/mimeinfo.cache'
# xdg-mime asks `file` where there is no desktop, and that does not know the desktop's types: the list itself is looked at
inside 'for f in sxm 3ds gwy; do grep -h "[:]\*\.$f\$" /usr/share/mime/globs2 | grep "nanonis\|gwyddion"; done'

step "the same version over it, then removed: settings stay, nothing else does"
inside 'dpkg -i /dist/stmviewer_*.deb >/dev/null; apt-get purge -y -qq stmviewer >/dev/null 2>&1; ! command -v stmviewer; test ! -e /opt/stmviewer'
user 'test -f ~/.config/stmviewer/window.ini'
left=$(listing | grep -i stmviewer | grep -v '^./srv/anna/\.\(config\|local\|cache\)' || true)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
echo "nothing left but the user's own settings"

step "the .tar.gz, by a user, without root"
inside 'rm -rf /srv/anna/.config /srv/anna/.local /srv/anna/.cache'
listing > "$work/before.txt"
user 'tar xzf /dist/stmviewer-*.tar.gz; sh stmviewer-*/install.sh'
user '~/.local/bin/stmviewer --version; ~/.local/bin/stmviewer smoke-test --only window | grep detail; grep ^Exec ~/.local/share/applications/stmviewer.desktop; desktop-file-validate ~/.local/share/applications/stmviewer.desktop'
user 'for f in sxm 3ds gwy; do grep -h "[:]\*\.$f\$" ~/.local/share/mime/globs2 | grep "nanonis\|gwyddion"; done; sh stmviewer-*/install.sh >/dev/null; echo "installed over itself"'
user 'sh ~/.local/lib/stmviewer/uninstall.sh >/dev/null; test ! -e ~/.local/bin/stmviewer'
user 'mkdir "a stick"; sh stmviewer-*/install.sh --portable "a stick" >/dev/null; "./a stick/stmviewer/stmviewer" smoke-test --only window | grep -E "portable|settings"'
user 'rm -r "a stick" stmviewer-*'
listing > "$work/after.txt"
left=$(diff "$work/before.txt" "$work/after.txt" | grep '^>' | grep -vE '\./srv/anna/\.(cache|config|local)(/(stmviewer|share|state|lib|bin|fontconfig|matplotlib)(/(mime|applications|icons|stmviewer).*)?)?$' | grep -v '/fontconfig/\|/mesa_shader_cache' || true)
[ -z "$left" ] || { echo "left behind: $left"; exit 1; }
inside 'find /srv/anna -name "*stmviewer*" | sed "s/^/the user keeps: /"'
echo "== all well"
