"""from sagemaker_containers.beta import framework; framework.training_env()"""
from sagemaker_containers import training_env
from sagemaker_training import environment as env, params

__all__ = ["env", "params", "training_env"]
