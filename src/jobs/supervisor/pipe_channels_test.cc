#include "jobs/supervisor/pipe_channels.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;

// Two hosts of one job, each with its own directory and feeders.
class PipeChannelsTest : public ::testing::Test {
 protected:
  struct Host {
    Host(JobDescription description, const std::string& path, const Clock& clock, const Clock& steady)
        : job(std::move(description)),
          directory(path),
          reporter(ValueOrThrow(Reporter::Create(directory, 0, clock, steady))),
          channels(job, directory, *reporter, clock, steady) {
      ValueOrThrow(MakeDirectories(directory.ml() + "/input/data"));
    }
    std::string Read(const std::string& fifo) const {
      return ReadFile(directory.ml() + "/input/data/" + fifo).value_or("unreadable");
    }

    JobDescription job;
    HostDirectory directory;
    std::unique_ptr<Reporter> reporter;
    PipeChannels channels;
  };

  PipeChannelsTest() {
    job_.hosts = {"algo-1", "algo-2"};
    InputChannel channel{.name = "train", .mode = "Pipe"};
    for (const char c : {'a', 'b', 'c', 'd', 'e'}) channel.objects.push_back(Object(std::string(1, c)));
    job_.channels = {channel};
  }

  InputObject Object(const std::string& bytes) const {
    const std::string path = dir_ / ("object-" + bytes);
    std::ofstream(path) << bytes;
    return {.blob = path, .name = bytes, .key = "data/" + bytes, .size = bytes.size()};
  }
  std::unique_ptr<Host> Start(const std::string& name) {
    job_.current_host = name;
    job_.channels[0].share = {name == "algo-2" ? 1u : 0u, 2};
    auto host = std::make_unique<Host>(job_, dir_ / name, clock_, steady_);
    ValueOrThrow(host->channels.Start());
    return host;
  }

  TemporaryDirectory dir_;
  SystemClock clock_;
  BootClock steady_;
  JobDescription job_;
};

TEST_F(PipeChannelsTest, FullyReplicatedGivesEveryHostEverything) {
  for (const char* name : {"algo-1", "algo-2"}) {
    const auto host = Start(name);
    EXPECT_EQ(host->Read("train_0"), "abcde");
    host->channels.Stop();
  }
}

TEST_F(PipeChannelsTest, ShardedByS3KeyDealsWholeObjects) {
  job_.channels[0].distribution = "ShardedByS3Key";
  const auto first = Start("algo-1"), second = Start("algo-2");
  for (const char* fifo : {"train_0", "train_1"}) {
    EXPECT_EQ(first->Read(fifo), "ace");
    EXPECT_EQ(second->Read(fifo), "bd");
  }
  first->channels.Stop();
  second->channels.Stop();
}

TEST_F(PipeChannelsTest, ShufflingDealsAnewEveryEpoch) {
  job_.channels[0].distribution = "ShardedByS3Key";
  job_.channels[0].shuffle_seed = 11;
  const auto first = Start("algo-1"), second = Start("algo-2");
  std::set<std::string> shares;
  for (int epoch = 0; epoch < 20; ++epoch) {
    const std::string fifo = "train_" + std::to_string(epoch);
    const std::string share = first->Read(fifo);
    std::string all = share + second->Read(fifo);
    EXPECT_EQ(share.size(), 3u);
    std::sort(all.begin(), all.end());
    EXPECT_EQ(all, "abcde");
    shares.insert(share);
  }
  EXPECT_GT(shares.size(), 3u);
  first->channels.Stop();
  second->channels.Stop();
}

TEST_F(PipeChannelsTest, AnAugmentedManifestIsShuffledLineByLine) {
  job_.channels[0].data_type = "AugmentedManifestFile";
  job_.channels[0].attributes = {"image-ref", "class"};
  job_.channels[0].shuffle_seed = 2;
  job_.channels[0].objects.clear();
  for (const char* line : {"A1", "B2", "C3"}) {
    job_.channels[0].objects.push_back(Object(std::string(1, line[0])));
    job_.channels[0].objects.push_back({.literal = std::string(1, line[1])});
  }
  const auto host = Start("algo-1");
  for (int epoch = 0; epoch < 8; ++epoch) {
    const std::string stream = host->Read("train_" + std::to_string(epoch));
    ASSERT_EQ(stream.size(), 6u);
    for (const char* line : {"A1", "B2", "C3"}) EXPECT_THAT(stream, HasSubstr(line));
  }
  host->channels.Stop();
}

TEST_F(PipeChannelsTest, AnObjectThatIsGoneFailsTheJobByName) {
  std::filesystem::remove(job_.channels[0].objects[3].blob);
  const auto host = Start("algo-1");
  std::string failure;
  for (int i = 0; i < 10'000 && failure.empty(); ++i) {
    failure = host->channels.Watch();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_THAT(failure, HasSubstr("ClientError: the channel 'train' in Pipe mode"));
  EXPECT_THAT(failure, HasSubstr("data/d: cannot open the object"));
  host->channels.Stop();
}

TEST_F(PipeChannelsTest, WritesWhatHasBeenStreamed) {
  const auto host = Start("algo-1");
  EXPECT_EQ(host->Read("train_0"), "abcde");
  host->channels.Stop();
  const auto status = nlohmann::json::parse(ValueOrThrow(ReadFile(host->directory.attempt(0) + "/pipes.json")));
  ASSERT_EQ(status["channels"].size(), 1u);
  EXPECT_EQ(status["channels"][0]["channel"], "train");
  EXPECT_EQ(status["channels"][0]["epochs_ended"], 1);
  // The FIFOs that stood ready are gone, and what was in them with them.
  EXPECT_TRUE(std::filesystem::is_empty(host->directory.ml() + "/input/data"));
}

}  // namespace
}  // namespace headrace::jobs
