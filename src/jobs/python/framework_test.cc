#include "jobs/python/framework.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(Framework, IsWhatTheImageIsCalled) {
  const std::pair<const char*, const char*> images[] = {
      // SDK v1.72: TensorFlow(framework_version="1.15.2", py_version="py3"), and script mode before.
      {"763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:1.15.2-gpu-py3", "tensorflow 1.15.2"},
      {"520713654638.dkr.ecr.us-west-2.amazonaws.com/sagemaker-tensorflow-scriptmode:1.15.2-cpu-py3",
       "tensorflow 1.15.2"},
      // SDK v2 and v3.
      {"763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:2.14.1-cpu-py310", "tensorflow 2.14.1"},
      {"763104351884.dkr.ecr.us-west-2.amazonaws.com/pytorch-training:2.3-cpu-py311", "pytorch 2.3"},
      {"246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", "sklearn 1.2"},
      {"246618743249.dkr.ecr.us-west-2.amazonaws.com/sagemaker-xgboost:1.7-1", "xgboost 1.7"},
      {"763104351884.dkr.ecr.us-east-1.amazonaws.com/"
       "huggingface-pytorch-training:2.1.0-transformers4.36.0-gpu-py310-cu121-ubuntu20.04",
       "pytorch 2.1.0"},
      // Those of others.
      {"tensorflow/tensorflow:latest", "tensorflow"},
      {"localhost:5000/pytorch:v2.3", "pytorch 2.3"},
      {"me/xgboost@sha256:0123", "xgboost"},
      {"headrace", ""},
      {"localhost:5000/tensorflow/mine:2.3", ""},
      {"", ""}};
  for (const auto& [image, wanted] : images) EXPECT_EQ(FrameworkOfImage(image).Text(), wanted) << image;
}

TEST(Framework, TheNearestVersionIsTold) {
  const std::vector<std::string> versions = {"2.14.1", "1.15.5", "2.21.0", "2.14.0", "2.9.0"};
  const std::pair<const char*, size_t> wanted[] = {{"1.15.2", 1}, {"1.4", 1},    {"2.14.0", 0}, {"2.14", 0},
                                                   {"2.10", 2},   {"3.0.1", 2},  {"", 2},       {"2", 2},
                                                   {"2.9.3", 4},  {"2.21.0", 2}, {"latest", 2}};
  for (const auto& [version, place] : wanted) EXPECT_EQ(NearestVersion(version, versions), place) << version;
  EXPECT_EQ(NearestVersion("2.1", {}), std::nullopt);
  EXPECT_EQ(NearestVersion("2.1", {"2.1.0", "2.1.0"}), size_t{0});
  EXPECT_EQ(NearestVersion("2.3", {"2.3.0+cpu", "2.3.1rc1"}), size_t{1});
}

TEST(Framework, HasOtherNames) {
  const auto spec = [](const char* text) {
    const auto parsed = ParseFrameworkSpec(text);
    return parsed ? fmt::format("{} of {}", parsed->wanted.Text(), parsed->package) : parsed.error().message();
  };
  EXPECT_EQ(spec("tensorflow==2.21"), "tensorflow 2.21 of tensorflow");
  EXPECT_EQ(spec("tensorflow-cpu==2.21"), "tensorflow 2.21 of tensorflow-cpu");
  EXPECT_EQ(spec("torch"), "pytorch of torch");
  EXPECT_EQ(spec("pytorch==2.3"), "pytorch 2.3 of torch");
  EXPECT_EQ(spec("sklearn"), "sklearn of scikit-learn");
  EXPECT_EQ(spec("numpy"),
            "found 'numpy', wanted one of tensorflow, pytorch, sklearn, xgboost, with a version or without: "
            "tensorflow==2.21");
  EXPECT_EQ(spec("tensorflow==--pre"), "found 'tensorflow==--pre', wanted a version as in tensorflow==2.21");
  EXPECT_EQ(spec("tensorflow==2;x"), "found 'tensorflow==2;x', wanted a version as in tensorflow==2.21");
}

TEST(Framework, IsAddedByACommandThatWorks) {
  EXPECT_EQ(CommandToAdd(FrameworkOfImage("tensorflow-training:2.14.1-cpu-py310")),
            "headrace python add tensorflow==2.14");
  EXPECT_EQ(CommandToAdd(FrameworkOfImage("tensorflow-training:1.15.2-gpu-py3")), "headrace python add tensorflow");
  EXPECT_EQ(CommandToAdd(FrameworkOfImage("pytorch-training:latest")), "headrace python add pytorch");
}

}  // namespace
}  // namespace headrace::jobs
