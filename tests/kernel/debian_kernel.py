# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian kernel packages by release series, downloaded and unpacked but never installed.

A series ("6.12") is looked up in what apt knows on this machine, and then in the suites below from the same mirror, with a
package list of its own, so that nothing of the machine's package state changes. "6.12.117" and whole package names work too.
"""
import lzma
import pathlib
import re
import shutil
import subprocess

SUITES = ("bookworm-backports", "trixie", "trixie-backports")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Since 6.19 the image package is empty and needs these; before, it holds everything.
PARTS = ("image", "binary", "modules", "base")


class Unavailable(Exception):
    """No such package, or no way to get it: the test of this kernel is skipped with this text."""


def output(*command, cwd=None):
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Unavailable(f"{error.filename} is not here: not a Debian system?") from None
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:2])} failed: {done.stderr.strip()[-300:]}")
    return done.stdout


class Apt:
    """apt with the machine's package lists, or with lists of its own in a folder."""

    def __init__(self, folder=None):
        self.options = []
        if folder is None:
            return
        for sub in ("lists/partial", "cache/archives/partial"):
            (folder / sub).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        mirror = next((line for line in output("apt-get", "indextargets", "--format", "$(REPO_URI) $(LABEL)").split("\n")
                       if line.endswith(" Debian")), None)
        if mirror is None:
            raise Unavailable("apt knows no Debian mirror")
        (folder / "sources.list").write_text("".join(
            f"deb [signed-by={KEYRING}] {mirror.split()[0]} {suite} main\n" for suite in SUITES))
        for key, value in (("Dir::State", folder), ("Dir::State::Lists", folder / "lists"),
                           ("Dir::State::status", folder / "status"), ("Dir::Cache", folder / "cache"),
                           ("Dir::Etc::SourceList", folder / "sources.list"), ("Dir::Etc::SourceParts", "-"),
                           ("APT::Sandbox::User", "root")):
            self.options += ["-o", f"{key}={value}"]
        output("apt-get", *self.options, "update")

    def packages(self):
        return output("apt-cache", *self.options, "pkgnames", "linux-").split()

    def download(self, package, folder):
        output("apt-get", *self.options, "download", package, cwd=folder)


def version_key(package):
    return [int(n) for n in re.findall(r"\d+", package)]


def find(apt, wanted):
    """The newest complete package of a series, as its version ("6.12.117+deb12-amd64"), and all that belongs to it."""
    names = set(apt.packages())
    series = wanted.removeprefix("linux-image-").removesuffix("-amd64")
    pattern = re.compile(rf"linux-image-{re.escape(series)}(?![\d])[\d.+-]*(deb\d+)?-amd64")
    missing = None
    for image_package in sorted((n for n in names if pattern.fullmatch(n)), key=version_key, reverse=True):
        version = image_package.removeprefix("linux-image-")
        packages = [f"linux-{part}-{version}" for part in PARTS if f"linux-{part}-{version}" in names]
        # A mirror keeps the image of a superseded release longer than its modules.
        if f"linux-binary-{version}" in packages and f"linux-modules-{version}" not in packages:
            missing = missing or f"linux-modules-{version}"
        else:
            return version, packages, None
    return None, [], missing


def unpack(wanted, cache):
    """The folder and version of an unpacked kernel package, from the cache where it is there."""
    if output("dpkg", "--print-architecture").strip() != "amd64":
        raise Unavailable("the guest is an amd64 machine")
    kept = sorted(cache.glob(f"kernel-{wanted}[.-]*/"), key=lambda p: version_key(p.name))
    if kept:
        return kept[-1], kept[-1].name.removeprefix("kernel-")
    for make in (Apt, lambda: Apt(cache / "apt")):
        apt = make()
        version, packages, missing = find(apt, wanted)
        if version:
            break
    else:
        raise Unavailable(f"no package {missing or f'linux-image-{wanted}*-amd64'} in the machine's lists, nor in "
                          f"{', '.join(SUITES)}")
    folder, debs = cache / f"kernel-{version}", cache / f"partial-{version}"
    shutil.rmtree(debs, ignore_errors=True)
    (debs / "root").mkdir(parents=True)
    for package in packages:
        apt.download(package, debs)
    for deb in debs.glob("*.deb"):
        output("dpkg-deb", "-x", str(deb), str(debs / "root"))
    if not (debs / "root" / "lib").exists():
        (debs / "root" / "lib").symlink_to("usr/lib")
    output("depmod", "-b", str(debs / "root"), version)
    (debs / "root").rename(folder)
    shutil.rmtree(debs)
    return folder, version


def image(folder, version):
    for path in (folder / "boot" / f"vmlinuz-{version}", folder / "lib" / "modules" / version / "vmlinuz"):
        if path.exists():
            return path
    raise Unavailable(f"{folder}: holds no kernel image")


def modules(folder, version, name):
    """A module and what it needs, in the order of loading: (file name, content)."""
    lines = output("modprobe", "-d", str(folder), "-S", version, "--show-depends", name).split("\n")
    seen = {}
    for line in lines:
        if line.startswith("insmod "):
            path = pathlib.Path(line.split()[1])
            seen.setdefault(path.name.split(".ko")[0], path)
    for stem, path in seen.items():
        content = path.read_bytes()
        yield stem + ".ko", lzma.decompress(content) if path.suffix == ".xz" else content
