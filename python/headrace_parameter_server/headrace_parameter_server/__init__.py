"""A program on a host of a job with TensorFlow's parameter servers, beside the host's own server."""
