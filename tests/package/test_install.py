"""What `cmake --install` leaves, as somebody else's project meets it: find_package, pkg-config, programs and jobs."""
import json
import pathlib
import shutil
import subprocess

import boto3
import pytest

import jobs
from conftest import BUILD, COMPILERS, ROOT, run
from platform_fixtures import HEADRACE, Server

HERE = pathlib.Path(__file__).parent


def configure(source, build, compiler, prefix, *arguments):
    run("cmake", "-G", "Ninja", "-S", source, "-B", build, f"-DCMAKE_CXX_COMPILER={compiler}", f"-DCMAKE_PREFIX_PATH={prefix}",
        *arguments)


def pkg_config(prefix, *arguments, package="headrace"):
    found = [str(path.parent) for path in pathlib.Path(prefix).rglob("headrace.pc")]
    assert len(found) == 1
    return run("pkg-config", *arguments, package, environment={"PKG_CONFIG_PATH": found[0]}).split()


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_foreign_project_builds_and_runs(compiler, prefix, readme_program, tmp_path):
    examples = ROOT / "examples/cifar10"
    programs = [HERE / "program.cc", HERE / "ranks.cc", readme_program, examples / "keras_cifar10.cpp", examples / "workflow.cpp"]
    configure(HERE, tmp_path / "build", compiler, prefix, "-DPROGRAMS=" + ";".join(map(str, programs)))
    run("cmake", "--build", tmp_path / "build")
    assert "caught: /no/such/file" in run(tmp_path / "build/program", tmp_path / "model")
    assert (tmp_path / "model/saved_model.pb").exists()
    assert "--train" in run(tmp_path / "build/keras_cifar10", "--help")
    assert "--entry-point" in run(tmp_path / "build/workflow", "--help")


def test_a_component_that_is_not_there_is_named(prefix, tmp_path):
    (tmp_path / "CMakeLists.txt").write_text(
        "cmake_minimum_required(VERSION 3.25)\nproject(P LANGUAGES CXX)\nfind_package(Headrace REQUIRED COMPONENTS keras torch)\n")
    done = subprocess.run(["cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}"],
                          capture_output=True, text=True)
    assert done.returncode != 0
    assert "no component 'torch'" in " ".join(done.stderr.split())


@pytest.mark.parametrize("compiler", COMPILERS)
def test_pkg_config_says_all_that_a_compiler_needs(compiler, prefix, tmp_path):
    run(compiler, HERE / "program.cc", "-o", tmp_path / "program", *pkg_config(prefix, "--cflags", "--libs"))
    assert "caught: /no/such/file" in run(tmp_path / "program", tmp_path / "model")


@pytest.mark.parametrize("compiler", COMPILERS)
def test_a_program_of_several_ranks_needs_no_header_of_mpi(compiler, prefix, tmp_path):
    program = tmp_path / "ranks"
    run(compiler, HERE / "ranks.cc", "-o", program, *pkg_config(prefix, "--cflags", "--libs", package="headrace-horovod"))
    assert run(program) == "rank 0 of 1: 1\n"
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    done = run("mpirun", "--oversubscribe", "-bind-to", "none", "-np", "2", program, environment=root)
    assert sorted(done.splitlines()) == ["rank 0 of 2: 2", "rank 1 of 2: 2"]


SDK_PROGRAM = """
#include <cstdio>
#include "headrace/sagemaker.h"
int main() {
  const headrace::sagemaker::Session session({.client = {.endpoint_url = "http://127.0.0.1:9", .credentials = {{"key", "secret", ""}}}});
  try {
    session.account();
  } catch (const headrace::sagemaker::ServiceError& error) {
    std::printf("%s after %d attempts\\n", error.service_code.c_str(), error.attempts);
  }
}
"""


def test_the_sdk_is_a_library_of_its_own(prefix, tmp_path):
    """A program that only submits jobs loads no training engine."""
    (tmp_path / "sdk.cc").write_text(SDK_PROGRAM)
    run("g++", tmp_path / "sdk.cc", "-o", tmp_path / "sdk", *pkg_config(prefix, "--cflags", "--libs", package="headrace-sagemaker"))
    assert run(tmp_path / "sdk", environment={"AWS_DEFAULT_REGION": "us-west-2"}) == "ConnectionError after 3 attempts\n"
    loaded = run("ldd", tmp_path / "sdk")
    assert "libheadrace_sagemaker" in loaded and "libdnnl" not in loaded and "libheadrace.so" not in loaded


def test_a_jobs_supervisor_loads_little(prefix):
    """Every job waits until it is loaded."""
    loaded = run("ldd", prefix / "libexec/headrace-supervise")
    assert "libarchive" in loaded
    for library in ("sqlite3", "ssl.", "curl", "dnnl", "gomp", "protobuf", "hdf5", "cairo", "re2", "png", "headrace"):
        assert f"lib{library}" not in loaded, loaded


def test_an_installation_may_be_staged_and_moved(tmp_path):
    run("cmake", "--install", BUILD, environment={"DESTDIR": str(tmp_path / "staged")})
    installed = next((tmp_path / "staged").rglob("bin/headrace")).parents[1]
    moved = tmp_path / "moved"
    installed.rename(moved)
    shutil.rmtree(tmp_path / "staged")
    run("g++", HERE / "program.cc", "-o", tmp_path / "program", *pkg_config(moved, "--cflags", "--libs"))
    run(tmp_path / "program", tmp_path / "model")
    configure(HERE, tmp_path / "build", "g++", moved, f"-DPROGRAMS={HERE / 'program.cc'}")
    run("cmake", "--build", tmp_path / "build")
    run(tmp_path / "build/program", tmp_path / "model2")
    run(moved / "bin/headrace", "dataset", "cifar10", "--sample", "--data-dir", tmp_path / "data")
    assert (tmp_path / "data/train/train.tfrecords").exists()


@pytest.mark.parametrize("compiler", COMPILERS)
def test_public_headers_bring_no_warnings_into_strict_projects(compiler, prefix, tmp_path):
    for header in sorted((prefix / "include/headrace").rglob("*.h")):
        source = tmp_path / (header.stem + ".cc")
        source.write_text(f'#include "{header.relative_to(prefix / "include")}"\n')
        run(compiler, "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror",
            "-I", prefix / "include", source)


def test_shells_find_their_completions(prefix):
    for path in ("bash-completion/completions/headrace", "zsh/vendor-completions/_headrace", "fish/vendor_completions.d/headrace.fish"):
        assert "complete --" in (prefix / "share" / path).read_text(), path
    script = (f"source {prefix}/share/bash-completion/completions/headrace; COMP_WORDS=({prefix}/bin/headrace comp); COMP_CWORD=1; "
              "_headrace; echo ${COMPREPLY[*]}")
    assert run("bash", "-c", script) == "completion\n"


def test_what_is_not_built_is_named(tmp_path):
    """As after a build of some other target: no half of an installation."""
    script = (BUILD / "cmake_install.cmake").read_text().replace(str(HEADRACE), str(tmp_path / "headrace"))
    (tmp_path / "cmake_install.cmake").write_text(script)
    done = subprocess.run(["cmake", f"-DCMAKE_INSTALL_PREFIX={tmp_path / 'prefix'}", "-P", tmp_path / "cmake_install.cmake"],
                          capture_output=True, text=True)
    assert done.returncode != 0
    assert "--target installation" in " ".join(done.stderr.split())
    assert not (tmp_path / "prefix").exists()


PROGRAM = """
#include <cstdio>
#include "headrace/keras.h"
int main() {
  headrace::keras::Sequential model({headrace::keras::Dense(2, {.input_shape = {3}})});
  std::printf("parameters: %ld\\n", static_cast<long>(model.count_params()));
}
"""
PROJECT = """
cmake_minimum_required(VERSION 3.25)
project(Job LANGUAGES CXX)
find_package(Headrace REQUIRED)
add_executable(train train.cpp)
target_link_libraries(train PRIVATE headrace::keras)
"""


@pytest.mark.parametrize("files", [{"train.cpp": PROGRAM}, {"train.cpp": PROGRAM, "CMakeLists.txt": PROJECT}],
                         ids=["a source", "a CMake project"])
def test_jobs_in_cpp_compile_against_the_installation(files, prefix, tmp_path):
    server = Server(tmp_path / "data", program=prefix / "bin/headrace")
    try:
        session = boto3.Session(server.environment["AWS_ACCESS_KEY_ID"], server.environment["AWS_SECRET_ACCESS_KEY"],
                                region_name=server.environment["AWS_DEFAULT_REGION"])
        s3, sagemaker, logs = (session.client(name, endpoint_url=server.url) for name in ("s3", "sagemaker", "logs"))
        s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": server.environment["AWS_DEFAULT_REGION"]})
        name = jobs.create(sagemaker, "bucket", jobs.upload_source(s3, "bucket", files), "train.cpp")
        job = jobs.wait(sagemaker, name, 120)
        lines = jobs.log_lines(logs, name)
        assert job["TrainingJobStatus"] == "Completed", json.dumps([job.get("FailureReason"), *lines], indent=1)
        assert "parameters: 8" in lines
    finally:
        server.stop()
