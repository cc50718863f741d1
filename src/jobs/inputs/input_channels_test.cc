#include "jobs/inputs/input_channels.h"

#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

TrainingRequest PrefixRequest(const std::string& uri, json source = json::object()) {
  source["S3Uri"] = uri;
  source["S3DataType"] = "S3Prefix";
  return ValueOrThrow(DecodeTrainingRequest(
      {{"InputDataConfig", {{{"ChannelName", "train"}, {"DataSource", {{"S3DataSource", source}}}}}}}));
}

TrainingRequest OnHosts(TrainingRequest request, int hosts) {
  request.resources.groups[0].instance_count = hosts;
  return request;
}

class InputChannelsTest : public ::testing::Test {
 protected:
  std::vector<InputChannel> Channels(const TrainingRequest& request, const std::string& host) {
    return ChannelsOf(host, ValueOrThrow(ResolveChannels(platform_.account(), request)), request);
  }
  std::vector<std::string> Names(const TrainingRequest& request, const std::string& host = "algo-1") {
    const auto channels = Channels(request, host);
    std::vector<std::string> names;
    for (const auto& object : channels.at(0).objects) names.push_back(object.name);
    return names;
  }
  Platform platform_;
};

TEST_F(InputChannelsTest, APrefixIsAPlainStringAndNamesAreWhatComesBehindIt) {
  for (const char* key : {"d/a/tr", "d/a/train/x", "d/a/train/sub/y", "d/a/trial", "d/a/train/", "d/b"})
    platform_.PutObject(key, "x");
  EXPECT_THAT(Names(PrefixRequest("s3://bucket/d/a/train")), ElementsAre("sub/y", "x"));
  EXPECT_THAT(Names(PrefixRequest("s3://bucket/d/a/train/x")), ElementsAre("x"));
  EXPECT_THAT(Names(PrefixRequest("s3://bucket/d/a/tr")), ElementsAre("tr", "ain/sub/y", "ain/x", "ial"));
}

TEST_F(InputChannelsTest, ShardedByS3KeyDealsWholeObjectsToEveryHost) {
  constexpr uint32_t kObjects = 10;
  for (uint32_t i = 0; i < kObjects; ++i) platform_.PutObject("data/" + std::to_string(i), "x");
  const auto request = PrefixRequest("s3://bucket/data/", {{"S3DataDistributionType", "ShardedByS3Key"}});
  for (const uint32_t hosts : {1u, 2u, 3u, 7u, 10u}) {
    std::multiset<std::string> dealt;
    for (uint32_t host = 0; host < hosts; ++host) {
      const auto names = Names(OnHosts(request, static_cast<int>(hosts)), HostName(host));
      EXPECT_GE(names.size(), kObjects / hosts);
      EXPECT_LE(names.size(), (kObjects + hosts - 1) / hosts);
      dealt.insert(names.begin(), names.end());
    }
    EXPECT_EQ(dealt.size(), kObjects) << hosts;
    EXPECT_EQ(std::set<std::string>(dealt.begin(), dealt.end()).size(), kObjects) << hosts;
  }
}

TEST_F(InputChannelsTest, FullyReplicatedGivesEveryHostEverything) {
  for (const char* key : {"data/1", "data/2", "data/3"}) platform_.PutObject(key, "x");
  for (const char* host : {"algo-1", "algo-2"})
    EXPECT_THAT(Names(OnHosts(PrefixRequest("s3://bucket/data/"), 2), host), ElementsAre("1", "2", "3"));
}

TEST_F(InputChannelsTest, AChannelOfOneGroupIsDealtToItsHostsAlone) {
  for (const char* key : {"data/1", "data/2", "data/3"}) platform_.PutObject(key, "x");
  auto request = PrefixRequest("s3://bucket/data/",
                               {{"S3DataDistributionType", "ShardedByS3Key"}, {"InstanceGroupNames", {"loaders"}}});
  request.resources.groups = {{"trainers", "ml.m5.large", 1}, {"loaders", "ml.m5.large", 2}};
  EXPECT_THAT(Channels(request, "algo-1"), testing::IsEmpty());
  EXPECT_THAT(Names(request, "algo-2"), ElementsAre("1", "3"));
  EXPECT_THAT(Names(request, "algo-3"), ElementsAre("2"));
}

TEST_F(InputChannelsTest, OthersBucketsAreNotRead) {
  const auto refused = ResolveChannels(platform_.account("000000000002"), PrefixRequest("s3://bucket/data/"));
  EXPECT_THAT(refused.error().message(), HasSubstr("access to s3://bucket is denied"));
}

}  // namespace
}  // namespace headrace::jobs
