# SPDX-License-Identifier: GPL-2.0-or-later
"""A small guest: Debian's kernel, busybox, dmasim with its libraries, one NVMe drive behind an emulated VT-d unit.

The guest has no other device: it leaves its results as a tar archive at the beginning of the drive.
"""
import pathlib
import shutil
import subprocess
import tarfile
import tempfile

from debian_kernel import Unavailable, image, modules

HERE = pathlib.Path(__file__).resolve().parent
DRIVE_BYTES = 1 << 30
# Software emulation on two slow cores; a boot takes less than a minute on an idle machine.
TIMEOUT_S = 600


def needs(program, package):
    path = shutil.which(program)
    if path is None:
        raise Unavailable(f"{program} is not installed (Debian package: {package})")
    return path


def libraries(binary):
    """The shared libraries of a program, with the dynamic loader, as the host resolves them."""
    for line in subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout.split("\n"):
        for word in line.split():
            if word.startswith("/"):
                yield word


def initramfs(folder, version, dmasim, out):
    busybox = needs("busybox", "busybox-static")
    with tempfile.TemporaryDirectory(prefix="dmasim-guest-") as tmp:
        root = pathlib.Path(tmp)
        root.chmod(0o755)
        for name in ("bin", "proc", "sys", "dev", "tmp", "modules", "etc"):
            (root / name).mkdir()
        shutil.copy(busybox, root / "bin" / "busybox")
        shutil.copy(dmasim, root / "bin" / "dmasim")
        for library in libraries(dmasim):
            target = root / library.lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
        order = []
        for name, content in modules(folder, version, "nvme"):
            (root / "modules" / name).write_bytes(content)
            order.append(name)
        (root / "modules" / "order").write_text("\n".join(order) + "\n")
        for name in ("init", "load"):
            shutil.copy(HERE / name, root / name)
            (root / name).chmod(0o755)
        names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
        with open(out, "wb") as archive:
            subprocess.run([needs("cpio", "cpio"), "-o", "-H", "newc", "--quiet"], cwd=root, input=names, stdout=archive,
                           check=True)


def boot(folder, version, dmasim, work, arguments):
    """Boot once; the guest's results end up in work/results."""
    qemu = needs("qemu-system-x86_64", "qemu-system-x86")
    drive, initrd, console = work / "drive.raw", work / "initrd.cpio", work / "console.log"
    initramfs(folder, version, dmasim, initrd)
    with open(drive, "wb") as f:
        f.truncate(DRIVE_BYTES)
    command = [qemu, "-machine", "q35,kernel-irqchip=split", "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "2G",
               "-smp", "2", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-device", "intel-iommu,intremap=on,caching-mode=off,device-iotlb=off,aw-bits=48",
               "-serial", f"file:{console}",
               "-drive", f"file={drive},if=none,id=drive,format=raw,cache=unsafe", "-device", "nvme,drive=drive,serial=test",
               "-kernel", str(image(folder, version)), "-initrd", str(initrd),
               "-append", f"console=ttyS0,115200 quiet panic=-1 no_timer_check intel_iommu=on {arguments}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)
        problem = done.stderr if done.returncode else None
    except subprocess.TimeoutExpired:
        problem = f"the guest did not end within {TIMEOUT_S} s"
    text = console.read_text(errors="replace") if console.exists() else ""
    if problem or "guest done" not in text:
        raise RuntimeError(f"{problem or 'the guest broke off'}\nend of its console:\n{text[-3000:]}")
    with tarfile.open(drive) as results:
        results.extractall(work / "results", filter="data")
    for path in (drive, initrd):
        path.unlink()
    return work / "results"
