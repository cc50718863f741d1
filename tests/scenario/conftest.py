"""Scenarios drive the program from outside, as the client tests do; their server fixtures are the same."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "clients"))
from conftest import *  # noqa: E402,F401,F403
