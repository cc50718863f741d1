"""What TensorFlow reads when it is imported. It transposes dilated convolutions with oneDNN alone, which it takes by itself only on
processors with AVX-512 VNNI: with oneDNN everywhere, the tests compare with the same kernels on every machine."""
import os

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
