"""Machines of a cluster on this one: network namespaces with an address each on one switch, and mpirun on its own address beside them.

Each machine has its own network, processes, name and /dev/shm; what they share is the file system, as a cluster's machines do.
"""
import contextlib
import itertools
import os
import pathlib
import subprocess

BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))
NETWORK = "10.77.0"  # seen inside the namespaces alone, so it meets no network of this machine

FAKE_HOST = pathlib.Path(__file__).resolve().parents[1] / "fake-host"


class CannotMake(Exception):
    """This machine makes no network namespaces; the text says why."""


# Kernels repeat what nobody acknowledges for a quarter of an hour, and mpirun asks a daemon that says nothing after five minutes. So
# a machine is given up within seconds, whether or not somebody speaks to it (docs/clusters.md).
IMPATIENT = "echo 3 >/proc/sys/net/ipv4/tcp_retries2"
KEEPALIVE = ["--mca", "oob_tcp_keepalive_time", "2", "--mca", "oob_tcp_keepalive_intvl", "1", "--mca", "oob_tcp_keepalive_probes", "2"]


def ip(*arguments):
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    except FileNotFoundError:
        raise CannotMake("there is no ip command (Debian's package iproute2)") from None
    if done.returncode != 0:
        raise CannotMake(f"ip {' '.join(arguments)}: {done.stderr.strip()}")


class Machines:
    """`count` machines; the switch is a namespace of its own, in which mpirun runs. Several clusters may be there at once."""

    numbers_of_clusters = itertools.count()

    def __init__(self, count, slots, directory):
        self.name, self.count, self.directory = f"headrace-{os.getpid()}-{next(self.numbers_of_clusters)}", count, directory
        self.hostfile = directory / "hostfile"
        self.hostfile.write_text("".join(f"{NETWORK}.{i} slots={slots}\n" for i in self.numbers()))
        # Called by mpirun as ssh would be.
        self.agent = " ".join([str(FAKE_HOST), *(f"-n {NETWORK}.{i}={self.name}-{i}" for i in self.numbers())])
        try:
            self._connect()
        except CannotMake:
            self.remove()
            raise

    def numbers(self):
        return range(1, self.count + 1)

    def _connect(self):
        switch = f"{self.name}-switch"
        ip("netns", "add", switch)
        ip("-n", switch, "link", "set", "lo", "up")
        ip("-n", switch, "link", "add", "switch", "type", "bridge")
        ip("-n", switch, "addr", "add", f"{NETWORK}.254/24", "dev", "switch")
        ip("-n", switch, "link", "set", "switch", "up")
        ip("netns", "exec", switch, "sh", "-c", IMPATIENT)
        for i in self.numbers():
            machine = f"{self.name}-{i}"
            ip("netns", "add", machine)
            ip("netns", "exec", machine, "sh", "-c", IMPATIENT)
            ip("-n", machine, "link", "set", "lo", "up")
            ip("-n", switch, "link", "add", f"port{i}", "type", "veth", "peer", "name", "eth0", "netns", machine)
            ip("-n", switch, "link", "set", f"port{i}", "master", "switch", "up")
            ip("-n", machine, "addr", "add", f"{NETWORK}.{i}/24", "dev", "eth0")
            ip("-n", machine, "link", "set", "eth0", "up")

    def unplug(self, number):
        ip("-n", f"{self.name}-switch", "link", "set", f"port{number}", "down")

    def start(self, program, *arguments, ranks, **environment):
        """mpirun of a program of this build, its output in one pipe."""
        variables = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "TMPDIR": str(self.directory), **environment}
        exports = [part for name in environment for part in ("-x", name)]
        command = ["ip", "netns", "exec", f"{self.name}-switch", "mpirun", "-np", str(ranks), "--hostfile", self.hostfile, "--map-by", "node",
                   "-bind-to", "none", "--mca", "plm_rsh_agent", self.agent, "--leave-session-attached", "--mca", "btl", "tcp,vader,self",
                   "--mca", "btl_tcp_if_include", f"{NETWORK}.0/24", "--mca", "oob_tcp_if_include", f"{NETWORK}.0/24",
                   *KEEPALIVE, *exports, BIN / program, *arguments]
        return subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **variables})

    def run(self, program, *arguments, ranks, timeout=180, **environment):
        """The exit code and the output."""
        with self.start(program, *arguments, ranks=ranks, **environment) as process:
            try:
                output, _ = process.communicate(timeout=timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        return process.returncode, output

    def remove(self):
        for name in ("switch", *self.numbers()):
            with contextlib.suppress(CannotMake):
                ip("netns", "del", f"{self.name}-{name}")
