#include "jobs/training/kept_inputs.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "jobs/training/host_descriptions.h"
#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;

json Channel(const std::string& name, const std::string& type, const std::string& uri,
             const std::string& distribution) {
  return {{"ChannelName", name},
          {"DataSource",
           {{"S3DataSource", {{"S3DataType", type}, {"S3Uri", uri}, {"S3DataDistributionType", distribution}}}}}};
}

// A job of two hosts as each new follower of it describes them.
class KeptInputsTest : public ::testing::Test {
 protected:
  KeptInputsTest() : directory_(platform_.JobPath("job")) {
    for (const char* key : {"data/b", "data/d", "data/f", "listed/x", "listed/y"}) platform_.PutObject(key, key);
    platform_.PutObject("manifest", R"([{"prefix": "s3://bucket/listed/"}, "x", "y"])");
    platform_.PutObject("source.tar.gz", "source");
    auto request = Platform::Script("true");
    request["ResourceConfig"]["InstanceCount"] = 2;
    request["HyperParameters"] = {{"sagemaker_submit_directory", "\"s3://bucket/source.tar.gz\""}};
    request["InputDataConfig"] = {Channel("shards", "S3Prefix", "s3://bucket/data/", "ShardedByS3Key"),
                                  Channel("all", "S3Prefix", "s3://bucket/data/", "FullyReplicated"),
                                  Channel("listed", "ManifestFile", "s3://bucket/manifest", "ShardedByS3Key")};
    request_ = ValueOrThrow(DecodeTrainingRequest(request));
    job_.name = "job";
  }

  std::vector<JobDescription> Describe(int attempt = 0) {
    auto state = Begun("job", {{0}, {1}}, 0, Moment());
    state.attempt = attempt;
    return ValueOrThrow(HostDescriptions(platform_.options(), account_, directory_, request_).Make(job_, state));
  }

  // By channels, of a host of those.
  static std::vector<std::string> Read(const JobDescription& host) {
    std::vector<std::string> lines;
    for (const auto& channel : host.channels) {
      auto line = channel.name + ":";
      for (const auto& object : channel.objects) line += " " + ReadFile(object.blob).value_or("gone");
      lines.push_back(line);
    }
    return lines;
  }

  Platform platform_;
  const store::AccountObjects account_ = platform_.account();
  const JobDirectory directory_;
  TrainingRequest request_;
  store::TrainingJob job_;
};

TEST_F(KeptInputsTest, HostsThatAreDescribedLaterReadTheSameObjects) {
  const auto before = Describe();
  EXPECT_THAT(Read(before[0]), ElementsAre("shards: data/b data/f", "all: data/b data/d data/f", "listed: listed/x"));
  EXPECT_THAT(Read(before[1]), ElementsAre("shards: data/d", "all: data/b data/d data/f", "listed: listed/y"));

  platform_.PutObject("data/a", "new");  // would shift every share by one
  platform_.PutObject("data/d", "replaced");
  ValueOrThrow(platform_.objects().Delete("bucket", "data/f"));
  platform_.PutObject("manifest", R"([{"prefix": "s3://bucket/listed/"}, "y"])");
  platform_.PutObject("source.tar.gz", "other");
  for (const int attempt : {0, 1}) {
    const auto after = Describe(attempt);
    for (const size_t host : {0, 1}) {
      EXPECT_EQ(Read(after[host]), Read(before[host])) << host;
      EXPECT_EQ(ReadFile(after[host].source->blob).value_or(""), "source");
      EXPECT_EQ(nlohmann::json(after[host].channels[2]), nlohmann::json(before[host].channels[2]));
    }
  }
}

TEST_F(KeptInputsTest, AListThatWasTornIsMadeAnew) {
  const auto before = Describe();
  std::ofstream(directory_.kept_inputs()) << R"({"version": 1, "chan)";
  EXPECT_EQ(Read(Describe()[1]), Read(before[1]));
}

}  // namespace
}  // namespace headrace::jobs
