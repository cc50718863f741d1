"""An installation of the build under test, and the fixtures of tests/platform_fixtures.py."""
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

for folder in (".", "scenario"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))
from platform_fixtures import *  # noqa: E402,F401,F403
from platform_fixtures import BIN, ROOT  # noqa: E402

import debian_root  # noqa: E402

BUILD = BIN.parent
COMPILERS = ("g++", "clang++-14")


def run(*command, environment=None, directory=None, seconds=600):
    """What the command printed; its whole output in the error when it fails."""
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=directory,
                          env={**os.environ, **(environment or {})}, timeout=seconds)
    assert done.returncode == 0, f"{' '.join(map(str, command))}: {done.returncode}\n{done.stdout}"
    return done.stdout


@pytest.fixture(scope="session")
def prefix():
    """cmake --install BUILD --prefix DIRECTORY. Not below /tmp, where a job sees its own files."""
    directory = ROOT / "build/package/prefix"
    shutil.rmtree(directory, ignore_errors=True)
    run("cmake", "--install", BUILD, "--prefix", directory)
    return directory


@pytest.fixture(scope="session")
def readme_program(tmp_path_factory):
    """The program in README.md, as a file."""
    text = (ROOT / "README.md").read_text()
    source = tmp_path_factory.mktemp("readme") / "readme.cpp"
    source.write_text(text.split("```cpp\n")[1].split("```")[0])
    return source


@pytest.fixture(scope="session")
def package(tmp_path_factory):
    """The Debian package of this build."""
    directory = tmp_path_factory.mktemp("package")
    run("cpack", "-B", directory, "--config", BUILD / "CPackConfig.cmake")
    return next(directory.glob("headrace_*.deb"))


@pytest.fixture(scope="module")
def bare_debian():
    """A bare Debian 12; systemd does not run yet."""
    reason = debian_root.why_not()
    if reason:
        pytest.skip(reason)
    root = debian_root.Debian()
    yield root
    root.remove()
