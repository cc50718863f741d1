"""Keras 3 on TensorFlow, with nothing of SageMaker but the directories."""
import os
import pathlib

import keras
import numpy as np

keras.utils.set_random_seed(7)
table = np.loadtxt(pathlib.Path(os.environ["SM_CHANNEL_TRAIN"]) / "points.csv", delimiter=",", skiprows=1, dtype="float32")
points, labels = table[:, :2], table[:, 2]

model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(points, labels, epochs=int(os.environ.get("SM_HP_EPOCHS", "3")), validation_split=0.2, verbose=2,
                    callbacks=[keras.callbacks.EarlyStopping(patience=20), keras.callbacks.CSVLogger(os.environ["SM_OUTPUT_DATA_DIR"] + "/log.csv")])
model.save(os.environ["SM_MODEL_DIR"] + "/model.keras")
model.export(os.environ["SM_MODEL_DIR"] + "/1")
print(f"final accuracy: {history.history['accuracy'][-1]:.4f}")
