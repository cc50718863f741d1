"""A TensorFlow 1 Estimator with train_and_evaluate, exported for TensorFlow Serving, as scripts of 2018 to 2020 have it."""
import argparse
import os

import tensorflow as tf

FEATURES = ["a", "b"]


def input_fn(path, batch_size, repeat):
    columns = tf.data.experimental.CsvDataset(path, [tf.float32, tf.float32, tf.int32], header=True)
    examples = columns.map(lambda a, b, label: ({"a": a, "b": b}, label))
    return examples.repeat(None if repeat else 1).shuffle(500).batch(batch_size)


def serving_input_receiver_fn():
    inputs = {name: tf.compat.v1.placeholder(tf.float32, [None], name) for name in FEATURES}
    return tf.estimator.export.ServingInputReceiver(inputs, inputs)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model_dir", required=True)
    parser.add_argument("--train", default=os.environ["SM_CHANNEL_TRAIN"])
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--learning_rate", type=float, default=0.1)
    args, _ = parser.parse_known_args()

    tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
    path = os.path.join(args.train, "points.csv")
    estimator = tf.estimator.DNNClassifier(
        [8], [tf.feature_column.numeric_column(name) for name in FEATURES],
        optimizer=tf.compat.v1.train.AdamOptimizer(args.learning_rate),
        config=tf.estimator.RunConfig(model_dir=os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], "estimator"), log_step_count_steps=20))
    tf.estimator.train_and_evaluate(
        estimator, tf.estimator.TrainSpec(lambda: input_fn(path, 32, True), max_steps=args.steps),
        tf.estimator.EvalSpec(lambda: input_fn(path, 100, False), steps=None, start_delay_secs=0, throttle_secs=0))
    print("accuracy = {accuracy:.4f}".format(**estimator.evaluate(lambda: input_fn(path, 100, False))))
    if os.environ["SM_CURRENT_HOST"] == "algo-1":
        estimator.export_saved_model(os.path.join(os.environ["SM_MODEL_DIR"], "export/Servo"), serving_input_receiver_fn)
