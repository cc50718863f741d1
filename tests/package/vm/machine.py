#!/usr/bin/env python3
"""The package on a virtual machine with Debian 12, whose systemd and control groups (version 2) are the real ones.

usage: machine.py PACKAGE.deb [--accel tcg|kvm] [--shell]
Makes the machine's disk once (build/package/vm-*.img, some minutes), starts it, and runs guest.py in it; its words are on
standard output, and the exit code is 0 when all holds. Wants qemu-system-x86_64, mmdebstrap and mke2fs; takes some minutes
without KVM. Not part of scripts/test.
"""
import argparse
import hashlib
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import debian_root  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
INCLUDED = ["linux-image-cloud-amd64", "initramfs-tools", "dbus", "procps", "python3-boto3", *debian_root.BARE]
UNIT = """
[Unit]
After=multi-user.target
[Service]
Type=oneshot
TimeoutStartSec=infinity
ExecStart=/bin/sh -c 'exec >/dev/ttyS0 2>&1; mkdir /payload && tar -C /payload -xf /dev/vdb && python3 -u /payload/guest.py; echo "guest: exit code $$?"'
ExecStopPost=/bin/systemctl poweroff --force
[Install]
WantedBy=graphical.target
"""


def dependencies(package):
    """The names of the packages that it needs: the machine has no network to get them from."""
    depends = subprocess.run(["dpkg-deb", "-f", package, "Depends"], check=True, capture_output=True, text=True).stdout
    return [word.split()[0] for word in depends.split(",")]


def disk(package):
    """(image, kernel, initial ramdisk)"""
    included = INCLUDED + dependencies(package)
    recipe = hashlib.sha256(repr((included, UNIT)).encode()).hexdigest()[:16]
    stem = debian_root.ROOT / f"build/package/vm-{recipe}"
    image, kernel, ramdisk = (stem.with_suffix(end) for end in (".img", ".vmlinuz", ".initrd"))
    if image.exists():
        return image, kernel, ramdisk
    stem.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="headrace_vm_") as folder:
        root = pathlib.Path(folder) / "root"
        subprocess.run(["mmdebstrap", "--variant=minbase", "--include=" + ",".join(included), "--format=directory", "bookworm", root,
                        *debian_root.mirror()], check=True)
        (root / "etc/systemd/system/headrace-guest.service").write_text(UNIT)
        wanted = root / "etc/systemd/system/graphical.target.wants"
        wanted.mkdir(exist_ok=True)
        (wanted / "headrace-guest.service").symlink_to("../headrace-guest.service")
        (root / "etc/systemd/system/serial-getty@ttyS0.service").symlink_to("/dev/null")
        (root / "etc/hostname").write_text("guest\n")
        shutil.copy(next((root / "boot").glob("vmlinuz-*")), kernel)
        shutil.copy(next((root / "boot").glob("initrd.img-*")), ramdisk)
        partial = image.with_suffix(".partial")
        with open(partial, "wb") as file:
            file.truncate(6 << 30)
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", root, partial], check=True)
        partial.rename(image)
    return image, kernel, ramdisk


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("package", type=pathlib.Path)
    parser.add_argument("--accel", default="tcg", help="kvm where the machine has it")
    parser.add_argument("--seconds", type=int, default=1500)
    options = parser.parse_args()
    image, kernel, ramdisk = disk(options.package)
    good = False
    with tempfile.TemporaryDirectory(prefix="headrace_vm_") as folder:
        payload = pathlib.Path(folder) / "payload.tar"
        with tarfile.open(payload, "w") as tar:
            tar.add(HERE / "guest.py", "guest.py")
            tar.add(options.package, "headrace.deb")
        with open(payload, "ab") as file:  # a disk of whole blocks
            file.truncate((payload.stat().st_size + (1 << 20)) >> 20 << 20)
        machine = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", options.accel, "-cpu", "max" if options.accel == "tcg" else "host", "-smp", "2", "-m", "4096",
             "-kernel", kernel, "-initrd", ramdisk, "-append", "root=/dev/vda rw console=ttyS0 quiet systemd.unit=graphical.target",
             "-drive", f"file={image},if=virtio,format=raw,snapshot=on", "-drive", f"file={payload},if=virtio,format=raw,readonly=on",
             "-nographic", "-no-reboot", "-nic", "none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
        timer = subprocess.Popen(["sleep", str(options.seconds)])
        try:
            for line in machine.stdout:
                print(line.rstrip(), flush=True)
                good = good or line.strip() == "guest: exit code 0"
                if timer.poll() is not None or line.startswith("guest: exit code"):
                    break
        finally:
            timer.kill()
            machine.kill()
            machine.wait()
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
