"""The job's environment, as sagemaker_training.environment shows it: read from /opt/ml and the variables of the job.

    from sagemaker_training import environment
    env = environment.Environment()
    env.channel_input_dirs["train"], env.hyperparameters["epochs"], env.is_master
"""
import collections.abc
import json
import os

BASE_PATH_ENV = "SAGEMAKER_BASE_DIR"
# Where a job's files are not at /opt/ml (without a sandbox) its variables say where they are.
base_dir = os.environ.get(BASE_PATH_ENV) or os.path.dirname(os.environ.get("SM_INPUT_DIR", "/opt/ml/input"))
code_dir = os.path.join(base_dir, "code")
model_dir = os.path.join(base_dir, "model")
input_dir = os.path.join(base_dir, "input")
input_config_dir = os.path.join(input_dir, "config")
output_dir = os.path.join(base_dir, "output")
output_data_dir = os.path.join(output_dir, "data")
output_intermediate_dir = os.path.join(output_dir, "intermediate")

HYPERPARAMETERS_FILE = "hyperparameters.json"
RESOURCE_CONFIG_FILE = "resourceconfig.json"
INPUT_DATA_CONFIG_FILE = "inputdataconfig.json"


def _read(name):
    try:
        with open(os.path.join(input_config_dir, name)) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def _decoded(value):
    try:
        return json.loads(value)
    except (TypeError, ValueError):
        return value


def read_hyperparameters():
    """All of them, SageMaker's own too, decoded."""
    return {name: _decoded(value) for name, value in _read(HYPERPARAMETERS_FILE).items()}


def read_resource_config():
    return _read(RESOURCE_CONFIG_FILE)


def read_input_data_config():
    return _read(INPUT_DATA_CONFIG_FILE)


def channel_path(channel):
    return os.path.join(input_dir, "data", channel)


def num_cpus():
    """The cores that the job may use."""
    return int(os.environ.get("SM_NUM_CPUS") or len(os.sched_getaffinity(0)))


def num_gpus():
    return int(os.environ.get("SM_NUM_GPUS", 0))


def num_neurons():
    return int(os.environ.get("SM_NUM_NEURONS", 0))


class Environment(collections.abc.Mapping):
    """The toolkit's properties by their own names; also a mapping of them. What it says does not change."""

    def __init__(self):
        self._values = json.loads(os.environ.get("SM_TRAINING_ENV", "{}"))
        own = {name: value for name, value in read_hyperparameters().items() if not name.startswith("sagemaker_")}
        for name, value in {"hyperparameters": own, "resource_config": read_resource_config(), "input_data_config": read_input_data_config(),
                            "input_dir": input_dir, "input_config_dir": input_config_dir, "model_dir": model_dir, "output_dir": output_dir,
                            "output_data_dir": output_data_dir, "output_intermediate_dir": output_intermediate_dir, "num_cpus": num_cpus(),
                            "num_gpus": num_gpus(), "num_neurons": num_neurons(), "log_level": 20}.items():
            self._values.setdefault(name, value)
        self._values.setdefault("hosts", self.resource_config.get("hosts", []))
        self._values.setdefault("current_host", self.resource_config.get("current_host"))
        self._values.setdefault("channel_input_dirs", {name: channel_path(name) for name in self.input_data_config})

    def __getattr__(self, name):
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError("the job's environment has no '{}'; it has {}".format(name, ", ".join(sorted(self.__dict__.get("_values", ())))))

    def __getitem__(self, name):
        return self._values[name]

    def __iter__(self):
        return iter(self._values)

    def __len__(self):
        return len(self._values)

    def to_cmd_args(self):
        """The arguments of the user's program."""
        return json.loads(os.environ.get("SM_USER_ARGS", "[]"))

    def to_env_vars(self):
        """The SM_ variables of the job."""
        return {name: value for name, value in os.environ.items() if name.startswith("SM_")}


# As older programs call it.
TrainingEnvironment = Environment
