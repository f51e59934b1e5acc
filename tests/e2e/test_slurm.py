# SPDX-License-Identifier: GPL-2.0-or-later
"""A sweep as a Slurm job array, on a real one-node cluster that this test starts; a worker is killed."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

from support import BINARY, check, failures, finish, run, scratch, sweep_content as content

for tool in ("slurmctld", "slurmd", "munged", "sbatch", "sinfo"):
    if not shutil.which(tool):
        print(f"SKIP: no {tool} (packages slurm-wlm and munge)")
        sys.exit(77)
if os.geteuid() != 0:
    print("SKIP: the daemons of this test run as root")
    sys.exit(77)

SCENARIO = "[compare]\niommu = strict\n[workload]\ngenerator = nvme\nrequests = 60000\n"
CONFIG = """ClusterName=dmasim
SlurmctldHost={host}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={tmp}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmctldPort={port}
SlurmdPort={port1}
StateSaveLocation={tmp}/state
SlurmdSpoolDir={tmp}/spool
SlurmctldPidFile={tmp}/slurmctld.pid
SlurmdPidFile={tmp}/slurmd.pid
SlurmctldLogFile={tmp}/slurmctld.log
SlurmdLogFile={tmp}/slurmd.log
MpiDefault=none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
KillWait=2
NodeName={host} CPUs={cpus} RealMemory=500 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def free_ports():
    with socket.socket() as a, socket.socket() as b:
        a.bind(("127.0.0.1", 0))
        b.bind(("127.0.0.1", 0))
        return a.getsockname()[1], b.getsockname()[1]


def start_munge(tmp):
    key = tmp / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    return subprocess.Popen(["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={tmp}/munge.socket",
                             f"--pid-file={tmp}/munged.pid", f"--log-file={tmp}/munged.log",
                             f"--seed-file={tmp}/munged.seed"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def start_cluster(tmp):
    host = socket.gethostname().split(".")[0]
    port, port1 = free_ports()
    config = tmp / "slurm.conf"
    config.write_text(CONFIG.format(host=host, tmp=tmp, port=port, port1=port1, cpus=os.cpu_count()))
    os.environ["SLURM_CONF"] = str(config)
    (tmp / "state").mkdir()
    (tmp / "spool").mkdir()
    daemons = [start_munge(tmp)]
    time.sleep(1)
    daemons.append(subprocess.Popen(["slurmctld", "-D", "-f", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    time.sleep(1)
    daemons.append(subprocess.Popen(["slurmd", "-D", "-f", config, "-N", host], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.DEVNULL))
    for _ in range(60):
        state = subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True)
        if "idle" in state.stdout:
            return daemons
        time.sleep(0.5)
    print(f"SKIP: the cluster does not come up here: {state.stdout}{state.stderr}")
    for name in ("slurmctld.log", "slurmd.log"):
        if (tmp / name).exists():
            print((tmp / name).read_text()[-800:])
    stop(daemons)
    sys.exit(77)


def stop(daemons):
    for daemon in reversed(daemons):
        daemon.terminate()
        try:
            daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:
            daemon.kill()


def kill_a_worker(output, done, killed):
    """One process that runs a point of this sweep, as soon as there is one."""
    while not done.is_set() and not killed:
        for entry in filter(str.isdigit, os.listdir("/proc")):
            try:
                words = open(f"/proc/{entry}/cmdline").read().split("\0")
            except OSError:
                continue
            if words[1:2] == ["run"] and any(w.startswith(f"{output}/points/") for w in words):
                os.kill(int(entry), signal.SIGKILL)
                killed.append(entry)
                return
        time.sleep(0.002)


folder, tmp = scratch()
with folder:
    daemons = start_cluster(tmp)
    try:
        scenario = tmp / "s.ini"
        scenario.write_text(SCENARIO)
        axes = ["--vary", "iotlb.entries=16..96+16"]
        ended, killed = threading.Event(), []
        killer = threading.Thread(target=kill_a_worker, args=(tmp / "slurm", ended, killed))
        killer.start()
        done = run("sweep", scenario, "-o", tmp / "slurm", "--on", "slurm", *axes)
        ended.set()
        killer.join()
        check(done.returncode == 0 and b"6 of 6 points" in done.stderr, "sweep on Slurm", done)
        check(bool(killed), "no worker was there to be killed")
        run("sweep", scenario, "-o", tmp / "local", *axes)
        check(content(tmp / "slurm") == content(tmp / "local"), "Slurm gives the same content as this machine alone")
        again = run("sweep", scenario, "-o", tmp / "slurm", "--on", "slurm", *axes)
        check(b"(6 were there)" in again.stderr, "collecting is idempotent", again)
        if failures:
            for name in ("slurmctld.log", "slurmd.log"):
                print((tmp / name).read_text()[-1500:], file=sys.stderr)
    finally:
        stop(daemons)
finish()
