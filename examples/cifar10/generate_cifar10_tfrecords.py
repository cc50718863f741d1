"""CIFAR-10 as TFRecords, under the name that the workflow's notebook calls: a front of `headrace dataset cifar10`.

    python generate_cifar10_tfrecords.py --data-dir ./data

It needs no TensorFlow. The program is looked for in HEADRACE_BIN (the program or its directory), on PATH, and where a build of
this tree puts it. Where the data set cannot be downloaded, CIFAR10_FROM names an archive that was downloaded elsewhere, or says
`sample`: the 2,400 images that come with Headrace.
"""
import argparse
import os
import pathlib
import shutil
import subprocess
import sys


def find_headrace():
    built = pathlib.Path(__file__).resolve().parents[2] / "build/release/bin"
    for place in (os.environ.get("HEADRACE_BIN"), os.environ.get("PATH"), str(built)):
        if place and os.path.isfile(place):
            return place
        program = shutil.which("headrace", path=place) if place else None
        if program:
            return program
    sys.exit("generate_cifar10_tfrecords.py: found no program `headrace` in HEADRACE_BIN, on PATH or in %s: "
             "build it with scripts/setup and cmake, or install it" % built)


def main():
    parser = argparse.ArgumentParser(description="Makes train, validation and eval.tfrecords of CIFAR-10.")
    parser.add_argument("--data-dir", default=".", help="gets a directory for each of the three")
    parser.add_argument("--sample", action="store_true", help="the images that come with Headrace, instead of downloading them all")
    parser.add_argument("--from", dest="source", metavar="PATH", default=os.environ.get("CIFAR10_FROM"),
                        help="a downloaded cifar-10-binary.tar.gz, or `sample` (default: $CIFAR10_FROM)")
    arguments = parser.parse_args()

    command = [find_headrace(), "dataset", "cifar10", "--data-dir", arguments.data_dir]
    if arguments.sample or arguments.source == "sample":
        command.append("--sample")
    elif arguments.source:
        command += ["--from", arguments.source]
    sys.exit(subprocess.call(command))


if __name__ == "__main__":
    main()
