// The images of SageMaker's TensorFlow containers.
#pragma once

#include <string>

namespace headrace::sagemaker {

// "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:1.15.2-gpu-py3"
std::string TrainingImage(const std::string& region, const std::string& version, const std::string& py_version,
                          const std::string& instance_type);
// "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15.2-cpu"
std::string ServingImage(const std::string& region, const std::string& version, const std::string& instance_type);
// "1.15.2" of a training image's tag; "" when it has none.
std::string VersionOfImage(const std::string& image_uri);
// "tensorflow-training" of an image.
std::string RepositoryOfImage(const std::string& image_uri);

}  // namespace headrace::sagemaker
