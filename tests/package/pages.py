"""Pages of documentation as somebody follows them: their commands and files, word for word, pasted into one shell."""
import dataclasses
import os
import re
import signal
import subprocess

# Ports that a page names must be free: with the loopback of a network of one's own they are.
OFFLINE = ["bwrap", "--dev-bind", "/", "/", "--unshare-net", "--"]


@dataclasses.dataclass
class Step:
    """A fenced block: commands (```sh), or a file that the reader writes (```python train.py)."""
    section: str
    file: str
    text: str

    def script(self):
        return f"cat >{self.file} <<'THE FILE ENDS'\n{self.text}THE FILE ENDS\n" if self.file else self.text


def steps(page):
    found, section = [], ""
    for heading, language, name, text in re.findall(r"^## ([^\n]*)$|^```(\w+) ?(\S*)\n(.*?)^```$", page.read_text(), re.M | re.S):
        section = heading or section
        if language == "sh" or name:
            found.append(Step(section, name, text))
    return found


def timed(steps):
    """A script of the steps which says behind each section "took N s: SECTION"."""
    lines = ["set -e -o pipefail; SECONDS=0"]
    for i, step in enumerate(steps):
        lines.append(step.script())
        if i + 1 == len(steps) or steps[i + 1].section != step.section:
            lines.append(f"echo \"took $SECONDS s: {step.section}\"; SECONDS=0")
    return "\n".join(lines) + "\n"


def paste(text, directory, environment, after="", seconds=600, offline=True):
    """Pastes lines into a shell, then `after`; all that they have started ends with it."""
    alone = OFFLINE if offline and subprocess.run([*OFFLINE, "true"], capture_output=True).returncode == 0 else []
    shell = subprocess.Popen([*alone, "bash", "-e", "-o", "pipefail"], cwd=directory, env=environment, text=True, start_new_session=True,
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
