# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by quickstart and check: installs missing Debian packages and says so. Source it from bash.

# The packages of $@ that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# need_packages WHAT-FOR PACKAGE...: nothing to do, and nothing said, when all are there.
need_packages() {
  local what=$1 missing log
  shift
  if ! command -v dpkg-query >/dev/null; then
    echo "This is not a Debian system: install the equivalents of: $*" >&2
    return 0
  fi
  missing=$(missing_packages "$@")
  [ -z "$missing" ] && return 0
  missing=$(echo "$missing" | tr '\n' ' ')
  echo "Installing with apt-get, to $what: $missing"
  if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
    echo "Neither root nor sudo here. As root: apt-get install --no-install-recommends $missing" >&2
    return 1
  fi
  log=$(mktemp)
  export DEBIAN_FRONTEND=noninteractive
  # Package lists may be missing (fresh image) or stale: try without, then with an update.
  # shellcheck disable=SC2086
  if ! as_root apt-get install -y --no-install-recommends $missing >"$log" 2>&1 &&
     ! { as_root apt-get update >>"$log" 2>&1 && as_root apt-get install -y --no-install-recommends $missing >>"$log" 2>&1; }; then
    tail -n 12 "$log" >&2
    echo "These packages could not be installed (no network?): $missing" >&2
    echo "Install them by hand, then run this again." >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

# want_packages WHAT-FOR PACKAGE...: the same, but going without is not a failure: it is said, and tests
# that need them skip by name.
want_packages() {
  need_packages "$@" || echo "Going on without what would $1: the tests that need it are skipped."
}

# quietly LOG COMMAND...: output goes to LOG, and its end is shown on failure only.
quietly() {
  local log=$1
  shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    echo "failed: $* (whole output: $log)" >&2
    return 1
  fi
}

BUILD_PACKAGES="gcc libc6-dev cmake ninja-build pkg-config libglib2.0-dev libarchive-dev libgcrypt20-dev libjansson-dev libzstd-dev
  libpci-dev libsqlite3-dev libtraceevent-dev libtracefs-dev libtracecmd-dev libbsd-dev"
PLOT_PACKAGES="gnuplot-nox fonts-dejavu-core"
TEST_PACKAGES="check python3 zstd xz-utils bzip2 valgrind"
FULL_PACKAGES="clang libclang-rt-14-dev"
BROWSER_PACKAGES="chromium chromium-driver python3-selenium"
SLURM_PACKAGES="slurm-wlm slurm-client slurmctld slurmd munge parallel"
SHELL_PACKAGES="man-db zsh dpkg-dev file git"
PANDAS_PACKAGES="python3-pandas python3-matplotlib"
KERNEL_PACKAGES="qemu-system-x86 busybox-static cpio kmod"
