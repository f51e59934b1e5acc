#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""libdmasim.so exports what the public headers mark with DMASIM_API, and nothing else; each header stands alone."""
import glob
import os
import re
import shutil
import subprocess
import sys

build = os.path.dirname(os.path.abspath(sys.argv[1]))
source = os.environ["DMASIM_SOURCE"]
library = os.path.join(build, "libdmasim.so")
if not os.path.exists(library) or not shutil.which("nm") or not shutil.which("cc"):
    print("SKIP: no shared library, nm or cc")
    sys.exit(77)

declared = set()
headers = sorted(glob.glob(os.path.join(source, "include/dmasim/*.h")))
for header in headers:
    text = re.sub(r"/\*.*?\*/", "", open(header).read(), flags=re.S)
    # A public header needs no other floor's, and whoever includes it alone can compile.
    assert not re.search(r'#include "', text), f"{header} includes a header of the tree"
    for statement in re.findall(r"^DMASIM_API ([^;]*);", text, flags=re.M):
        statement = re.sub(r"G_GNUC_\w+(\s*\([^)]*\))?", "", statement)
        function = re.search(r"(\w+)\s*\(", statement)
        if function:
            declared.add(function.group(1))
            continue
        for part in statement.split(","):  # data: the last word before the brackets
            declared.add(re.findall(r"\w+", part.split("[")[0])[-1])
    glib = subprocess.run(["pkg-config", "--cflags", "glib-2.0"], capture_output=True, text=True).stdout.split()
    done = subprocess.run(["cc", "-std=gnu11", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-x", "c",
                           f"-I{source}/include", *glib, "-"], input=f"#include <dmasim/{os.path.basename(header)}>\n",
                          capture_output=True, text=True)
    assert done.returncode == 0, f"{header} does not stand alone:\n{done.stderr}"

out = subprocess.run(["nm", "-D", "--defined-only", library], capture_output=True, text=True, check=True).stdout
exported = {line.split()[2].split("@")[0] for line in out.splitlines()
            if len(line.split()) == 3 and line.split()[1] in "TDBRVW"}
assert exported == declared, (f"exported but not declared: {sorted(exported - declared)}\n"
                              f"declared but not exported: {sorted(declared - exported)}")
major = re.search(r"project\(dmasim VERSION (\d+)", open(os.path.join(source, "CMakeLists.txt")).read()).group(1)
dynamic = subprocess.run(["objdump", "-p", library], capture_output=True, text=True).stdout
assert f"libdmasim.so.{major}" in dynamic and f"DMASIM_{major}" in dynamic, dynamic
print(f"1 passed, 0 failed ({len(exported)} symbols, {len(headers)} headers)")
