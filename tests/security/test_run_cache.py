"""`headrace run` runs what its sources say now, and nothing that somebody else has put into a cache."""
import os
import pathlib
import shutil
import subprocess

import pytest

from platform_fixtures import HEADRACE

PLAIN = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME", "TMPDIR")}


@pytest.fixture
def program(tmp_path):
    (tmp_path / "source/sub").mkdir(parents=True)
    (tmp_path / "source/sub/version.h").write_text("#define VERSION 1\n")
    (tmp_path / "source/program.cpp").write_text(
        '#include <cstdio>\n#include "sub/version.h"\nint main() { std::printf("version %d\\n", VERSION); }\n')
    return tmp_path / "source/program.cpp"


def run(program, *options, check=True, **environment):
    done = subprocess.run([HEADRACE, "run", *options, program], capture_output=True, text=True, timeout=300,
                          env={**PLAIN, **{name: str(value) for name, value in environment.items()}})
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip() if check else done


def test_a_header_in_another_directory_changes(program, tmp_path):
    cache = tmp_path / "cache"
    assert run(program, XDG_CACHE_HOME=cache) == "version 1"
    kept = run(program, "--compile-only", XDG_CACHE_HOME=cache)
    written = os.stat(kept).st_mtime_ns
    assert run(program, XDG_CACHE_HOME=cache) == "version 1"
    assert os.stat(kept).st_mtime_ns == written, "compiled once for each content"
    header = program.parent / "sub/version.h"
    before = header.stat()
    header.write_text("#define VERSION 2\n")
    os.utime(header, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert run(program, XDG_CACHE_HOME=cache) == "version 2"


def test_no_cache_below_a_directory_that_all_share(program, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    where = run(program, "--compile-only", TMPDIR=shared, check=False)
    if where.returncode == 0:
        assert not where.stdout.startswith(str(shared))
    assert os.listdir(shared) == []


def test_a_cache_that_others_may_write_is_not_believed(program, tmp_path):
    cache = tmp_path / "cache"
    kept = pathlib.Path(run(program, "--compile-only", XDG_CACHE_HOME=cache))
    kept.write_text("#!/bin/sh\necho planted\n")
    (cache / "headrace/programs").chmod(0o777)
    assert run(program, XDG_CACHE_HOME=cache) == "version 1"
    assert (cache / "headrace/programs").stat().st_mode & 0o022 == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_cache_of_another_users_is_refused(program, tmp_path):
    cache = tmp_path / "cache"
    kept = pathlib.Path(run(program, "--compile-only", XDG_CACHE_HOME=cache))
    kept.write_text("#!/bin/sh\necho planted\n")
    for path in (cache / "headrace", *(cache / "headrace").rglob("*")):
        shutil.chown(path, 65534, 65534)
    done = run(program, XDG_CACHE_HOME=cache, check=False)
    assert done.returncode == 1 and "planted" not in done.stdout
    assert "belongs to another user" in done.stderr
