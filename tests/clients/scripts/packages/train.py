"""A source directory with a setup.py and packages of its own; started as a module, with the packages installed."""
import argparse
import json
import os

from shop.models.threshold import predict

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--values", type=str)
    args, unknown = parser.parse_known_args()
    found = [bool(predict(value)) for value in json.loads(args.values)]
    print("predicted", found, "unknown", unknown)
    with open(os.path.join(os.environ["SM_MODEL_DIR"], "model.json"), "w") as file:
        json.dump(found, file)
