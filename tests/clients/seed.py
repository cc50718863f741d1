"""What the seed's notebook holds besides its calls: metric definitions, hyperparameters, tags."""
import pathlib

SOURCE_DIR = pathlib.Path(__file__).resolve().parents[2] / "examples/cifar10"
PREFIX = "tf-cifar10-example"
# Small batches: a step of a second or more prints "1s/step", which the notebook's sec/steps does not match.
HYPERPARAMETERS = {"epochs": 2, "batch-size": 32}
# What makes two jobs alike to the last bit; and the sizes of the sample, which nobody can count beforehand in Pipe mode.
COMPARABLE = {**HYPERPARAMETERS, "seed": 1, "conv-algorithms": "direct",
              "train-records": 1600, "validation-records": 400, "eval-records": 400}
TAGS = [{"Key": "Project", "Value": "cifar10"}, {"Key": "TensorBoard", "Value": "file"}]

# As the notebook spells them: ordinary Python strings, so '\\.' is a backslash and a dot and '\d' is kept as it is.
METRIC_DEFINITIONS = [
    {"Name": "train:loss", "Regex": ".*loss: ([0-9\\.]+) - accuracy: [0-9\\.]+.*"},
    {"Name": "train:accuracy", "Regex": ".*loss: [0-9\\.]+ - accuracy: ([0-9\\.]+).*"},
    {"Name": "validation:accuracy",
     "Regex": ".*step - loss: [0-9\\.]+ - accuracy: [0-9\\.]+ - val_loss: [0-9\\.]+ - val_accuracy: ([0-9\\.]+).*"},
    {"Name": "validation:loss",
     "Regex": ".*step - loss: [0-9\\.]+ - accuracy: [0-9\\.]+ - val_loss: ([0-9\\.]+) - val_accuracy: [0-9\\.]+.*"},
    {"Name": "sec/steps",
     "Regex": ".* - \\d+s (\\d+)[mu]s/step - loss: [0-9\\.]+ - accuracy: [0-9\\.]+ - val_loss: [0-9\\.]+ - val_accuracy: [0-9\\.]+"},
]
METRIC_NAMES = [definition["Name"] for definition in METRIC_DEFINITIONS]
