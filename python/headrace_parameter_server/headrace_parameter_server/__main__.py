"""python -m headrace_parameter_server train.py --epochs 3

Starts this host's parameter server, runs the program, and on all hosts but the first keeps the server until the program of
the first host has ended: others' parameters are with it. The first host says so by a file in the memory that the hosts
share. Fails as the program does. What TF_CONFIG says of ports and hosts is the platform's.
"""
import json
import os
import signal
import subprocess
import sys
import time

SERVER = """
import json, os, sys
import tensorflow
tf = tensorflow.compat.v1
cluster = json.loads(os.environ["TF_CONFIG"])["cluster"]
tf.train.Server(tf.train.ClusterSpec(cluster), job_name="ps", task_index=int(sys.argv[1]), config=tf.ConfigProto(device_count={"GPU": 0})).join()
"""
LOOK_SECONDS = 0.2


def main():
    config = json.loads(os.environ["TF_CONFIG"])
    task = config["task"]
    is_first = task["type"] == "master"
    index = 0 if is_first else task["index"] + 1
    ended = os.path.join(os.environ["HEADRACE_SHARED_MEMORY_DIR"], "master-of-{}-has-ended".format(config["cluster"]["master"][0]))
    # It reads no file of the program's directory: a module there may have the name of one that TensorFlow imports.
    server = subprocess.Popen([sys.executable, "-c", SERVER, str(index)], cwd="/", stdin=subprocess.DEVNULL)
    program = subprocess.Popen([sys.executable] + sys.argv[1:])
    for number in (signal.SIGTERM, signal.SIGINT):  # the program has them, too; it ends first
        signal.signal(number, lambda *_: None)
    try:
        while program.poll() is None:
            if server.poll() is not None:
                program.terminate()
                program.wait()
                sys.exit("the parameter server of this host has ended with {}".format(server.returncode))
            time.sleep(LOOK_SECONDS)
        if program.returncode != 0:
            sys.exit(program.returncode if program.returncode > 0 else 128 - program.returncode)
        if is_first:
            open(ended, "w").close()
        while not os.path.exists(ended):
            if server.poll() is not None:
                sys.exit("the parameter server of this host has ended with {}".format(server.returncode))
            time.sleep(LOOK_SECONDS)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
