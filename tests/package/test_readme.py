"""README.md as somebody follows it: its commands, word for word, from scripts/demo to the platform."""
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from conftest import BUILD, ROOT, run
from pages import paste

README = (ROOT / "README.md").read_text()


def section(title):
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]


def commands(title):
    """The lines of the section's first indented block."""
    return re.search(r"(?:^    .*\n)+", section(title), re.M).group().replace("\n    ", "\n").strip()


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


@pytest.fixture(scope="module")
def demo():
    """What scripts/demo says. The tests' own build has compiled all that it builds."""
    assert "scripts/demo " in commands("Two commands")
    return run(ROOT / "scripts/demo", directory=ROOT, seconds=1800)


def test_the_demo_tells_the_whole_story(demo):
    for command in ("upload", "train", "jobs compare", "deploy", "invoke", "evaluate", "transform", "download", "endpoints delete"):
        assert f"$ headrace {command} " in demo.replace("$ data=$(headrace upload", "$ headrace upload "), command
    for job in ("baseline", "pipe", "distributed"):
        assert f"\n{job}\n" in demo, f"{job} has ended"
    # Of 10 classes, after 1,600 pictures: between 0.31 and 0.49 from one epoch to the next.
    assert float(re.search(r"^accuracy ([0-9.]+): ", demo, re.M).group(1)) > 0.2


def test_the_demo_says_where_everything_lies(demo):
    paths = re.findall(r"^  (?:data set|SavedModel|checkpoints|confusion matrix|curves|jobs and objects) +(\S+)", demo, re.M)
    assert len(paths) == 6 and all(pathlib.Path(path).exists() for path in paths), demo[-3000:]


def no_server_runs_in(directory):
    return subprocess.run([BUILD / "bin/headrace", "env", "--wait", "0", "--data-dir", directory], capture_output=True).returncode == 1


def test_a_demo_that_is_interrupted_ends_its_job_and_its_server(demo):
    """A second demo, and Ctrl-C in its first job."""
    # A shell that runs the tests behind its back has them ignore Ctrl-C, and what ignores it when it starts cannot trap it.
    shell = subprocess.Popen([ROOT / "scripts/demo"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
                             preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    try:
        for line in shell.stdout:
            if line.startswith("Epoch 2/"):
                break
        os.killpg(shell.pid, signal.SIGINT)
        rest = shell.communicate(timeout=120)[0]
    finally:
        shell.kill()
    assert shell.returncode == 130, rest
    assert no_server_runs_in(ROOT / "build/demo/server")


def test_a_demo_that_fails_says_so(demo):
    """A third one, whose data set would go where a file is."""
    (ROOT / "build/demo/blocked").touch()
    text = (ROOT / "scripts/demo").read_text().replace("--data-dir data", "--data-dir blocked")
    done = subprocess.run(["bash", "-c", text.replace('"$(dirname "$0")/.."', f'"{ROOT}"')], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=600)
    assert done.returncode == 1 and "blocked" in done.stdout.splitlines()[-1], done.stdout[-2000:]
    assert no_server_runs_in(ROOT / "build/demo/server")


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
    """All lines at once: the second waits for the server that the first starts. But for the one that fetches a package: there is no
    network here, and test_guide.py runs it."""
    shutil.copy(ROOT / "README.md", work / "model.tar.gz")
    platform = "".join(line for line in commands("The platform").splitlines(keepends=True) if not line.startswith("headrace python add"))
    said = paste(platform, work, home, "aws s3 ls s3://models/\nheadrace keys list\nkill %1\nwait %1 || true")
    assert "make_bucket: models" in said
    assert "model.tar.gz" in said.split("make_bucket: models")[1]
    assert "alice" in said
