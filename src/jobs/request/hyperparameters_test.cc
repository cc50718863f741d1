#include "jobs/request/hyperparameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;

// The notebook's Horovod job, as its SDK sends it.
const nlohmann::json kNotebook = {{"epochs", "10"},
                                  {"batch-size", "256"},
                                  {"sagemaker_submit_directory", "\"s3://b/j/source/sourcedir.tar.gz\""},
                                  {"sagemaker_program", "\"keras_cifar10.cpp\""},
                                  {"sagemaker_container_log_level", "20"},
                                  {"sagemaker_mpi_enabled", "true"},
                                  {"sagemaker_mpi_custom_mpi_options", "\"\""},
                                  {"model_dir", "\"/opt/ml/model\""}};

TEST(Hyperparameters, SplitsTheUsersFromThePlatforms) {
  const auto decoded = DecodeHyperparameters(kNotebook);
  EXPECT_EQ(decoded.user.dump(), R"({"batch-size":256,"epochs":10,"model_dir":"/opt/ml/model"})");
  EXPECT_EQ(decoded.framework.dump(), R"({"sagemaker_mpi_custom_mpi_options":"","sagemaker_mpi_enabled":true})");
  EXPECT_EQ(decoded.Text("sagemaker_program"), "keras_cifar10.cpp");
  EXPECT_EQ(decoded.Text("sagemaker_container_log_level"), "20");
  EXPECT_EQ(decoded.Text("absent"), "");
}

TEST(Hyperparameters, BecomeArgumentsInOrder) {
  EXPECT_THAT(ToArguments(DecodeHyperparameters(kNotebook).user),
              ElementsAre("--batch-size", "256", "--epochs", "10", "--model_dir", "/opt/ml/model"));
}

TEST(Hyperparameters, PrintValuesAsPythonDoes) {
  const auto decoded = DecodeHyperparameters({{"a", "true"},
                                              {"b", "null"},
                                              {"c", "[1, \"x\", false, 0.5]"},
                                              {"d", "{\"z\": 1, \"y\": \"t\"}"},
                                              {"e", "1e-5"},
                                              {"f", "not json"},
                                              {"g", "0.001"},
                                              {"name", "[\"it's\"]"},
                                              {"long", "123456789012345678901"},
                                              {"nan", "NaN"}});
  EXPECT_THAT(ToArguments(decoded.user),
              ElementsAre("-a", "True", "-b", "", "-c", "[1, 'x', False, 0.5]", "-d", "y=t,z=1", "-e", "1e-05", "-f",
                          "not json", "-g", "0.001", "--long", "123456789012345678901", "--name", "[\"it's\"]", "--nan",
                          "NaN"));
}

TEST(Hyperparameters, BecomeVariablesAsJson) {
  EXPECT_EQ(ToVariable("text"), "text");
  EXPECT_EQ(ToVariable(true), "true");
  EXPECT_EQ(ToVariable({{"b", 1}, {"a", {1, 2}}}), R"({"a":[1,2],"b":1})");
}

}  // namespace
}  // namespace headrace::jobs
