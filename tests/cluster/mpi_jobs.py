"""MPI jobs of two instances that something happens to."""
import os
import pathlib
import time
import uuid

# See there; a source of jobs as it stands.
PROGRAM_WITH_FAULTS = (pathlib.Path(__file__).parent / "fault_phases.cc").read_text()

# Seconds until a rank is named, and until it is an error.
QUICK_LIMITS = {"HOROVOD_STALL_CHECK_TIME_SECONDS": "1", "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS": "3"}

# Steps with an allreduce each; rank 0 tells of each. `--steps`: how many; `--late 1`, `--linger 1`: rank 1 waits before MPI_Init,
# or before MPI_Finalize, in which rank 0 is then.
STEPS = r"""
#include <mpi.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
int main(int argc, char** argv) {
  int steps = 1 << 20, late = 0, linger = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--steps") == 0) steps = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--late") == 0) late = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--linger") == 0) linger = std::atoi(argv[i + 1]);
  }
  std::setvbuf(stdout, nullptr, _IOLBF, BUFSIZ);
  const int rank = std::atoi(std::getenv("OMPI_COMM_WORLD_RANK"));
  if (late != 0) std::printf("before init of %d\n", rank);
  if (rank == 1 && late != 0) sleep(600);
  MPI_Init(&argc, &argv);
  for (int step = 0; step < steps; ++step) {
    int sum = 0;
    MPI_Allreduce(&step, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
    if (rank == 0) std::printf("step %d\n", step);
    usleep(10000);
  }
  if (linger != 0) std::printf("before the end of %d\n", rank);
  if (rank == 1 && linger != 0) sleep(600);
  MPI_Finalize();
}
"""


class Job:
    """A running job, and its processes."""

    def __init__(self, server, account, program, hyperparameters=None, **more):
        self.server, self.account = server, account
        self.marker = uuid.uuid4().hex
        self.name = account.mpi({"program.cpp": program}, "program.cpp", {"marker": self.marker, **(hyperparameters or {})}, **more)
        self.directory = None

    def wait_for(self, text):
        self.account.wait_for_line(self.name, "algo-1", text, 120)
        self.find_directory()

    def find_directory(self):
        self.directory = next(pathlib.Path(self.server.directory, "jobs").glob(f"*/{self.name}"))

    def supervisor(self, host):
        return int((self.directory / "hosts" / host / "supervisor.lock").read_text())

    def below(self, pid):
        found = [pid]
        for parent in found:
            for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
                found += map(int, task.read_text().split())
        return found[1:]

    def named(self, host, name):
        for pid in self.below(self.supervisor(host)):
            if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == name:
                return pid
        raise AssertionError(f"no {name} on {host}")

    def find(self, who, host):
        if who == "supervisor":
            return self.supervisor(host)
        if who == "rank":  # the program itself, below its guard
            return self.below(self.named(host, "headrace-rank"))[0]
        return self.named(host, who)

    def left(self):
        """Processes that name the job's marker or the data directory's part of it."""
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                except OSError:
                    continue
                if self.marker in command or str(self.directory) in command:
                    found.append((entry.name, command[:200]))
        return found

    def none_left(self):
        deadline = time.monotonic() + 5
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not self.left()

    def steps(self):
        mark = "[1,mpirank:0,algo-1]<stdout>:step "
        return [int(line[len(mark):]) for line in self.account.log(self.name, "algo-1") if line.startswith(mark)]
