// Whole jobs: what lies in a job's input and output directories, for each way of asking for it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::StartsWith;

json ChannelFrom(const std::string& name, const std::string& type, const std::string& uri, json more = json::object()) {
  more["ChannelName"] = name;
  more["DataSource"]["S3DataSource"]["S3DataType"] = type;
  more["DataSource"]["S3DataSource"]["S3Uri"] = uri;
  return more;
}

// "hello\n" as gzip -9n writes it.
const std::string kGzippedHello(
    "\x1f\x8b\x08\0\0\0\0\0\x02\x03\xcb\x48\xcd\xc9\xc9\xe7\x02\0\x20\x30\x3a\x36\x06\0\0\0", 26);

TEST(JobInputsTest, AManifestNamesTheFiles) {
  Platform platform;
  platform.Start();
  platform.PutObject("m/x/a", "one ");
  platform.PutObject("m/b", "two");
  platform.PutObject("m/c", "not listed");
  const std::string manifest = R"([{"prefix": "s3://bucket/m/"}, "x/a", "b"])";
  platform.PutObject("lists/manifest", manifest);
  auto request =
      Platform::Script("cd $SM_CHANNEL_TRAIN; cat x/a b; echo; find . -type f | wc -l; cat $SM_CHANNEL_TRAIN-manifest");
  request["InputDataConfig"] = json::array({ChannelFrom("train", "ManifestFile", "s3://bucket/lists/manifest")});
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("one two"));
  EXPECT_THAT(platform.Log("job"), Contains("2"));
  EXPECT_THAT(platform.Log("job"), Contains(manifest));
}

TEST(JobInputsTest, AWrongManifestIsNamed) {
  Platform platform;
  platform.Start();
  platform.PutObject("lists/text", "m/a\nm/b\n");
  platform.PutObject("lists/absent", R"([{"prefix": "s3://bucket/m/"}, "absent"])");
  const auto fails = [&](const std::string& name, json channel) {
    auto request = Platform::Script("true");
    request["InputDataConfig"] = json::array({std::move(channel)});
    platform.Create(name, request);
    return platform.WaitForEnd(name).failure_reason;
  };
  EXPECT_THAT(fails("text", ChannelFrom("train", "ManifestFile", "s3://bucket/lists/text")),
              StartsWith("ClientError: the manifest s3://bucket/lists/text is no JSON array"));
  EXPECT_THAT(fails("absent", ChannelFrom("train", "ManifestFile", "s3://bucket/lists/absent")),
              StartsWith("ClientError: there is no object s3://bucket/m/absent"));
  EXPECT_THAT(
      fails("augmented", ChannelFrom("train", "AugmentedManifestFile", "s3://bucket/lists/text")),
      StartsWith("ClientError: the channel 'train': S3DataType AugmentedManifestFile needs the input mode Pipe"));
}

TEST(JobInputsTest, OneInstanceGetsAllShards) {
  Platform platform;
  platform.Start();
  for (const char* key : {"data/1", "data/2", "data/3"}) platform.PutObject(key, "x");
  auto request = Platform::Script("ls $SM_CHANNEL_TRAIN | wc -l; cat $SM_INPUT_CONFIG_DIR/inputdataconfig.json");
  auto channel = ChannelFrom("train", "S3Prefix", "s3://bucket/data/");
  channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key";
  request["InputDataConfig"] = json::array({channel});
  platform.Create("job", request);
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed");
  EXPECT_THAT(platform.Log("job"), Contains("3"));
  EXPECT_THAT(platform.Log("job"), Contains(HasSubstr(R"("S3DistributionType":"ShardedByS3Key")")));
}

TEST(JobInputsTest, GzipIsUndoneInPipeModeOnly) {
  Platform platform;
  platform.Start();
  platform.PutObject("data/a.gz", kGzippedHello);
  platform.PutObject("data/b.gz", kGzippedHello);
  auto request = Platform::Script(
      "cat $SM_INPUT_DIR/data/piped_0; cat $SM_CHANNEL_FILES/a.gz | wc -c; gunzip -c $SM_CHANNEL_FILES/b.gz");
  request["InputDataConfig"] = {
      ChannelFrom("piped", "S3Prefix", "s3://bucket/data/", {{"InputMode", "Pipe"}, {"CompressionType", "Gzip"}}),
      ChannelFrom("files", "S3Prefix", "s3://bucket/data/", {{"CompressionType", "Gzip"}})};
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  const auto log = platform.Log("job");
  EXPECT_EQ(std::count(log.begin(), log.end(), "hello"), 3);
  EXPECT_THAT(log, Contains(std::to_string(kGzippedHello.size())));
}

TEST(JobInputsTest, OutputIsLeftAsFilesWithoutCompression) {
  Platform platform;
  platform.Start();
  auto request = Platform::Script(
      "mkdir $SM_MODEL_DIR/1; echo half > $SM_MODEL_DIR/1/w.17.headrace-tmp; echo weights > $SM_MODEL_DIR/1/w; echo "
      "top > $SM_MODEL_DIR/t; echo o > "
      "$SM_OUTPUT_DATA_DIR/o");
  request["OutputDataConfig"]["CompressionType"] = "NONE";
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_EQ(job.model_artifacts, "s3://bucket/out/job/output/model/");
  EXPECT_EQ(platform.GetObject("out/job/output/model/1/w"), "weights\n");
  EXPECT_EQ(platform.GetObject("out/job/output/model/t"), "top\n");
  EXPECT_FALSE(platform.objects().Find("bucket", "out/job/output/model/1/w.17.headrace-tmp")) << "half a file";
  EXPECT_EQ(platform.GetObject("out/job/output/output/o"), "o\n");
  EXPECT_EQ(platform.GetObject("out/job/output/model.tar.gz"), "");
}

}  // namespace
}  // namespace headrace::jobs
