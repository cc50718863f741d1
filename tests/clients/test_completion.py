"""Completion of `headrace` in bash, zsh and fish, as these shells do it. What they ask is answered by the command line's own parser."""
import os
import pathlib
import pty
import select
import shutil
import subprocess
import time

import pytest

from platform_fixtures import HEADRACE, ROOT

SCRIPTS = ROOT / "packaging/completion"


def complete(server, *words):
    """What `headrace complete` says: {word: help}."""
    lines = server.headrace("complete", "--", *words).stdout.splitlines()
    return dict(line.split("\t", 1) if "\t" in line else (line, "") for line in lines)


def test_every_command_and_every_option_is_offered(server):
    """As the help lists them, which is made of the same objects."""
    def listed(*command):
        return server.headrace(*command, "--help").stdout

    commands = complete(server, "")
    assert {"serve", "train", "jobs", "completion"} <= set(commands) and "complete" not in commands
    assert commands["deploy"].startswith("the model of a training job")
    for command in commands:
        assert f"  {command} " in listed(), command
        for option in complete(server, command, "--"):
            assert option in listed(command), (command, option)
    assert set(complete(server, "jobs", "")) == {"list", "describe", "stop", "wait", "compare"}
    assert {"--endpoint", "--model"} <= set(complete(server, "evaluate", "--")), "those of a group of options, too"


def test_values_and_names(server, boto, tmp_path):
    program = tmp_path / "quick.sh"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name in ("complete-one", "complete-two"):
        server.headrace("train", program, "--name", name, "--no-logs")
    assert set(complete(server, "jobs", "list", "-o", "")) == {"text", "json"}
    assert set(complete(server, "images", "--as", "p")) == {"png"}
    both = {"complete-one", "complete-two"}
    for words in (("deploy", ""), ("logs", "-f", ""), ("jobs", "wait", ""), ("jobs", "compare", "complete-one", ""), ("transform", "")):
        assert both <= set(complete(server, *words)), words
    assert set(complete(server, "metrics", "complete-t")) == {"complete-two"}
    assert complete(server, "upload", "") == {} and complete(server, "train", "--name", "") == {}, "files and free values"
    assert complete(server, "endpoints", "describe", "") == {}
    nobody = subprocess.run([HEADRACE, "complete", "--", "deploy", ""], capture_output=True, text=True,
                            env=server.client_environment(AWS_ENDPOINT_URL="http://127.0.0.1:9"))
    assert nobody.stdout == ""


def test_bash(server):
    script = f'source {SCRIPTS}/headrace.bash; COMP_WORDS=({HEADRACE} jobs co); COMP_CWORD=2; _headrace; echo "${{COMPREPLY[*]}}"'
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, env=server.client_environment(), check=True)
    assert done.stdout == "compare\n"
    printed = server.headrace("completion", "bash").stdout
    assert printed == (SCRIPTS / "headrace.bash").read_text()


def typed(shell, environment, start, keys, wanted, seconds=20):
    """What an interactive shell shows when these keys are pressed."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvpe(shell[0], shell, environment)
    shown = ""
    try:
        for text, words in ((start, "ready"), (keys, wanted)):
            os.write(terminal, text.encode())
            deadline, since = time.monotonic() + seconds, len(shown)
            while words not in shown[since:]:
                assert time.monotonic() < deadline, shown
                if select.select([terminal], [], [], 0.2)[0]:
                    shown += os.read(terminal, 4096).decode(errors="replace")
            time.sleep(0.2)
    finally:
        os.close(terminal)
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    return shown


@pytest.mark.parametrize("shell, start", [
    (["zsh", "-f"], 'autoload -Uz compinit && compinit -u -D; eval "$(headrace completion zsh)"; print rea""dy\n'),
    (["fish", "--no-config"], "headrace completion fish | source; echo rea''dy\n"),
    (["bash", "--norc"], 'eval "$(headrace completion bash)"; echo rea""dy\n')], ids=["zsh", "fish", "bash"])
def test_a_shell_completes(server, tmp_path, shell, start):
    if shutil.which(shell[0]) is None:
        pytest.skip(f"{shell[0]} is not installed")
    environment = server.client_environment(PATH=f"{pathlib.Path(HEADRACE).parent}:{os.environ['PATH']}", HOME=str(tmp_path), TERM="vt100")
    typed(shell, environment, start, "headrace jobs desc\t", "describe")
