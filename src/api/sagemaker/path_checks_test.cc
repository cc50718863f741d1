#include "api/sagemaker/path_checks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::api::sagemaker {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;

// What is said about a request; "" when its paths are in order.
std::string Said(const Json& request) {
  Violations violations;
  CheckPaths(request, violations);
  CheckTexts(request, violations);
  return violations.empty() ? "" : violations.Message();
}

Json Submit(const std::string& directory, const std::string& program = "train.py") {
  return {{"HyperParameters",
           {{"sagemaker_submit_directory", Json(directory).dump()}, {"sagemaker_program", Json(program).dump()}}}};
}

Json Channel(const std::string& name, const std::string& mode = "File", const std::string& type = "S3Prefix") {
  return {{"ChannelName", name}, {"InputMode", mode}, {"DataSource", {{"S3DataSource", {{"S3DataType", type}}}}}};
}

Json Checkpoints(const std::string& path) { return {{"CheckpointConfig", {{"LocalPath", path}}}}; }

TEST(PathChecksTest, SubmitDirectoriesLieInS3OrBelowOptMl) {
  for (const char* good : {"s3://bucket/a/../source.tar.gz", "https://s3/bucket/source.tar.gz", "/opt/ml/code",
                           "/opt/ml/input/data/code/sourcedir.tar.gz", "/opt/ml/code/"})
    EXPECT_EQ(Said(Submit(good)), "") << good;
  for (const char* bad : {"/opt/ml/../../../..", "/opt/ml/..", "/opt/ml/code/..", "/opt/ml/./code", "/opt/ml//code",
                          "/opt/ml", "/opt/ml/", "/etc", "code", "../code", "file:///opt/ml/code", "/opt/mlx/code",
                          "/opt/ml/a\nb", "ftp://bucket/x", "https://bucket"})
    EXPECT_THAT(Said(Submit(bad)), HasSubstr("'hyperParameters.sagemaker_submit_directory' failed to satisfy")) << bad;
  // Not in JSON's quotes: the toolkit takes such values as they are.
  EXPECT_THAT(Said({{"HyperParameters", {{"sagemaker_submit_directory", "/opt/ml/../.."}}}}),
              HasSubstr("below /opt/ml"));
}

TEST(PathChecksTest, EntryPointsLieBelowTheSource) {
  for (const char* good : {"train.py", "./train.py", "src/train.py", "a..b.py"})
    EXPECT_EQ(Said(Submit("s3://b/k", good)), "") << good;
  for (const char* bad : {"../train.py", "/bin/sh", "a/../../x.py", "a//b.py", "a/./b.py", "a/", "./", "..", "a\tb"})
    EXPECT_THAT(Said(Submit("s3://b/k", bad)), HasSubstr("sagemaker_program")) << bad;
}

TEST(PathChecksTest, ContainerEntrypointsAreNamesOrPathsWithoutDetours) {
  const auto entrypoint = [](const std::string& program) -> Json {
    return {{"AlgorithmSpecification", {{"ContainerEntrypoint", {program, "../an/argument"}}}}};
  };
  for (const char* good : {"python3", "/bin/sh", "/opt/ml/code/run.sh", "./run.sh", "bin/run"})
    EXPECT_EQ(Said(entrypoint(good)), "") << good;
  for (const char* bad : {"", "/opt/ml/../../bin/sh", "../run.sh", "/bin//sh", "/bin/./sh", "/"})
    EXPECT_THAT(Said(entrypoint(bad)), HasSubstr("containerEntrypoint.1.member")) << bad;
}

TEST(PathChecksTest, CheckpointsCoverNothingOfTheSystems) {
  for (const char* good : {"/opt/ml/checkpoints/", "/opt/ml/checkpoints", "/tmp/c", "/ckpt"})
    EXPECT_EQ(Said(Checkpoints(good)), "") << good;
  for (const char* bad : {"/opt/ml/../../etc", "/", "/etc", "/usr/lib", "/opt/headrace/tools", "checkpoints", "/a/../b",
                          "/a//b", "/proc/1/root", "/x\x01y"})
    EXPECT_THAT(Said(Checkpoints(bad)), HasSubstr("'checkpointConfig.localPath' failed to satisfy")) << bad;
}

TEST(PathChecksTest, OtherLocalPathsAreAbsolute) {
  EXPECT_EQ(Said({{"DebugHookConfig", {{"LocalPath", "/opt/ml/output/tensors/"}}}}), "");
  EXPECT_THAT(Said({{"DebugHookConfig", {{"LocalPath", "../x"}}}}), HasSubstr("debugHookConfig.localPath"));
  EXPECT_THAT(Said({{"TensorBoardOutputConfig", {{"LocalPath", "/a/../x"}}}}),
              HasSubstr("tensorBoardOutputConfig.localPath"));
  EXPECT_THAT(Said({{"DebugRuleConfigurations", {{{"LocalPath", "/a/.."}}}}}),
              HasSubstr("debugRuleConfigurations.1.member.localPath"));
}

TEST(PathChecksTest, ChannelsAreDirectoriesOfTheirOwn) {
  EXPECT_EQ(Said({{"InputDataConfig", {Channel("train"), Channel("..a"), Channel("a.b-c_d")}}}), "");
  for (const char* bad : {".", ".."})
    EXPECT_THAT(Said({{"InputDataConfig", {Channel("train"), Channel(bad)}}}),
                HasSubstr("'inputDataConfig.2.member.channelName'"))
        << bad;
  EXPECT_THAT(Said({{"InputDataConfig", {Channel("train", "Pipe"), Channel("train_12")}}}),
              HasSubstr("must not be a file of the channel 'train'"));
  EXPECT_EQ(Said({{"InputDataConfig", {Channel("train"), Channel("train_12"), Channel("train_x")}}}), "");
  EXPECT_THAT(Said({{"InputDataConfig", {Channel("train", "File", "ManifestFile"), Channel("train-manifest")}}}),
              HasSubstr("inputDataConfig.2.member"));
}

TEST(PathChecksTest, NoTextEndsEarly) {
  const std::string early("a\0b", 3);
  EXPECT_THAT(Said({{"Environment", {{"NAME", early}}}}), HasSubstr("environment.NAME"));
  EXPECT_THAT(Said({{"HyperParameters", {{"name", early}}}}), HasSubstr("hyperParameters.name"));
  EXPECT_THAT(Said({{"AlgorithmSpecification", {{"ContainerEntrypoint", {"sh", "-c", early}}}}}),
              HasSubstr("containerEntrypoint.3.member"));
}

TEST(PathChecksTest, ARequestOfTheWrongTypesIsNoMatter) {
  for (const char* text : {"{}", R"({"InputDataConfig": {}, "HyperParameters": [], "AlgorithmSpecification": 1})",
                           R"({"InputDataConfig": [], "CheckpointConfig": "x", "DebugRuleConfigurations": {}})",
                           R"({"HyperParameters": {"sagemaker_submit_directory": "{\"a\": [1]}"}})"})
    Said(Json::parse(text));
}

}  // namespace
}  // namespace headrace::api::sagemaker
