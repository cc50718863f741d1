"""docs/guide.md as somebody follows it. The installation on this machine, where all is compiled already; then, from the Debian
package on a bare Debian 12, every other command to the end: a stranger's clock, which is printed."""
import os
import re
import shutil
import time

import pytest

import pages
from conftest import ROOT

STEPS = pages.steps(ROOT / "docs/guide.md")
INSTALL, FIRST_FIT = "1. Install", "5. Your notebook"


def test_the_installation():
    """Its packages are there and its compilation has been done by now."""
    home = ROOT / "build/package/guide"
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    text = "".join(step.script() for step in STEPS if step.section == INSTALL)
    said = pages.paste(f"cd {ROOT}\n{text}", home, {**os.environ, "HOME": str(home)}, f"{home}/.local/bin/headrace --version", offline=False)
    assert said.splitlines()[-1].startswith("headrace ")
    shutil.rmtree(home)


def test_a_strangers_clock(bare_debian, package, capsys):
    """What a machine's pip needs to reach its packages goes with it."""
    kept = [f"{name}={value}" for name, value in os.environ.items() if re.fullmatch(r"(PIP_.*|.*_proxy|.*_PROXY)", name)]
    shutil.copy(package, bare_debian.path / "root/headrace.deb")
    began = time.monotonic()
    bare_debian.run("apt-get", "install", "-y", "--no-install-recommends", "/root/headrace.deb", "python3-venv")
    installed = time.monotonic() - began
    for path in ("/etc/pip.conf", "/etc/ssl/certs/ca-certificates.crt"):
        if os.path.exists(path):
            (bare_debian.path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, bare_debian.path / path[1:])
    (bare_debian.path / "root/guide.sh").write_text(pages.timed([step for step in STEPS if step.section != INSTALL]))
    said = bare_debian.run("env", "HOME=/root", "HEADRACE_LISTEN=127.0.0.1:0", *kept, "bash", "/root/guide.sh", seconds=1200)
    took = re.findall(r"^took (\d+) s: (.*)$", said, re.M)
    assert [section for _, section in took] == list(dict.fromkeys(step.section for step in STEPS if step.section != INSTALL))
    assert "Completed - Training job completed" in said and "accuracy: " in said
    assert re.search(r"'predictions': \[\[0\.\d+, 0\.\d+\], \[0\.\d+, 0\.\d+\]\]", said), said[-3000:]
    assert "⠀" in said, "curves"
    clock, lines = installed, [f"{installed:6.0f} s  apt install ./headrace.deb (in place of the guide's first section)"]
    for seconds, section in took:
        clock += int(seconds)
        lines.append(f"{int(seconds):6} s  {section}" + (f"    <- the first fit() has finished {clock:.0f} s after the package was there"
                                                       if section == FIRST_FIT else ""))
    with capsys.disabled():
        print("\na stranger's clock, on a bare Debian 12:", *lines, sep="\n")
