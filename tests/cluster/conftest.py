"""mpirun for the programs of this folder (tests/mpirun.py); and the platform, for jobs (tests/platform_fixtures.py)."""
import pathlib
import sys

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[1]), str(pathlib.Path(__file__).resolve().parents[1] / "scenario")]
from mpirun import BIN, FAKE_HOST, Run, mpirun  # noqa: E402,F401
from platform_fixtures import boto, make_server, server  # noqa: E402,F401
