"""XGBoost in script mode: a booster with an evaluation list, whose lines metric definitions read."""
import argparse
import os

import numpy as np
import xgboost

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_depth", type=int)
    parser.add_argument("--eta", type=float)
    parser.add_argument("--objective", type=str)
    parser.add_argument("--num_round", type=int)
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAIN"))
    args = parser.parse_args()

    table = np.loadtxt(os.path.join(args.train, "points.csv"), delimiter=",", skiprows=1)
    matrix = xgboost.DMatrix(table[:, :2], label=table[:, 2])
    booster = xgboost.train({"max_depth": args.max_depth, "eta": args.eta, "objective": args.objective}, matrix,
                            num_boost_round=args.num_round, evals=[(matrix, "train")])
    booster.save_model(os.path.join(os.environ["SM_MODEL_DIR"], "xgboost-model.json"))
