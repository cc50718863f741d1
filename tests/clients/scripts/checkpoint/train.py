"""Goes on from the last checkpoint it finds; stops half-way when it is told to, as a job does whose machine is taken away."""
import argparse
import json
import os
import re
import sys

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--stop-after", type=int, default=0)
    parser.add_argument("--checkpoints", default="/opt/ml/checkpoints")
    args, _ = parser.parse_known_args()

    done = sorted(int(re.match(r"epoch-(\d+)\.json$", name).group(1)) for name in os.listdir(args.checkpoints))
    state = {"epoch": 0, "weight": 1.0}
    if done:
        with open(os.path.join(args.checkpoints, "epoch-%d.json" % done[-1])) as file:
            state = json.load(file)
        print("resumed from epoch", state["epoch"])
    while state["epoch"] < args.epochs:
        state = {"epoch": state["epoch"] + 1, "weight": state["weight"] * 0.5}
        print("epoch %(epoch)d weight %(weight)g" % state, flush=True)
        with open(os.path.join(args.checkpoints, "epoch-%d.json" % state["epoch"]), "w") as file:
            json.dump(state, file)
        if state["epoch"] == args.stop_after:
            sys.exit("the machine is taken away")
    with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
        json.dump(state, file)
