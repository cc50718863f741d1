"""mpirun for programs of several ranks: on one host, and on "hosts" that are sandboxes of their own on this machine."""
import dataclasses
import itertools
import os
import pathlib
import shutil
import subprocess
import time

import pytest

BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", pathlib.Path(__file__).resolve().parents[1] / "build/release/bin"))

FAKE_HOST = pathlib.Path(__file__).resolve().parent / "fake-host"


@dataclasses.dataclass
class Run:
    output: str
    code: int
    seconds: float

    def of_rank(self, rank):
        return [line.removeprefix(f"rank {rank}: ") for line in self.output.splitlines() if line.startswith(f"rank {rank}: ")]


@pytest.fixture
def mpirun(tmp_path):
    """mpirun(program, …): its Run. Several threads may call it."""
    if shutil.which("mpirun") is None:
        pytest.skip("there is no mpirun on this machine")
    numbers = itertools.count()

    def run(program, *arguments, ranks=2, hosts=None, timeout=120, share=True, **environment):
        number = next(numbers)
        shared, temporary = tmp_path / f"shared-memory-{number}", tmp_path / f"t{number}"  # a short name: sockets are in it
        shared.mkdir()
        temporary.mkdir()  # two mpiruns that make their directories in one at the same moment may both fail
        where = ["-np", str(ranks), "--oversubscribe"]
        if hosts:
            if subprocess.run(["bwrap", "--bind", "/", "/", "--unshare-pid", "true"], capture_output=True).returncode:
                pytest.skip("bubblewrap cannot make namespaces here")
            where += ["--host", ",".join(hosts), "--leave-session-attached",
                      "--mca", "plm_rsh_agent", FAKE_HOST, "--mca", "plm_rsh_no_tree_spawn", "1",
                      "--mca", "btl", "tcp,vader,self", "--mca", "btl_tcp_if_include", "lo", "--mca", "oob_tcp_if_include", "lo"]
        variables = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "TMPDIR": str(temporary), **environment}
        if share:
            variables["HEADRACE_SHARED_MEMORY_DIR"] = str(shared)
        exports = [part for name in ("HEADRACE_SHARED_MEMORY_DIR", *environment) if name in variables for part in ("-x", name)]
        started = time.monotonic()
        done = subprocess.run(["mpirun", "-bind-to", "none", *where, *exports, BIN / program, *arguments], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=timeout, env={**os.environ, **variables})
        result = Run(done.stdout, done.returncode, time.monotonic() - started)
        if share:
            assert not list(shared.iterdir()), "shared memory was left behind"
        return result

    return run
