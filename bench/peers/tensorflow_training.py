"""Trains the example's CNN with Keras on TensorFlow and prints one JSON line: images a second (median step), peak memory.

usage: tensorflow_training.py --data DIR --policy float32|mixed_bfloat16 --batch N --steps N --threads N [--horovod]
DIR holds train/train.tfrecords. The input pipeline is the example's: parse, pad to 40, random crop, random flip,
shuffle, batch. Warm-up steps are not counted. --horovod: as a rank under mpirun, with python/horovod; the images are those
of all ranks.
"""
import argparse
import json
import os
import resource
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
import tensorflow as tf  # noqa: E402
import keras  # noqa: E402
from keras import layers  # noqa: E402


def parse(record):
    features = tf.io.parse_single_example(
        record, {"image": tf.io.FixedLenFeature([], tf.string), "label": tf.io.FixedLenFeature([], tf.int64)})
    image = tf.reshape(tf.io.decode_raw(features["image"], tf.uint8), [3, 32, 32])
    image = tf.cast(tf.transpose(image, [1, 2, 0]), tf.float32)
    image = tf.image.resize_with_crop_or_pad(image, 40, 40)
    image = tf.image.random_flip_left_right(tf.image.random_crop(image, [32, 32, 3]))
    return image, tf.one_hot(features["label"], 10)


def dataset(path, batch):
    source = tf.data.TFRecordDataset(path).repeat().prefetch(10)
    source = source.map(parse, num_parallel_calls=10)
    return source.shuffle(20000 + 3 * batch).batch(batch, drop_remainder=True).prefetch(2)


def model():
    stack = [keras.Input((32, 32, 3))]
    for filters, rate in ((32, 0.2), (64, 0.3), (128, 0.4)):
        for padding in ("same", "valid"):
            stack += [layers.Conv2D(filters, 3, padding=padding), layers.BatchNormalization(), layers.Activation("relu")]
        stack += [layers.MaxPooling2D(2), layers.Dropout(rate)]
    stack += [layers.Flatten(), layers.Dense(512), layers.Activation("relu"), layers.Dropout(0.5), layers.Dense(10),
              layers.Activation("softmax", dtype="float32")]
    return keras.Sequential(stack)


class Clock(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.times = []

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--data", required=True)
    arguments.add_argument("--policy", default="float32")
    arguments.add_argument("--batch", type=int, default=256)
    arguments.add_argument("--steps", type=int, default=20)
    arguments.add_argument("--warmup", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--horovod", action="store_true")
    a = arguments.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(a.threads)
    tf.config.threading.set_inter_op_parallelism_threads(a.threads)
    keras.mixed_precision.set_global_policy(a.policy)
    optimizer, callbacks, ranks = keras.optimizers.Adam(1e-3), [], 1
    if a.horovod:
        import horovod.keras as hvd
        hvd.init()
        optimizer, ranks = hvd.DistributedOptimizer(optimizer), hvd.size()
        callbacks = [hvd.callbacks.BroadcastGlobalVariablesCallback(0), hvd.callbacks.MetricAverageCallback()]
    cnn = model()
    cnn.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    clock = Clock()
    cnn.fit(dataset(os.path.join(a.data, "train/train.tfrecords"), a.batch), steps_per_epoch=a.steps + a.warmup, epochs=1,
            verbose=0, callbacks=[*callbacks, clock])
    steps = [y - x for x, y in zip(clock.times, clock.times[1:])][a.warmup - 1:]
    print(json.dumps({"peer": f"tensorflow {tf.__version__}", "images_per_second": ranks * a.batch / statistics.median(steps),
                      "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


main()
