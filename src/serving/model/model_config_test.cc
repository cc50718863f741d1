#include "serving/model/model_config.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "serving/model/text_message.h"

namespace headrace::serving {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(ModelConfig, TensorFlowServingsFile) {
  const auto configs = ParseModelConfigs(R"(# comment
    model_config_list: {
      config { name: "m" base_path: "/models/m" model_platform: 'tensorflow'
               model_version_policy { specific { versions: 42 versions: 43 } }
               version_labels { key: "stable" value: 42 } version_labels { key: 'canary', value: 43 } }
      config { name: "n", base_path: "/models/" "n", model_version_policy: { all {} } }
    })",
                                         "models.config");
  ASSERT_TRUE(configs) << configs.error().message();
  ASSERT_EQ(configs->size(), 2u);
  EXPECT_EQ((*configs)[0].name, "m");
  EXPECT_THAT((*configs)[0].policy.Choose({41, 43, 42, 44}), ElementsAre(42, 43));
  EXPECT_EQ((*configs)[0].labels.at("canary"), 43);
  EXPECT_EQ((*configs)[1].base_path, "/models/n");
  EXPECT_THAT((*configs)[1].policy.Choose({2, 1}), ElementsAre(1, 2));
}

TEST(ModelConfig, MistakesAreNamed) {
  const auto error = [](const std::string& text) {
    const auto configs = ParseModelConfigs(text, "f");
    return configs ? "no error" : configs.error().message();
  };
  EXPECT_THAT(error(""), HasSubstr("configures no model"));
  EXPECT_THAT(error("model_config_list { config { name: \"m\" } }"), HasSubstr("without name or base_path"));
  EXPECT_THAT(error("model_config_list { config { name: \"m\" base_path: \"m\" } }"), HasSubstr("not absolute"));
  EXPECT_THAT(error("model_config_list { config { name: \"m\" base_path: \"/m\" colour: 1 } }"), HasSubstr("'colour'"));
  EXPECT_THAT(error("model_config_list {\n config {"), HasSubstr("line 2: a message without its end"));
  EXPECT_THAT(error("model_config_list"), HasSubstr("wanted ':' or '{'"));
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "a{";
  EXPECT_THAT(error(deep), HasSubstr("too deep"));
}

TEST(ModelConfig, BatchingParameters) {
  const auto parameters = ParseBatchingParameters(
      "max_batch_size { value: 128 }\nbatch_timeout_micros { value: 0 }\nmax_enqueued_batches { value: 100 }\n"
      "num_batch_threads { value: 4 }\nallowed_batch_sizes: 64\nallowed_batch_sizes: 128",
      "b", {});
  ASSERT_TRUE(parameters) << parameters.error().message();
  EXPECT_EQ(parameters->max_batch_size, 128);
  EXPECT_EQ(parameters->num_batch_threads, 4);
  EXPECT_EQ(parameters->max_request_size, 128);
  EXPECT_THAT(parameters->allowed_batch_sizes, ElementsAre(64, 128));
  EXPECT_THAT(ParseBatchingParameters("max_batch_size { value: 0 }", "b", {}).error().message(),
              HasSubstr("max_batch_size is 0"));
}

TEST(ModelConfig, LargeRequestsAndAllowedSizes) {
  const std::string splitting = "enable_large_batch_splitting { value: true } ";
  const auto parameters =
      ParseBatchingParameters(splitting +
                                  "max_batch_size { value: 100 } max_execution_batch_size { value: 32 } "
                                  "allowed_batch_sizes: [8, 32]",
                              "b", {});
  ASSERT_TRUE(parameters) << parameters.error().message();
  EXPECT_EQ(parameters->max_request_size, 100);
  EXPECT_EQ(parameters->max_batch_size, 32);
  EXPECT_EQ(parameters->AllowedSize(1), 8);
  EXPECT_EQ(parameters->AllowedSize(8), 8);
  EXPECT_EQ(parameters->AllowedSize(9), 32);
  const std::pair<std::string, const char*> wrong[] = {
      {"max_batch_size { value: 8 } allowed_batch_sizes: [2, 4]",
       "Last entry in allowed_batch_sizes must match max_batch_size; last entry was 4; expected 8"},
      {splitting + "max_batch_size { value: 8 } max_execution_batch_size { value: 4 } allowed_batch_sizes: [2, 8]",
       "must be equal to max_execution_batch_size; last entry was 8; expected 4"},
      {splitting + "max_batch_size { value: 8 } max_execution_batch_size { value: 9 }",
       "max_execution_batch_size is 9, wanted 1 to max_batch_size, which is 8"},
      {"max_batch_size { value: 8 } allowed_batch_sizes: [4, 4, 8]", "4 after 4, wanted numbers above 0 in ascending"},
      {"max_batch_size { value: 8 } allowed_batch_sizes: [0, 8]", "0 after 0"},
      {"max_batch_size { value: 8 } allowed_batch_sizes: [many]", "'many', wanted a number"},
  };
  for (const auto& [text, why] : wrong) {
    const auto refused = ParseBatchingParameters(text, "b", {});
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().message(), HasSubstr(why)) << text;
  }
}

TEST(ModelConfig, VersionsOnDisk) {
  TemporaryDirectory directory;
  for (const char* child : {"1", "00000012", "7", "seven", "-3"}) {
    ASSERT_TRUE(MakeDirectories(directory / "m/" + child));
    ASSERT_TRUE(WriteFileAtomically(directory / "m/" + child + "/saved_model.pb", "x"));
  }
  ASSERT_TRUE(MakeDirectories(directory / "m/99"));  // not written yet
  EXPECT_THAT(AvailableVersions(directory / "m"), ElementsAre(1, 7, 12));
  EXPECT_EQ(VersionDirectory(directory / "m", 12), directory / "m/00000012");
  EXPECT_THAT(AvailableVersions(directory / "nowhere"), ElementsAre());
  VersionPolicy latest;
  EXPECT_THAT(latest.Choose({3, 1, 2}), ElementsAre(3));
  latest.latest = 2;
  EXPECT_THAT(latest.Choose({3, 1, 2}), ElementsAre(2, 3));
  const auto found = DiscoverModels(directory / "");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].name, "m");
}

}  // namespace
}  // namespace headrace::serving
