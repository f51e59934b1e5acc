#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The .deb in a scratch root: install, manual pages, completion, the example device, uninstall."""
import glob
import gzip
import os
import shutil
import subprocess
import sys
import tempfile

binary = os.path.abspath(sys.argv[1])
build = os.path.dirname(binary)
while build != "/" and not os.path.exists(os.path.join(build, "CMakeCache.txt")):
    build = os.path.dirname(build)
source = os.environ["DMASIM_SOURCE"]


def run(*command, **kwargs):
    done = subprocess.run(command, capture_output=True, text=True, **kwargs)
    assert done.returncode == 0, f"{' '.join(command)}: status {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def skip(why):
    print(f"SKIP: {why}")
    sys.exit(77)


def completions(script, words):
    """What bash would offer for the last of words."""
    quoted = " ".join(f"'{w}'" for w in words)
    text = run("bash", "-c", f"source '{script}'; COMP_WORDS=({quoted}); COMP_CWORD={len(words) - 1}; "
               "_dmasim; printf '%s\\n' \"${COMPREPLY[@]}\"")
    return text.split()


def files_below(root):
    return {os.path.relpath(os.path.join(d, f), root) for d, _, fs in os.walk(root) for f in fs
            if not os.path.relpath(d, root).startswith("var/")}


for tool in ("dpkg", "dpkg-deb", "dpkg-shlibdeps", "file", "cpack", "pkg-config", "cc"):
    if not shutil.which(tool):
        skip(f"no {tool}")
if not os.path.exists(os.path.join(build, "CPackConfig.cmake")):
    skip("this build makes no package")
if not os.path.exists(os.path.join(build, "man", "man1", "dmasim.1")):
    skip("this build makes no manual pages (sanitizers)")

with tempfile.TemporaryDirectory() as tmp:
    run("cpack", "--config", os.path.join(build, "CPackConfig.cmake"), "-B", tmp)
    debs = glob.glob(os.path.join(tmp, "*.deb"))
    assert len(debs) == 1, debs
    control = run("dpkg-deb", "-f", debs[0])
    for library in ("libglib2.0-0", "libarchive13", "libjansson4", "libpci3"):
        assert library in control, f"{library} is not among the dependencies:\n{control}"

    root = os.path.join(tmp, "root")
    os.makedirs(os.path.join(root, "var/lib/dpkg/info"))
    os.makedirs(os.path.join(root, "var/lib/dpkg/updates"))
    open(os.path.join(root, "var/lib/dpkg/status"), "w").close()
    dpkg = ["dpkg", f"--root={root}", "--force-not-root", "--force-depends", "--force-script-chrootless"]
    before = files_below(root)
    run(*dpkg, "--install", debs[0])

    libdir = os.path.dirname(glob.glob(os.path.join(root, "usr/lib/**/libdmasim.so"), recursive=True)[0])
    installed = os.path.join(root, "usr/bin/dmasim")
    assert "dmasim" in run(installed, "--version")
    commands = [line.split()[0] for line in run(installed, "--help").splitlines() if line.startswith("  ")
                and not line.startswith("   ")]
    assert {"run", "replay", "params"} <= set(commands), commands

    man = os.path.join(root, "usr/share/man")
    for command in commands:
        page = f"{man}/man1/dmasim-{command}.1"
        assert os.path.exists(page) or os.path.exists(page + ".gz"), f"no manual page of {command}"
    for page in ("dmasim-scenario", "dmasim-trace", "dmasim-result"):
        assert glob.glob(f"{man}/man5/{page}.5*"), page
    if shutil.which("man"):
        text = run("man", "-l", glob.glob(f"{man}/man5/dmasim-scenario.5*")[0], env={**os.environ, "MANWIDTH": "80"})
        assert "entries" in text and "[iotlb]" in text
    # Every option that --help names is in the command's page.
    for command in commands:
        page = open(f"{man}/man1/dmasim-{command}.1").read().replace("\\-", "-")
        for word in run(installed, command, "--help").split():
            if word.startswith("--") and word.rstrip(",").isascii() and word[2:3].isalpha():
                assert word.rstrip(",.;)").split("=")[0] in page or word.startswith("--help"), (command, word)

    script = os.path.join(root, "usr/share/bash-completion/completions/dmasim")
    assert "replay" in completions(script, ["dmasim", "re"])
    assert "--json" in completions(script, ["dmasim", "params", "--j"])
    assert "iotlb.entries=" in completions(script, ["dmasim", "run", "--set", "iotlb.entr"])
    assert {"skylake-sp", "qemu"} <= set(completions(script, ["dmasim", "run", "--preset", ""]))
    assert "blkparse" in completions(script, ["dmasim", "replay", "--format", "blk"])
    assert "io.completed" in completions(script, ["dmasim", "query", "--per", "io."])
    assert "heat-cpu" in completions(script, ["dmasim", "plot", "--figure", "heat"])
    assert "P11" in completions(script, ["dmasim", "validate", "--only", "P1"])
    for shell in ("bash", "zsh", "fish"):
        text = run(installed, "completion", shell)
        for word in ("qi.page_span", "skylake-sp", "blkparse", "heat-cpu", "premapped"):
            assert word in text, f"{shell} completion lacks {word}"
        placeholders = [w for w in text.split() if w.startswith("@") and w[1:].isalpha()]
        assert not placeholders, f"{shell} completion offers {placeholders}"
    formats = {"native-dmt", "native-csv", "fio", "msr", "alibaba", "spc", "blkparse", "blktrace", "qemu", "ftrace"}
    page = glob.glob(f"{man}/man5/dmasim-trace.5*")[0]
    page = gzip.open(page, "rt").read() if page.endswith(".gz") else open(page).read()
    assert all(f.replace("-", "\\-") in page or f in page for f in formats), "manual of traces lacks formats"
    assert "legacy" in completions(script, ["dmasim", "run", "--api", "leg"])
    if shutil.which("zsh"):
        run("zsh", "-n", os.path.join(root, "usr/share/zsh/vendor-completions/_dmasim"))

    env = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": root,
           "PKG_CONFIG_PATH": ":".join([os.path.join(libdir, "pkgconfig")] + run("pkg-config", "--variable=pcfiledir", "glib-2.0").split())}
    work = os.path.join(tmp, "outside")
    shutil.copytree(os.path.join(root, "usr/share/doc/dmasim/examples/null-drive"), work)
    flags = [f"-I{root}/usr/include", f"-L{libdir}", "-ldmasim"] + run("pkg-config", "--cflags", "--libs", "glib-2.0").split()
    assert "-ldmasim" in run("pkg-config", "--libs", "dmasim", env=env)
    run("cc", "-Wall", "-Werror", "-D_GNU_SOURCE", "null_drive.c", *flags, "-o", "null_drive", cwd=work)
    out = run(os.path.join(work, "null_drive"), env={**os.environ, "LD_LIBRARY_PATH": libdir})
    assert "maps 1000, page-selective invalidations 1001" in out, out

    run(*dpkg, "--remove", "dmasim")
    left = files_below(root) - before
    assert not left, f"left behind: {sorted(left)[:10]}"
print("1 passed, 0 failed")
