"""README.md as somebody follows it: its commands, word for word, from scripts/demo to the platform."""
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BUILD, ROOT, run

README = (ROOT / "README.md").read_text()
# Ports that the README names must be free: with the loopback of a network of one's own they are.
OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--"]


def section(title):
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def commands(title):
    """The lines of the section's first indented block."""
    return re.search(r"(?:^    .*\n)+", section(title), re.M).group().replace("\n    ", "\n").strip()


def paste(text, directory, environment, after="", seconds=600):
    """Pastes lines into a shell, then `after`; all that they have started ends with it."""
    offline = OFFLINE if subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0 else []
    shell = subprocess.Popen([*offline, "bash", "-e", "-o", "pipefail"], cwd=directory, env=environment, text=True, start_new_session=True,
                             stdin=subprocess.PIPE, stdout=open(directory / "said", "w"), stderr=subprocess.STDOUT)
    try:
        shell.stdin.write(f"{text}\n{after}\n")
        shell.stdin.close()
        status = shell.wait(seconds)
    finally:
        try:
            os.killpg(shell.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    said = (directory / "said").read_text(errors="replace")
    assert status == 0, said[-4000:]
    return said


@pytest.fixture(scope="module")
def work():
    """Where the commands are pasted: the sources by links, and what they write. Not below /tmp, where a job sees its own files."""
    directory = ROOT / "build/package/readme"
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    (directory / "examples").symlink_to(ROOT / "examples")
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def home(work, tmp_path_factory):
    """A user's environment after `cmake --install build/release`, as the README says it, into a directory of his own."""
    assert "`cmake --install build/release`" in README
    run("cmake", "--install", BUILD, "--prefix", work / "prefix")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "HEADRACE_", "XDG_"))}
    tools = pathlib.Path(shutil.which("aws") or ROOT / "build/venv/boto/bin/aws").parent
    return {**kept, "HOME": str(tmp_path_factory.mktemp("home")), "PATH": f"{work}/prefix/bin:{os.environ['PATH']}:{tools}",
            "CMAKE_PREFIX_PATH": str(work / "prefix"), "AWS_EC2_METADATA_DISABLED": "true"}


def test_the_demo_learns_and_says_where_everything_lies():
    """The tests' own build has compiled all that it builds."""
    assert "scripts/demo " in commands("Two commands")
    said = run(ROOT / "scripts/demo", directory=ROOT, seconds=1800)
    paths = re.findall(r"^  (?:data set|SavedModel|checkpoints|confusion matrix) +(\S+)", said, re.M)
    assert len(paths) == 4 and all(pathlib.Path(path).exists() for path in paths), said[-3000:]
    assert float(re.search(r"Test accuracy: ([0-9.]+)", said).group(1)) > 0.4  # 80 epochs over 1,600 pictures


def test_the_commands_of_the_program(home, work):
    said = paste(commands("The program"), work, home,
                 "for i in $(seq 100); do curl -s 127.0.0.1:8501/v1/models/default | grep AVAILABLE && exit 0; sleep 0.2; done; exit 1")
    assert "images right" in said
    assert said.count("pictures/") >= 4


def test_the_program_in_cpp(home, work, readme_program):
    """Built by the two lines that the README gives, on the data that its commands have written; in shorter epochs."""
    readme_program.write_text(readme_program.read_text().replace("steps_per_epoch = 156", "steps_per_epoch = 6"))
    project = work / "project"
    project.mkdir()
    lines = re.search(r"    find_package\(Headrace.*\n    target_link_libraries.*\n", README).group().replace("    ", "")
    package, link = lines.splitlines()
    (project / "CMakeLists.txt").write_text("cmake_minimum_required(VERSION 3.25)\nproject(Mine LANGUAGES CXX)\n"
                                            f"{package}\nadd_executable(program {readme_program})\n{link}\n")
    said = paste("cmake -S . -B build -DCMAKE_BUILD_TYPE=Release && cmake --build build && cd .. && project/build/program", project, home)
    assert "Epoch 3/3" in said
    assert (work / "small/1/saved_model.pb").exists()


def test_the_commands_of_the_platform(home, work):
    """All lines at once: the second waits for the server that the first starts."""
    shutil.copy(ROOT / "README.md", work / "model.tar.gz")
    said = paste(commands("The platform"), work, home, "aws s3 ls s3://models/\nheadrace keys list\nkill %1\nwait %1 || true")
    assert "make_bucket: models" in said
    assert "model.tar.gz" in said.split("make_bucket: models")[1]
    assert "alice" in said
