"""A model's files are a stranger's: what blocks, leads in a circle or lies about its size costs the server nothing."""
import json
import os
import pathlib
import shutil
import subprocess
import time
import types
import urllib.request

import pytest

BIN = pathlib.Path(os.environ.get("HEADRACE_BIN", pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    directory = tmp_path_factory.mktemp("exported")
    subprocess.run([BIN / "export_models", directory], check=True)
    return directory / "cnn" / "1"


@pytest.fixture
def serving(exported, tmp_path):
    """A model server of version 1; `states()` are those of its versions, `wait(version, state)` waits for one."""
    base, port_file = tmp_path / "m", tmp_path / "port"
    shutil.copytree(exported, base / "1")
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen([BIN / "headrace", "model-server", "--model_name", "m", "--model_base_path", base, "--port_file", port_file,
                                    "--file_system_poll_wait_seconds", "0.1", "--load_retry_interval_micros", "200000"], stdout=log, stderr=log)
    found = types.SimpleNamespace(base=base)

    def states():
        with urllib.request.urlopen(f"http://127.0.0.1:{port_file.read_text().strip()}/v1/models/m", timeout=10) as answer:
            return {v["version"]: v for v in json.load(answer)["model_version_status"]}

    def wait(version, state, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if states().get(version, {}).get("state") == state:
                return states()[version]
            time.sleep(0.05)
        pytest.fail(f"version {version} is not {state}: {states()}; {(tmp_path / 'log').read_text()[-2000:]}")

    found.states, found.wait = states, wait
    end = time.monotonic() + 60
    while not port_file.exists():
        assert process.poll() is None and time.monotonic() < end, (tmp_path / "log").read_text()
        time.sleep(0.05)
    yield found
    process.terminate()
    process.wait(20)


def replaced(make):
    """Replaces the data file of a version by what `make(path)` puts there."""
    def change(version):
        data = next((version / "variables").glob("*.data-*"))
        data.unlink()
        make(data)
    return change


def cut(version):
    data = next((version / "variables").glob("*.data-*"))
    os.truncate(data, data.stat().st_size // 2)


def fifo_of_graph(version):
    (version / "saved_model.pb").unlink()
    os.mkfifo(version / "saved_model.pb")


def fifo_of_warm_up(version):
    (version / "assets.extra").mkdir()
    os.mkfifo(version / "assets.extra" / "tf_serving_warmup_requests")


HOSTILE = {
    "a FIFO for the weights": (replaced(os.mkfifo), "found a FIFO, wanted an ordinary file"),
    "a device for the weights": (replaced(lambda path: path.symlink_to("/dev/zero")), "found a device, wanted an ordinary file"),
    "a link to itself": (replaced(lambda path: path.symlink_to(path.name)), "cannot open"),
    "a directory": (replaced(os.mkdir), "found a directory, wanted an ordinary file"),
    "half of the weights": (cut, "in a file of"),
    "a FIFO for the warm-up": (fifo_of_warm_up, "found a FIFO, wanted an ordinary file"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_version_is_refused_and_the_next_one_served(serving, exported, kind):
    change, message = HOSTILE[kind]
    staged = serving.base.parent / "2"
    shutil.copytree(exported, staged)
    change(staged)
    staged.rename(serving.base / "2")
    assert message in serving.wait("2", "END")["status"]["error_message"]
    assert serving.states()["1"]["state"] == "AVAILABLE"
    shutil.copytree(exported, serving.base.parent / "3")
    (serving.base.parent / "3").rename(serving.base / "3")
    serving.wait("3", "AVAILABLE")


def test_a_fifo_for_the_graph_is_no_version(serving, exported):
    staged = serving.base.parent / "2"
    shutil.copytree(exported, staged)
    fifo_of_graph(staged)
    (staged / "loop").symlink_to("..")
    staged.rename(serving.base / "2")
    shutil.copytree(exported, serving.base.parent / "3")
    (serving.base.parent / "3").rename(serving.base / "3")
    serving.wait("3", "AVAILABLE")
    assert "2" not in serving.states()


def test_a_version_that_is_copied_in_place_serves_when_it_is_whole(serving, exported):
    version = serving.base / "2"
    version.mkdir()
    shutil.copy(exported / "saved_model.pb", version)
    serving.wait("2", "END")
    (version / "variables").mkdir()
    for file in sorted((exported / "variables").iterdir(), reverse=True):  # the index before the data
        shutil.copy(file, version / "variables")
        time.sleep(0.5)
    serving.wait("2", "AVAILABLE")


def test_a_later_version_that_goes_falls_back_past_one_that_cannot_be_loaded(serving, exported):
    shutil.copytree(exported, serving.base.parent / "3")
    (serving.base.parent / "3").rename(serving.base / "3")
    serving.wait("3", "AVAILABLE")
    serving.wait("1", "END")
    (serving.base / "2").mkdir()
    (serving.base / "2" / "saved_model.pb").write_bytes(b"\x08\x01 no such thing")
    shutil.rmtree(serving.base / "3")
    serving.wait("1", "AVAILABLE")
    assert serving.states()["2"]["state"] == "END"
