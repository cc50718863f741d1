"""Trains a convolutional network on CIFAR-10 and exports it for serving: keras_cifar10.cpp in Python.

    headrace dataset cifar10 --data-dir data
    python keras_cifar10.py --train data/train --validation data/validation --eval data/eval --model_dir model

Runs on TensorFlow 1.15 and on TensorFlow 2 with Keras 2 or 3. In a job with Pipe mode its records come through
sagemaker_tensorflow.PipeModeDataset; in one with MPI its ranks train together with Horovod, each on its share of the records.
"""
import argparse
import inspect
import json
import os
import random
import struct
import sys
import time

import tensorflow as tf

keras = tf.keras
TENSORFLOW_1 = tf.__version__.startswith("1.")
KERAS_3 = getattr(keras, "__version__", "2").startswith("3.")
CLASSES = 10


def parse_arguments():
    def of_job(name, otherwise):
        return os.environ.get(name, otherwise)

    parser = argparse.ArgumentParser(formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    for channel in ("train", "validation", "eval"):
        parser.add_argument("--" + channel, default=of_job("SM_CHANNEL_" + channel.upper(), "data/" + channel),
                            help="directory of %s.tfrecords" % channel)
        parser.add_argument("--%s-records" % channel, type=int, default=40000 if channel == "train" else 10000,
                            help="in Pipe mode, where they cannot be counted beforehand")
    parser.add_argument("--model_dir", default=of_job("SM_MODEL_DIR", "model"),
                        help="gets the SavedModel as version 1; where it is an S3 address, --model_output_dir gets it")
    parser.add_argument("--model_output_dir", default=of_job("SM_MODEL_DIR", "model"))
    parser.add_argument("--output-dir", default=of_job("SM_OUTPUT_DATA_DIR", "output"), help="gets checkpoints")
    parser.add_argument("--tensorboard-dir", help="gets TensorBoard's logs; --output-dir where it is not given")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--learning-rate", type=float, default=0.001, help="times the number of ranks")
    parser.add_argument("--weight-decay", type=float, default=2e-4, help="of the learning rate: rate / (1 + decay * step)")
    parser.add_argument("--optimizer", default="adam", type=str.lower, choices=("adam", "sgd", "rmsprop"))
    parser.add_argument("--momentum", type=float, default=0.9, help="of sgd")
    parser.add_argument("--seed", type=int, help="of weights, dropout and data; by chance where it is not given")
    parser.add_argument("--data-config", type=json.loads, default=of_job("SM_INPUT_DATA_CONFIG", "{}"),
                        help="the job's channels and their modes")
    parser.add_argument("--fw-params", type=json.loads, default=of_job("SM_FRAMEWORK_PARAMS", "{}"),
                        help="whether the job has MPI (under mpirun it is seen)")
    return parser.parse_args()


class Ranks:
    """This program's place among those that train together."""

    def __init__(self, mpi):
        self.hvd, self.rank, self.size = None, 0, 1
        if mpi:
            import horovod.tensorflow.keras as hvd
            hvd.init()
            self.hvd, self.rank, self.size = hvd, hvd.rank(), hvd.size()
            self.take_own_gpu(hvd.local_rank())

    @staticmethod
    def take_own_gpu(local_rank):
        if TENSORFLOW_1:
            config = tf.compat.v1.ConfigProto()
            config.gpu_options.allow_growth = True
            config.gpu_options.visible_device_list = str(local_rank)
            tf.compat.v1.keras.backend.set_session(tf.compat.v1.Session(config=config))
        else:
            gpus = tf.config.list_physical_devices("GPU")
            tf.config.set_visible_devices(gpus[local_rank:local_rank + 1], "GPU")


def is_piped(arguments, channel):
    return arguments.data_config.get(channel, {}).get("TrainingInputMode", "File").lower() == "pipe"


def file_of(arguments, channel):
    return os.path.join(getattr(arguments, channel), channel + ".tfrecords")


def count_records(arguments, channel):
    if is_piped(arguments, channel):
        return getattr(arguments, channel + "_records")
    count = 0
    with open(file_of(arguments, channel), "rb") as records:
        while True:
            length = records.read(8)
            if not length:
                return count
            records.seek(struct.unpack("<Q", length)[0] + 8, os.SEEK_CUR)  # over the record and its two checksums
            count += 1


def steps_of(arguments, channel, ranks):
    records = count_records(arguments, channel)
    if records < arguments.batch_size * ranks.size:
        sys.exit("keras_cifar10: --batch-size: found %d, wanted %d or less: %s has %d records for %d rank(s)" %
                 (arguments.batch_size, records // ranks.size, channel, records, ranks.size))
    return records // arguments.batch_size // ranks.size


def parse_and_augment(record):
    """An image as 32 x 32 x 3 of 0 to 255, cut at random from the middle of a black frame and perhaps mirrored; its label as
    one of ten."""
    example = tf.io.parse_single_example(record, {"image": tf.io.FixedLenFeature([], tf.string),
                                                  "label": tf.io.FixedLenFeature([], tf.int64)})
    planes = tf.reshape(tf.io.decode_raw(example["image"], tf.uint8), [3, 32, 32])
    image = tf.image.resize_with_crop_or_pad(tf.transpose(planes, [1, 2, 0]), 40, 40)
    image = tf.image.random_flip_left_right(tf.image.random_crop(image, [32, 32, 3]))
    return tf.cast(image, tf.float32), tf.one_hot(example["label"], CLASSES)


def batches(arguments, channel, ranks):
    """Augmented batches of a channel without end; every channel is augmented, as in the original. Of several ranks each has
    its share of the records."""
    if is_piped(arguments, channel):
        from sagemaker_tensorflow import PipeModeDataset
        records = PipeModeDataset(channel=channel, record_format="TFRecord")
    else:
        records = tf.data.TFRecordDataset([file_of(arguments, channel)])
    if ranks.size > 1:
        records = records.shard(ranks.size, ranks.rank)
    examples = records.repeat().prefetch(10).map(parse_and_augment, num_parallel_calls=10)
    if channel == "train":
        examples = examples.shuffle(20000 + 3 * arguments.batch_size)
    return examples.batch(arguments.batch_size, drop_remainder=True)


def make_model():
    layers = keras.layers

    def block(x, filters, dropout):
        for padding in ("same", "valid"):
            x = layers.Conv2D(filters, 3, padding=padding)(x)
            x = layers.Activation("relu")(layers.BatchNormalization()(x))
        return layers.Dropout(dropout)(layers.MaxPooling2D(2)(x))

    image = keras.Input(shape=(32, 32, 3), name="image")
    x = block(block(block(image, 32, 0.2), 64, 0.3), 128, 0.4)
    x = layers.Activation("relu")(layers.Dense(512)(layers.Flatten()(x)))
    x = layers.Dense(CLASSES)(layers.Dropout(0.5)(x))
    return keras.Model(image, layers.Activation("softmax", name="scores")(x))


def with_decay(optimizer, decay):
    """A Keras 3 optimizer whose rate falls with every step, as the optimizers of Keras before 2.11 had it. A schedule would do
    the same, but then no callback could set the rate."""
    class Decaying(optimizer):
        def update_step(self, gradient, variable, learning_rate):
            steps = keras.ops.cast(self.iterations, learning_rate.dtype)
            super(Decaying, self).update_step(gradient, variable, learning_rate / (1 + decay * steps))

    Decaying.__name__ = optimizer.__name__  # checkpoints name it: they can be read without this script
    return Decaying


def make_optimizer(arguments, ranks):
    name = {"adam": "Adam", "sgd": "SGD", "rmsprop": "RMSprop"}[arguments.optimizer]
    settings = {"momentum": arguments.momentum} if arguments.optimizer == "sgd" else {}
    rate = arguments.learning_rate * ranks.size
    if KERAS_3:
        optimizer = with_decay(getattr(keras.optimizers, name), arguments.weight_decay)(rate, **settings)
    else:
        kind = getattr(getattr(keras.optimizers, "legacy", keras.optimizers), name)
        optimizer = kind(rate, decay=arguments.weight_decay, **settings)
    return ranks.hvd.DistributedOptimizer(optimizer) if ranks.hvd else optimizer


class EpochLines(keras.callbacks.Callback):
    """Prints each epoch as Keras 2 did, in the order that the workflow's metric definitions expect: Keras 3's own line begins
    with the accuracy, and its steps of a second or more have no milliseconds. Of a long epoch a line every ten seconds."""

    SECONDS = 10
    VALUES = ("loss", "accuracy", "val_loss", "val_accuracy")

    def __init__(self, epochs, steps):
        super(EpochLines, self).__init__()
        self.epochs, self.steps = epochs, steps

    def on_epoch_begin(self, epoch, logs=None):
        print("Epoch %d/%d" % (epoch + 1, self.epochs), flush=True)
        self.began = self.told = time.time()

    def on_train_batch_end(self, batch, logs=None):
        now, step = time.time(), batch + 1
        if now - self.told >= self.SECONDS and step < self.steps:
            self.told = now
            self.print_line(step, "ETA: %.0fs" % ((now - self.began) / step * (self.steps - step)), logs)

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.time() - self.began
        self.print_line(self.steps, "%.0fs %.0fms/step" % (seconds, 1000 * seconds / self.steps), logs)

    def print_line(self, step, times, logs):
        bar = ("=" * (30 * step // self.steps)).ljust(30, ".")
        values = "".join(" - %s: %.4f" % (name, float(logs[name])) for name in self.VALUES if name in logs)
        print("%d/%d [%s] - %s%s" % (step, self.steps, bar, times, values), flush=True)


def make_callbacks(arguments, ranks, steps):
    callbacks = []
    if ranks.hvd:
        warmup = ranks.hvd.callbacks.LearningRateWarmupCallback
        settings = {"warmup_epochs": 5, "verbose": 1 if ranks.rank == 0 else 0}
        if "initial_lr" in inspect.signature(warmup).parameters:  # Horovod 0.20 and later want to be told
            settings["initial_lr"] = arguments.learning_rate * ranks.size
        callbacks = [ranks.hvd.callbacks.BroadcastGlobalVariablesCallback(0), ranks.hvd.callbacks.MetricAverageCallback(),
                     warmup(**settings)]
    callbacks.append(keras.callbacks.ReduceLROnPlateau(patience=10, verbose=1 if ranks.rank == 0 else 0))
    if ranks.rank == 0:
        callbacks.append(EpochLines(arguments.epochs, steps))
        callbacks.append(keras.callbacks.ModelCheckpoint(os.path.join(arguments.output_dir, "checkpoint-{epoch}.h5")))
        callbacks.append(keras.callbacks.TensorBoard(arguments.tensorboard_dir or arguments.output_dir, update_freq="epoch"))
    return callbacks


def export(model, directory):
    """A SavedModel of one signature: `image` in, `scores` out."""
    if TENSORFLOW_1:  # from a graph of its own: the one that trained holds gradients, which later versions cannot read
        weights = model.get_weights()
        with tf.Graph().as_default(), tf.compat.v1.Session() as session:
            tf.compat.v1.keras.backend.set_session(session)
            tf.compat.v1.keras.backend.set_learning_phase(0)
            alone = make_model()
            alone.set_weights(weights)
            tf.compat.v1.saved_model.simple_save(session, directory, {"image": alone.input}, {"scores": alone.output})
        return

    @tf.function(input_signature=[tf.TensorSpec([None, 32, 32, 3], tf.float32, name="image")])
    def serve(image):
        return {"scores": model(image, training=False)}

    tf.saved_model.save(model, directory, signatures=serve)


def main():
    arguments = parse_arguments()
    ranks = Ranks(mpi=arguments.fw_params.get("sagemaker_mpi_enabled") or "OMPI_COMM_WORLD_SIZE" in os.environ)
    if arguments.seed is not None:
        random.seed(arguments.seed + ranks.rank)  # what Keras 3 draws its seeds from
        tf.compat.v1.set_random_seed(arguments.seed + ranks.rank)

    model = make_model()
    model.compile(make_optimizer(arguments, ranks), "categorical_crossentropy",
                  metrics=[keras.metrics.CategoricalAccuracy(name="accuracy")])
    if ranks.rank == 0:
        print("%s: %d parameters, %s optimizer" % (model.name, model.count_params(), arguments.optimizer))
        os.makedirs(arguments.output_dir, exist_ok=True)

    steps = steps_of(arguments, "train", ranks)
    model.fit(batches(arguments, "train", ranks), epochs=arguments.epochs, steps_per_epoch=steps, shuffle=False, verbose=0,
              validation_data=batches(arguments, "validation", ranks), validation_steps=steps_of(arguments, "validation", ranks),
              callbacks=make_callbacks(arguments, ranks, steps))

    alone = Ranks(mpi=False)
    loss, accuracy = model.evaluate(batches(arguments, "eval", alone), steps=steps_of(arguments, "eval", alone), verbose=0)
    if ranks.rank > 0:
        return
    print("Test loss: %g\nTest accuracy: %g" % (loss, accuracy))
    model_dir = arguments.model_output_dir if arguments.model_dir.startswith("s3://") else arguments.model_dir
    export(model, os.path.join(model_dir, "1"))
    print("Model successfully saved at: %s/1" % model_dir)


if __name__ == "__main__":
    main()
