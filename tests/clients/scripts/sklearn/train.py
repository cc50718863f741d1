"""scikit-learn with joblib's file and model_fn, as the sample notebooks have it."""
from __future__ import print_function

import argparse
import os

import joblib
import numpy as np
from sklearn import tree

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_leaf_nodes", type=int, default=-1)
    parser.add_argument("--output-data-dir", type=str, default=os.environ["SM_OUTPUT_DATA_DIR"])
    parser.add_argument("--model-dir", type=str, default=os.environ["SM_MODEL_DIR"])
    parser.add_argument("--train", type=str, default=os.environ["SM_CHANNEL_TRAIN"])
    args = parser.parse_args()

    files = [os.path.join(args.train, file) for file in os.listdir(args.train)]
    if not files:
        raise ValueError("There are no files in {}. Was the channel named train?".format(args.train))
    table = np.concatenate([np.loadtxt(file, delimiter=",", skiprows=1) for file in files])
    classifier = tree.DecisionTreeClassifier(max_leaf_nodes=args.max_leaf_nodes).fit(table[:, :2], table[:, 2])
    print("train_accuracy={:.4f};".format(classifier.score(table[:, :2], table[:, 2])))
    joblib.dump(classifier, os.path.join(args.model_dir, "model.joblib"))


def model_fn(model_dir):
    return joblib.load(os.path.join(model_dir, "model.joblib"))
