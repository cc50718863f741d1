#!/usr/bin/env python3
"""The learning curves of the example on CIFAR-10: several seeds in float32 and mixed_bfloat16, against Keras's.

Usage: scripts/bench learning --data DIR [--seeds 1 2 3] [--policies float32 mixed_bfloat16] [--logs DIR]
DIR is what `headrace dataset cifar10 --data-dir DIR` writes (the whole data set). A run takes minutes; its output is kept
as LOGS/POLICY-SEED.log, and a run whose log is complete is not made again, so the comparison can be stopped and continued.
"""
import argparse
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Keras 3.15 on TensorFlow 2.21: the seed's model, data and settings; three seeds within 0.006 of each other.
KERAS_TRAINING = [0.291, 0.420, 0.489, 0.539, 0.571, 0.597, 0.617, 0.633, 0.650, 0.663]
KERAS_VALIDATION = 0.650  # mean of the last three epochs
TRAINING_BOUND, VALIDATION_BOUND = 0.01, 0.02
EPOCHS = len(KERAS_TRAINING)
EPOCH_LINE = re.compile(r" loss: \S+ - accuracy: (\S+) - val_loss: \S+ - val_accuracy: (\S+)")


def curves(log):
    """Training and validation accuracy, an epoch each."""
    pairs = [found.groups() for line in re.split(r"[\r\n]", log) if (found := EPOCH_LINE.search(line))]
    return [float(a) for a, _ in pairs], [float(b) for _, b in pairs]


def test_accuracy(log):
    found = re.search(r"^Test accuracy: (\S+)", log, re.M)
    return float(found.group(1)) if found else None


def train(program, data, policy, seed, path):
    if path.exists() and test_accuracy(path.read_text()) is not None:
        return
    with tempfile.TemporaryDirectory() as folder:
        start = time.monotonic()
        command = [program, "--train", data / "train", "--validation", data / "validation", "--eval", data / "eval", "--model_dir",
                   f"{folder}/model", "--output-dir", folder, "--epochs", EPOCHS, "--batch-size", 256, "--seed", seed,
                   "--policy", policy]
        with open(path, "w") as log:
            subprocess.run(list(map(str, command)), stdout=log, stderr=subprocess.STDOUT, check=True)
            log.write(f"Seconds: {time.monotonic() - start:.0f}\n")


def table(policies, seeds, logs):
    """Prints the curves; true when every one is within the bounds."""
    within, verdicts = True, []
    print("| run | " + " | ".join(f"{e + 1}" for e in range(EPOCHS)) + " | validation, last three | test | seconds |")
    print("|---" * (EPOCHS + 4) + "|")
    print("| Keras on TensorFlow | " + " | ".join(f"{a:.3f}" for a in KERAS_TRAINING) + f" | {KERAS_VALIDATION:.3f} | | 745–866 |")
    for policy in policies:
        trainings, validations = [], []
        for seed in seeds:
            log = (logs / f"{policy}-{seed}.log").read_text()
            training, validation = curves(log)
            trainings.append(training)
            validations.append(statistics.mean(validation[-3:]))
            seconds = re.search(r"^Seconds: (\d+)", log, re.M)
            print(f"| {policy}, seed {seed} | " + " | ".join(f"{a:.3f}" for a in training) +
                  f" | {validations[-1]:.3f} | {test_accuracy(log):.3f} | {seconds.group(1) if seconds else ''} |")
        mean = [statistics.mean(epoch) for epoch in zip(*trainings)]
        validation = statistics.mean(validations)
        print(f"| **{policy}, mean** | " + " | ".join(f"{a:.3f}" for a in mean) + f" | {validation:.3f} | | |")
        away = max(abs(a - b) for a, b in zip(mean, KERAS_TRAINING))
        furthest = max(abs(a - b) for training in trainings for a, b in zip(training, KERAS_TRAINING))
        verdicts.append(f"{policy}: the mean curve is at most {away:.3f} from Keras's (bound {TRAINING_BOUND}), a single seed's "
                        f"{furthest:.3f}; validation {validation - KERAS_VALIDATION:+.3f} (bound {VALIDATION_BOUND})")
        within &= away <= TRAINING_BOUND and abs(validation - KERAS_VALIDATION) <= VALIDATION_BOUND and len(mean) == EPOCHS
    print("\n" + "\n".join(verdicts))
    return within


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--policies", nargs="+", default=["float32", "mixed_bfloat16"])
    parser.add_argument("--logs", type=pathlib.Path, default=ROOT / "build/learning")
    parser.add_argument("--program", type=pathlib.Path, default=ROOT / "build/release/bin/keras_cifar10")
    a = parser.parse_args()
    a.logs.mkdir(parents=True, exist_ok=True)
    for seed in a.seeds:
        for policy in a.policies:
            train(a.program, a.data, policy, seed, a.logs / f"{policy}-{seed}.log")
    sys.exit(0 if table(a.policies, a.seeds, a.logs) else 1)


main()
