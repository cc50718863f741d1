"""A bare Debian 12 in a directory, and systemd as its first process: what test_deb.py and test_guide.py install the package in.

usage: debian_root.py    makes or renews build/package/debian.tar, which tests unpack: scripts/test does it while it compiles
"""
import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Debian without anything, and the init system that services run under.
BARE = ["systemd", "systemd-sysv"]
# Downloaded, not installed: large packages that apt would else fetch while a test waits.
AHEAD = ["g++", "python3", "python3-venv", "bubblewrap", "adduser", "libdnnl2", "libhdf5-103-1", "libcurl4", "libarchive13", "libcairo2",
         "libprotobuf32", "libspdlog1.10", "libgomp1", "libopenmpi3", "fonts-dejavu-core", "ca-certificates"]
# Where roots lie: dpkg writes through to the disk after every file, and disks that discard take a minute to delete a root.
MEMORY = "/dev/shm" if os.path.ismount("/dev/shm") and shutil.disk_usage("/dev/shm").free > 4 << 30 else None
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}


def why_not():
    """The reason why this machine cannot do it, or None."""
    if os.geteuid() != 0:
        return "only root can make a Debian root"
    if shutil.which("mmdebstrap") is None:
        return "mmdebstrap is missing"
    if subprocess.run(["unshare", "-C", "-m", "-p", "-u", "-i", "--fork", "true"], capture_output=True).returncode != 0:
        return "this machine gives no namespaces"
    return None


def mirror():
    """Where this machine's apt has Debian 12 from, in a list; an empty one where it has none: mmdebstrap then takes its own."""
    told = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI)", "Codename: bookworm", "Created-By: Packages"],
                          capture_output=True, text=True).stdout.split()
    return [told[0].rstrip("/")] if told else []


def archive():
    """build/package/debian.tar, made if it is not there."""
    recipe = hashlib.sha256(repr((mirror(), BARE, AHEAD)).encode()).hexdigest()[:16]
    tar = ROOT / f"build/package/debian-{recipe}.tar"
    if not tar.exists():
        tar.parent.mkdir(parents=True, exist_ok=True)
        partial = tar.with_suffix(".partial.tar")
        command = ["mmdebstrap", "--variant=minbase", "--include=" + ",".join(BARE), "--skip=cleanup/apt/lists,cleanup/apt/cache",
                   "--customize-hook=chroot \"$1\" apt-get install -qq --download-only -y --no-install-recommends " + " ".join(AHEAD),
                   "bookworm", str(partial), *mirror()]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env={**os.environ, **({"TMPDIR": MEMORY} if MEMORY else {})})
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}:\n{done.stdout[-4000:]}")
        partial.rename(tar)
    return tar


class Debian:
    """A root directory of one's own; commands run in it, with or without systemd as its first process."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="headrace_debian_", dir=MEMORY))
        subprocess.run(["tar", "-C", self.path, "-xf", archive()], check=True)
        (self.path / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
        shutil.copy("/etc/resolv.conf", self.path / "etc/resolv.conf")
        shutil.copy("/etc/hosts", self.path / "etc/hosts")
        self.init = None
        self.cgroup = None

    # Mounts what a container has. Then: $1 as first process ("" for a command alone).
    MOUNTS = r"""
set -e
cd "$1"; shift
mount --make-rprivate /
mount --rbind . . && cd "$PWD"
mount -t proc proc proc
mount -t sysfs -o ro sysfs sys
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for device in null zero full random urandom tty; do touch dev/$device; mount --bind /dev/$device dev/$device; done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
mount -t tmpfs tmpfs dev/shm
[ -z "$HEADRACE_CGROUP" ] || mount -t cgroup2 cgroup2 sys/fs/cgroup
pivot_root . mnt  # not chroot: processes below one may not make user namespaces
exec chroot . bash -c 'umount -l /mnt && exec env -i "$@"' bash "$@"
"""

    def command(self, *words):
        """The words that run a command inside."""
        variables = [f"{name}={value}" for name, value in ENVIRONMENT.items()]
        words = [str(word) for word in words]
        if self.init is None:
            return ["unshare", "-m", "-p", "-u", "-i", "--fork", "--kill-child", "bash", "-c", self.MOUNTS, "bash", str(self.path),
                    *variables, *words]
        return ["nsenter", "-t", str(self.pid), "-m", "-p", "-u", "-i", "-C", "-r", "-w", "env", "-i", *variables, *words]

    def run(self, *words, check=True, seconds=300):
        done = subprocess.run(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(map(str, words))}: {done.returncode}\n{done.stdout}")
        return done.stdout if check else done

    def boot(self, seconds=60):
        """systemd as process 1, in a control group of its own; returns when it has started all, or why it cannot."""
        mounted = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text().splitlines()]
        groups = [fields[1] for fields in mounted if fields[2] == "cgroup2" and os.access(fields[1], os.W_OK)]
        if not groups:
            return "there is no cgroup2 file system to write to"
        self.cgroup = pathlib.Path(groups[0]) / self.path.name
        self.cgroup.mkdir()
        variables = ["container=headrace-test", "PATH=" + ENVIRONMENT["PATH"]]
        enter = f"echo 0 >{self.cgroup}/cgroup.procs && exec unshare -C -m -p -u -i --fork --kill-child bash -c \"$0\" bash \"$@\""
        self.init = subprocess.Popen(
            ["bash", "-c", enter, self.MOUNTS, str(self.path), *variables, "/lib/systemd/systemd"], stdin=subprocess.DEVNULL,
            stdout=open(self.path.with_suffix(".log"), "wb"), stderr=subprocess.STDOUT, env={**os.environ, "HEADRACE_CGROUP": "1"},
            start_new_session=True)
        deadline = time.monotonic() + seconds
        state = ""
        while time.monotonic() < deadline and self.init.poll() is None:
            children = pathlib.Path(f"/proc/{self.init.pid}/task/{self.init.pid}/children").read_text().split()
            if children:
                self.pid = int(children[0])
                done = self.run("systemctl", "is-system-running", check=False)
                state = done.stdout.strip()
                if state in ("running", "degraded"):
                    return None
            time.sleep(0.2)
        said = self.path.with_suffix(".log").read_text(errors="replace")[-1000:]
        self.halt()
        return f"systemd does not come up here: {state} {said}"

    def halt(self):
        if self.init is not None:
            with contextlib.suppress(ProcessLookupError):
                self.init.kill()  # and with it, by --kill-child, everything inside
            self.init.wait()
            self.init = None

    def remove(self):
        self.halt()
        for _ in range(100):
            with contextlib.suppress(OSError):
                for group in sorted(self.cgroup.rglob("*/"), reverse=True) if self.cgroup else []:
                    group.rmdir()
                if self.cgroup:
                    self.cgroup.rmdir()
                break
            time.sleep(0.1)
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.with_suffix(".log").unlink(missing_ok=True)


if __name__ == "__main__":
    print(why_not() or f"debian root: {archive()}")
