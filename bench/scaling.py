#!/usr/bin/env python3
"""Scaling of training: two ranks of one core each against one rank of one core, the example's CNN, whole steps.

Usage: scripts/bench scaling [--batch 256] [--rounds 2] [--steps 12] [--policies float32 mixed_bfloat16]
           [--sides headrace torch keras torch-horovod] [--data DIR]
Every rank trains --batch images a step on a core of its own; one rank alone trains on either core in turn. Beside the two
ranks, two programs that know nothing of each other run on the same cores: what they lose is the machine's (memory, caches,
clock), not the exchange's. Then a model of larger clusters from what was measured here. `torch`: DistributedDataParallel over
gloo, by scripts/setup --peers. `keras` and `torch-horovod`: python/horovod.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BIN = ROOT / "build/release/bin"
MPIRUN = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-bind-to", "none"]
GRADIENT_BYTES = 4 * 555_690  # the trainable parameters, float32
BUCKETS = 4  # of 256 KiB or more that they are cut into
LAST_BUCKET_BYTES = 4 * 65_952  # of the first layers: it leaves when backward is over


def cores():
    return sorted(os.sched_getaffinity(0))


def run(commands):
    """Starts all of them, and returns the last JSON line of each."""
    environment = dict(os.environ, OMP_NUM_THREADS="1", CUDA_VISIBLE_DEVICES="-1", PYTHONPATH=str(ROOT / "python/horovod"),
                       HEADRACE_LIBRARY_DIR=str(BIN.parent / "lib"))
    started = [subprocess.Popen(list(map(str, command)), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
               for command in commands]
    results = []
    for process, command in zip(started, commands):
        out, err = process.communicate()
        if process.returncode:
            raise SystemExit(f"scaling: {' '.join(map(str, command))} failed:\n{err[-2000:]}")
        results.append(json.loads([line for line in out.splitlines() if line.startswith("{")][-1]))
    return results


def on_core(index, command):
    return ["taskset", "-c", cores()[index], *command]


class Headrace:
    name = "headrace"

    def __init__(self, a):
        self.a = a

    def program(self, policy):
        return [BIN / "bench_scaling", "--data", self.a.data, "--policy", policy, "--batch", self.a.batch, "--steps", self.a.steps]

    def alone(self, policy):
        """On one core, then on the other: they need not be alike."""
        each = [run([on_core(index, self.program(policy))])[0]["images_per_second"] for index in range(2)]
        return {"images_per_second": statistics.mean(each), "of_cores": each}

    def apart(self, policy):
        both = run([on_core(index, self.program(policy)) for index in range(2)])
        each = [one["images_per_second"] for one in both]
        return {"images_per_second": sum(each), "of_cores": each}

    def together(self, policy):
        return run([[*MPIRUN, "-np", 2, *self.program(policy)]])[0]


class Torch(Headrace):
    name = "torch DDP, gloo"

    def program(self, policy):
        return [ROOT / "build/venv/torch/bin/python", ROOT / "bench/peers/torch_ddp.py", "--data", self.a.data, "--policy", policy,
                "--batch", self.a.batch, "--steps", self.a.steps, "--threads", 1]

    def together(self, policy):
        with tempfile.TemporaryDirectory() as meeting:
            return run([on_core(rank, [*self.program(policy), "--rank", rank, "--ranks", 2, "--meeting", f"{meeting}/file"])
                        for rank in range(2)])[0]


class Keras(Headrace):
    name = "keras, horovod"

    def program(self, policy):
        return [ROOT / "build/venv/tensorflow/bin/python", ROOT / "bench/peers/tensorflow_training.py", "--data", self.a.data, "--policy",
                policy, "--batch", self.a.batch, "--steps", self.a.steps, "--threads", 1]

    def together(self, policy):
        return run([[*MPIRUN, "-np", 2, *self.program(policy), "--horovod"]])[0]


class TorchHorovod(Torch):
    name = "torch, horovod"
    together = Keras.together


SIDES = {"headrace": Headrace, "torch": Torch, "keras": Keras, "torch-horovod": TorchHorovod}


def median(results, key="images_per_second"):
    return statistics.median(result[key] for result in results)


def measure(a, side):
    """{policy: {"alone" | "apart" | "together": [results]}}, taking turns."""
    results = {policy: {"alone": [], "apart": [], "together": []} for policy in a.policies}
    for _ in range(a.rounds):
        for policy in a.policies:
            for how in results[policy]:
                results[policy][how].append(getattr(side, how)(policy))
    return results


def print_efficiency(side, results):
    for policy, of in results.items():
        one, apart, two = (median(of[how]) for how in ("alone", "apart", "together"))
        print(f"{policy:16}{side.name:18}{one:10.0f}{two:10.0f}{two / (2 * one):12.1%}{apart / (2 * one):14.1%}{two / apart:14.1%}")


def print_cores(side, results):
    """Ranks wait for the slowest: what cores alone differ in is lost, and so is what one rank's steps differ in."""
    for policy, of in results.items():
        cells = [[f"{statistics.median(result['of_cores'][core] for result in of[how]):.0f}" for core in range(2)] for how in ("alone", "apart")]
        print(f"{policy:16}{side.name:18}  images/s of core 0 and core 1: alone {', '.join(cells[0])}; two programs {', '.join(cells[1])}")


def print_ranks(results):
    print("\nhow long the ranks compute in a step, ms: median and mean of rank 0 and rank 1, and the mean of the slower one's")
    for policy, of in results.items():
        medians, means = ([statistics.median(result[key][rank] for result in of["together"]) for rank in range(2)] for key in ("compute_ms", "mean_ms"))
        print(f"{policy:16}{medians[0]:9.2f}{medians[1]:9.2f}{means[0]:11.2f}{means[1]:9.2f}{median(of['together'], 'slowest_ms'):11.2f}")


def print_loss(results):
    print("\nwhere a step's time goes on two ranks, ms (medians)\n"
          f"{'':16}{'step':>8}{'compute':>10}{'exchange':>10}{'of it: wait':>13}{'reduce':>8}{'copy':>6}")
    for policy, of in results.items():
        step, leaving, finishing, alone = (median(of["together"], key) for key in
                                           ("step_ms", "leaving_ms", "finishing_ms", "exchange_alone_ms"))
        exchange = leaving + finishing
        reduce = min(alone, exchange)
        print(f"{policy:16}{step:8.1f}{step - exchange:10.1f}{exchange:10.2f}{exchange - reduce:13.2f}{reduce:8.2f}{0:6.2f}")
    print("  (reduce: the exchange alone with both ranks on time, buckets below 64 KiB copied within it; copy: none, gradients lie in\n"
          "   the memory that the ranks share)")


def message_costs(a):
    """Seconds a byte and a message over Open MPI's TCP on the loopback, between two ranks that share no memory."""
    done = subprocess.run([*map(str, [*MPIRUN, "-np", 2, "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", "lo",
                                      BIN / "bench_messages"])], text=True, capture_output=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def print_model(a, results):
    costs = message_costs(a)
    print(f"\nmodel: one rank a machine, the processors of a rank {costs['seconds_per_byte'] * 1e9:.2f} ns a byte and "
          f"{costs['seconds_per_message'] * 1e6:.1f} us a message (both measured on the loopback, two ranks), the wire at its rate on top.\n"
          "Each of N machines sends and receives 2 (N - 1) / N of a bucket in 2 (N - 1) messages. Lost is the last bucket's time, which\n"
          "backward cannot hide, and what of the others does not fit into backward behind the first final gradient.\n"
          f"{'':16}{'wire':>8}" + "".join(f"{ranks:>8}" for ranks in (8, 16, 32, 64, 128, 256, 512)))
    for policy, of in results.items():
        step, window = median(of["together"], "step_ms") * 1e-3, median(of["together"], "window_ms") * 1e-3
        for gigabits in (10, 100):
            row = []
            for ranks in (8, 16, 32, 64, 128, 256, 512):
                def seconds(size, buckets):
                    return (2 * (ranks - 1) / ranks * size * (costs["seconds_per_byte"] + 8 / (gigabits * 1e9))
                            + 2 * (ranks - 1) * costs["seconds_per_message"] * buckets)
                last, others = seconds(LAST_BUCKET_BYTES, 1), seconds(GRADIENT_BYTES - LAST_BUCKET_BYTES, BUCKETS - 1)
                row.append(f"{step / (step + last + max(0, others - window)):8.1%}")
            print(f"{policy:16}{gigabits:>3} Gb/s" + "".join(row))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--policies", nargs="+", default=["float32", "mixed_bfloat16"])
    parser.add_argument("--sides", nargs="+", default=["headrace", "torch"], choices=SIDES)
    a = parser.parse_args()
    if len(cores()) < 2:
        raise SystemExit(f"scaling: found {len(cores())} processor, wanted two")
    with tempfile.TemporaryDirectory() as folder:
        if a.data is None:
            a.data = pathlib.Path(folder)
            subprocess.run([BIN / "headrace", "dataset", "cifar10", "--sample", "--data-dir", folder], check=True, stdout=subprocess.DEVNULL)
        print(f"batch {a.batch} a rank, one core a rank, median of {a.rounds} rounds of {a.steps} steps\n"
              f"{'':34}{'images/s:':>10}\n{'':16}{'side':18}{'1 rank':>10}{'2 ranks':>10}{'efficiency':>12}{'2 programs':>14}{'of that':>14}")
        ours = None
        for side in (SIDES[name](a) for name in a.sides):
            results = measure(a, side)
            print_efficiency(side, results)
            print_cores(side, results)
            ours = ours or (results if type(side) is Headrace else None)
        if ours:
            print_loss(ours)
            print_ranks(ours)
            print_model(a, ours)


main()
