"""The fixtures of tests that drive a running platform from outside; see tests/platform_fixtures.py."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from platform_fixtures import *  # noqa: E402,F401,F403
