"""SageMaker's sagemaker_tensorflow for every Python and TensorFlow: the package of that name ends at Python 3.10 and TensorFlow 2.14."""
from sagemaker_tensorflow.pipemode import PipeModeDataset, PipeModeDatasetException

__all__ = ["PipeModeDataset", "PipeModeDatasetException"]
