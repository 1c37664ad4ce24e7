#!/usr/bin/env bash
# Runs a command of this project in a Debian of another release, with that release's R:
#   scripts/other_r.sh trixie make test      R 4.5, lme4 1.1-37, Python 3.13
#   scripts/other_r.sh sid make test         the newest of all
#
# Needs root on a Debian or Ubuntu. The first call for a release makes its root file system (debootstrap, from the mirror
# that this machine's apt uses: some minutes, 2 GB with R); later calls reuse it. What is committed (git HEAD) is run, in
# a clone that keeps its .venv. The root sees none of this machine's folders but the test data beside the project
# (../shared, or PYMLM_SHARED), which are copied; its devices are its own.
#
# OTHER_R_DIR   where the roots lie (default: pymlm-other-r in the cache folder)
# Exit status   that of the command; 75 when the root cannot be made or entered
set -euo pipefail

say() { printf 'other_r: %s\n' "$*" >&2; }
cannot() { say "$*"; exit 75; }

[ $# -ge 2 ] || { say "usage: scripts/other_r.sh SUITE COMMAND..."; exit 2; }
suite=$1; shift
cd "$(dirname "$0")/.."
project=$PWD
name=$(basename "$project")
root=${OTHER_R_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/pymlm-other-r}/$suite

[ "$(id -u)" = 0 ] || cannot "root is needed to make and enter the root file system of $suite"
# Mounts are this call's own and end with it.
if [ -z "${OTHER_R_INSIDE:-}" ]; then
  unshare --mount true 2>/dev/null || cannot "this system does not let root make a mount namespace"
  OTHER_R_INSIDE=1 exec unshare --mount --propagation private "$0" "$suite" "$@"
fi
mirror=$(grep -rhoE 'https?://[^ ]+/(debian|ubuntu)/?( |$)' /etc/apt/sources.list /etc/apt/sources.list.d 2>/dev/null |
  grep debian | head -n 1 | tr -d ' ' || true)
mirror=${mirror:-http://deb.debian.org/debian}

make_root() {
  command -v debootstrap >/dev/null ||
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends debootstrap >/dev/null; } ||
    cannot "debootstrap is missing and could not be installed"
  # A release that is younger than this debootstrap is made as sid is.
  [ -e "/usr/share/debootstrap/scripts/$suite" ] || ln -s sid "/usr/share/debootstrap/scripts/$suite"
  mkdir -p "$root"
  say "making $root from $mirror"
  debootstrap --variant=minbase --include=bash,make,python3,python3-venv,git,ca-certificates "$suite" "$root" "$mirror" \
    >"$root.log" 2>&1 || { tail -n 5 "$root.log" >&2; cannot "debootstrap failed, see $root.log"; }
  touch "$root/.ready"
}

# Devices of its own: what a command does in /dev does not reach this machine's.
mount_devices() {
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  local d
  for d in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    set -- $d
    mknod -m 666 "$root/dev/$1" c "$2" "$3"
  done
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s /proc/self/fd/0 "$root/dev/stdin"
  ln -s /proc/self/fd/1 "$root/dev/stdout"
  ln -s /proc/self/fd/2 "$root/dev/stderr"
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
}

# apt, pip and TLS find what they find on this machine.
copy_settings() {
  local file folder
  cp -L /etc/resolv.conf /etc/hosts "$root/etc/"
  for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/99*; do
    [ -e "$file" ] && cp "$file" "$root/etc/apt/apt.conf.d/"
  done
  mkdir -p "$root/etc/ssl/certs"
  cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/host.crt"
  for file in $(python3 -m pip config debug 2>/dev/null | sed -n 's/^  \(.*\), exists: True$/\1/p'); do
    mkdir -p "$root$(dirname "$file")"
    cp "$file" "$root$file"
    for folder in $(sed -n 's/^ *constraint *= *//p' "$file"); do
      mkdir -p "$root$(dirname "$folder")"
      cp "$folder" "$root$folder"
    done
    # Local folders of packages, read-only.
    for folder in $(grep -oE 'file://[^ ]+|^ *find-links *= */[^ ]+' "$file" | sed -E 's#file://##; s#.*= *##' | sort -u); do
      folder=$(printf '%s' "$folder" | cut -d/ -f1-3)
      [ -d "$folder" ] && mkdir -p "$root$folder" && ! mountpoint -q "$root$folder" &&
        mount --bind -o ro "$folder" "$root$folder"
    done
  done
}

copy_project() {
  local data=${PYMLM_SHARED:-$project/../shared}
  mkdir -p "$root/root/src"
  git bundle create -q "$root/root/src/head.bundle" HEAD
  [ -d "$root/root/src/$name/.git" ] ||
    git clone -q -c advice.detachedHead=false "$root/root/src/head.bundle" "$root/root/src/$name"
  git -C "$root/root/src/$name" fetch -q "$root/root/src/head.bundle" HEAD
  git -C "$root/root/src/$name" checkout -q --force --detach FETCH_HEAD
  if [ -d "$data" ]; then
    rm -rf "$root/root/src/shared"
    cp -r "$data" "$root/root/src/shared"
  fi
}

[ -e "$root/.ready" ] || make_root
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc" || cannot "proc cannot be mounted"
mount_devices || cannot "devices cannot be made in $root"
copy_settings || true
copy_project

exec chroot "$root" /usr/bin/env -i HOME=/root USER=root LC_ALL=C.UTF-8 LANG=C.UTF-8 TERM=dumb CI="${CI:-}" \
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin PIP_DEFAULT_TIMEOUT=180 PIP_DISABLE_PIP_VERSION_CHECK=1 \
  PIP_CERT=/etc/ssl/certs/host.crt SSL_CERT_FILE=/etc/ssl/certs/host.crt \
  bash -c 'cd "$1" && shift && exec "$@"' other_r "/root/src/$name" "$@"
