"""tf.keras as scripts for TensorFlow 2 have it: a subclassed model, a step of its own under tf.function, a GradientTape."""
import argparse
import json
import os

import numpy as np
import tensorflow as tf


class Classifier(tf.keras.Model):
    def __init__(self, units):
        super().__init__()
        self.hidden = tf.keras.layers.Dense(units, activation="relu")
        self.scores = tf.keras.layers.Dense(2, activation="softmax")

    def call(self, inputs):
        return self.scores(self.hidden(inputs))


def main(args):
    table = np.loadtxt(os.path.join(args.train, "points.csv"), delimiter=",", skiprows=1, dtype=np.float32)
    dataset = tf.data.Dataset.from_tensor_slices((table[:, :2], table[:, 2].astype(np.int64)))
    dataset = dataset.cache().shuffle(1000, seed=1).batch(32).prefetch(tf.data.AUTOTUNE)

    model = Classifier(args.units)
    loss_of = tf.keras.losses.SparseCategoricalCrossentropy()
    optimizer = tf.keras.optimizers.Adam(args.learning_rate)
    loss, accuracy = tf.keras.metrics.Mean(), tf.keras.metrics.SparseCategoricalAccuracy()

    @tf.function
    def step(points, labels):
        with tf.GradientTape() as tape:
            scores = model(points, training=True)
            value = loss_of(labels, scores)
        optimizer.apply_gradients(zip(tape.gradient(value, model.trainable_variables), model.trainable_variables))
        loss(value)
        accuracy(labels, scores)

    for epoch in range(args.epochs):
        loss.reset_state()
        accuracy.reset_state()
        for points, labels in dataset:
            step(points, labels)
        print(f"Epoch {epoch + 1}, Loss: {loss.result():.4f}, Accuracy: {accuracy.result():.4f}")

    if args.current_host == args.hosts[0]:
        model.export(os.path.join(args.sm_model_dir, "00000001"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--model_dir", type=str)
    parser.add_argument("--sm-model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    parser.add_argument("--train", type=str, default=os.environ.get("SM_CHANNEL_TRAINING"))
    parser.add_argument("--hosts", type=json.loads, default=os.environ.get("SM_HOSTS"))
    parser.add_argument("--current-host", type=str, default=os.environ.get("SM_CURRENT_HOST"))
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--units", type=int, default=4)
    parser.add_argument("--learning-rate", type=float, default=0.01)
    main(parser.parse_known_args()[0])
