"""A SLURM of one's own: one node on the loopback, started and ended by the tests."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo", "scontrol", "scancel")
CLIENTS = PROGRAMS[3:]

CONFIGURATION = """\
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={port}
SlurmdPort={node_port}
AuthType=auth/munge
AuthInfo=socket={room}/munge.socket
CredType=cred/munge
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={room}/state
SlurmdSpoolDir={room}/spool
SlurmctldPidFile={room}/slurmctld.pid
SlurmdPidFile={room}/slurmd.pid
SlurmctldLogFile={room}/slurmctld.log
SlurmdLogFile={room}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
MinJobAge=3600
ReturnToService=2
SchedulerParameters=sched_interval=1,batch_sched_delay=0
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory={memory} State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """List the programs that are not here."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    return [name for name in PROGRAMS if shutil.which(name, path=path) is None]


@contextmanager
def cluster(memory: int = 6000) -> Iterator[dict[str, str]]:
    """Start a cluster, and give the environment in which its commands are found; in the end nothing of it is left."""
    room = Path(tempfile.mkdtemp(prefix="slurm-"))  # munged wants a socket that everybody could get to
    room.chmod(0o755)
    host = socket.gethostname().partition(".")[0]
    for name in ("state", "spool", "bin"):
        (room / name).mkdir()
    configuration = room / "slurm.conf"
    port, node_port = _free_port(), _free_port()
    configuration.write_text(
        CONFIGURATION.format(
            host=host, port=port, node_port=node_port, room=room, user=getpass.getuser(), memory=memory
        )
    )
    key = room / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o600)
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    for name in CLIENTS:
        # The job step takes SLURM_CONF away from what it starts, and a client may wait for a node for ever.
        wrapped = room / "bin" / name
        limit = "" if name == "srun" else "timeout 60 "
        wrapped.write_text(
            f'#!/bin/sh\nSLURM_CONF={configuration} exec {limit}{shutil.which(name, path=path)} "$@"\n'
        )
        wrapped.chmod(0o755)
    environment = {**os.environ, "SLURM_CONF": str(configuration), "PATH": f"{room}/bin:{path}"}
    munge = [f"--key-file={key}", f"--socket={room}/munge.socket", f"--pid-file={room}/munge.pid"]
    munge += [f"--log-file={room}/munge.log", f"--seed-file={room}/munge.seed"]
    daemons: list[subprocess.Popen[bytes]] = []

    def begin(name: str, *arguments: str) -> None:
        said = (room / f"{name}.said").open("wb")
        program = shutil.which(name, path=path)
        assert program
        daemons.append(
            subprocess.Popen([program, *arguments], env=environment, stdout=said, stderr=subprocess.STDOUT)
        )

    try:
        begin("munged", "--foreground", *munge)
        _wait((room / "munge.socket").exists, room)
        begin("slurmctld", "-D")
        begin("slurmd", "-D")
        _wait(lambda: "idle" in _said(environment, "sinfo", "--noheader", "--format=%T"), room)
        yield environment
    finally:
        _said(environment, "scancel", f"--user={getpass.getuser()}")
        time.sleep(1)
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
        shutil.rmtree(room, ignore_errors=True)


def _said(environment: dict[str, str], *command: str) -> str:
    program = str(Path(environment["SLURM_CONF"]).parent / "bin" / command[0])
    return subprocess.run(
        [program, *command[1:]], env=environment, capture_output=True, text=True, check=False
    ).stdout


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait(ready: Callable[[], bool], room: Path, seconds: int = 60) -> None:
    for _ in range(seconds * 5):
        if ready():
            return
        time.sleep(0.2)
    told = "\n".join(
        f"{path.name}: {path.read_text(errors='replace')[-2000:]}"
        for path in [*room.glob("*.said"), *room.glob("*.log")]
    )
    raise AssertionError(f"the cluster does not start\n{told}")
