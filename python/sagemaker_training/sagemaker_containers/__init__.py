"""The training toolkit's name before 2020, for programs that still import it: sagemaker_containers.training_env()."""
from sagemaker_training.environment import Environment as training_env

__all__ = ["training_env"]
