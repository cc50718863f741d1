#include "jobs/python/missing_module.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::EndsWith;

std::string Remedy(const std::string& line, const std::string& image = "") {
  return RemedyForMissingModule({"Traceback (most recent call last):", line, "during the work"}, image);
}

TEST(MissingModule, OfAFrameworkIsTheOwnersToAdd) {
  EXPECT_EQ(Remedy("ModuleNotFoundError: No module named 'tensorflow'", "x/tensorflow-training:2.14.1-cpu-py310"),
            "The Python that ran has no tensorflow; the owner of this machine can add one that has it: headrace python "
            "add tensorflow==2.14");
  EXPECT_THAT(Remedy("ImportError: No module named tensorflow", "x/tensorflow-training:1.15.2-cpu-py3"),
              EndsWith(": headrace python add tensorflow"));
  EXPECT_THAT(Remedy("ModuleNotFoundError: No module named 'torch'", "x/tensorflow-training:2.14.1-cpu-py310"),
              EndsWith(": headrace python add pytorch"));
  EXPECT_THAT(Remedy("ModuleNotFoundError: No module named 'sklearn'"), EndsWith(": headrace python add sklearn"));
  EXPECT_THAT(Remedy("ModuleNotFoundError: No module named 'xgboost'"), EndsWith(": headrace python add xgboost"));
  EXPECT_THAT(Remedy("ModuleNotFoundError: No module named 'keras.layers'"),
              EndsWith(": headrace python add tensorflow"));
  EXPECT_EQ(Remedy("ModuleNotFoundError: No module named 'tensorflow.contrib'"),
            "The version of tensorflow that ran has no 'tensorflow.contrib'");
}

TEST(MissingModule, OfAnythingElseIsTheProgramsToBring) {
  const std::pair<const char*, const char*> packages[] = {
      {"cv2", "opencv-python-headless"}, {"PIL", "pillow"},    {"PIL.Image", "pillow"},        {"yaml", "PyYAML"},
      {"skimage.io", "scikit-image"},    {"pandas", "pandas"}, {"google.protobuf", "protobuf"}};
  for (const auto& [module, package] : packages)
    EXPECT_THAT(Remedy(fmt::format("ModuleNotFoundError: No module named '{}'", module)),
                EndsWith(fmt::format("name its package in requirements.txt beside the entry point: {}", package)));
}

TEST(MissingModule, IsNotSeenInOtherFailures) {
  EXPECT_EQ(Remedy("ValueError: no module"), "");
  EXPECT_EQ(RemedyForMissingModule({}, ""), "");
  EXPECT_EQ(Remedy("No module named "), "");
}

}  // namespace
}  // namespace headrace::jobs
