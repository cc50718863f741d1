#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "headrace/data.h"

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string TFRecordOf(const std::string& data) {
  const auto word = [](auto value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); };
  const std::string length = word(uint64_t{data.size()});
  return length + word(MaskCrc(Crc32c(length))) + data + word(MaskCrc(Crc32c(data)));
}

// A simple feeder, in the manner of those that people write for themselves: one FIFO after the other, each made when
// the one before is done.
class Feeder {
 public:
  Feeder(std::string directory, std::string channel, std::string content)
      : directory_(std::move(directory)), channel_(std::move(channel)), content_(std::move(content)) {
    ::signal(SIGPIPE, SIG_IGN);
    thread_ = std::thread([this] { Run(); });
  }
  ~Feeder() {
    stop_ = true;
    while (!done_) {
      const int fd = ::open(Path(epoch_).c_str(), O_RDONLY | O_NONBLOCK);  // frees the writer that waits in open()
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      if (fd >= 0) ::close(fd);
    }
    thread_.join();
  }
  int epochs() const { return epoch_; }

 private:
  std::string Path(int epoch) const { return directory_ + "/" + channel_ + "_" + std::to_string(epoch); }
  void Run() {
    for (; !stop_; ++epoch_) {
      ::mkfifo(Path(epoch_).c_str(), 0600);
      const int fd = ::open(Path(epoch_).c_str(), O_WRONLY);
      for (size_t done = 0; done < content_.size() && !stop_;) {
        const ssize_t n = ::write(fd, content_.data() + done, content_.size() - done);
        if (n < 0) break;
        done += static_cast<size_t>(n);
      }
      ::close(fd);
      ::unlink(Path(epoch_).c_str());
    }
    done_ = true;
  }

  const std::string directory_, channel_, content_;
  std::atomic<bool> stop_{false}, done_{false};
  std::atomic<int> epoch_{0};
  std::thread thread_;
};

class PipeModeTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(MakeDirectories(dir_ / "data"));
    WriteConfig(R"({"train": {"TrainingInputMode": "pIPE"}, "eval": {"TrainingInputMode": "Pipe"},
                    "files": {"TrainingInputMode": "File"}})");
  }
  void WriteConfig(const std::string& text) const { std::ofstream(dir_ / "inputdataconfig.json") << text; }

  PipeModeOptions Options(const std::string& format = "TFRecord") const {
    PipeModeOptions options;
    options.record_format = format;
    options.state_dir = dir_ / "state";
    options.pipe_dir = dir_ / "data";
    options.config_dir = dir_.path();
    return options;
  }
  std::string State(const std::string& channel) const {
    return ReadFile(dir_ / ("state/." + channel + "-pipe_mode-state")).value_or("none");
  }

  static std::vector<std::string> Read(const Dataset& dataset) {
    std::vector<std::string> records;
    auto iterator = dataset.MakeIterator();
    while (const auto element = iterator.Next()) records.emplace_back(Bytes(element->x()));
    return records;
  }
  static std::string MessageOf(const std::function<void()>& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }

  TemporaryDirectory dir_;
};

TEST_F(PipeModeTest, EveryRunIsAnEpochAndTheStateFileSaysSo) {
  const Feeder feeder(dir_ / "data", "train", TFRecordOf("a") + TFRecordOf("bc"));
  const Dataset dataset = PipeModeDataset("train", Options());
  EXPECT_EQ(State("train"), "none");
  EXPECT_THAT(Read(dataset), ElementsAre("a", "bc"));
  EXPECT_EQ(State("train"), "1");
  EXPECT_THAT(Read(dataset.repeat(2)), ElementsAre("a", "bc", "a", "bc"));
  EXPECT_EQ(State("train"), "3");
  EXPECT_TRUE(std::ifstream(dir_ / "state/.train-pipe_mode-lock").good());
}

TEST_F(PipeModeTest, WorksInChains) {
  std::string content;
  for (char c = 'a'; c < 'k'; ++c) content += TFRecordOf(std::string(1, c));
  const Feeder feeder(dir_ / "data", "train", content);
  const Dataset chain = PipeModeDataset("train", Options())
                            .repeat()
                            .prefetch(3)
                            .map([](Element element) { return element; }, {.num_parallel_calls = 2})
                            .shuffle(20, {.seed = 1})
                            .take(100);
  const auto records = Read(chain);
  EXPECT_EQ(records.size(), 100u);
  EXPECT_EQ(std::set<std::string>(records.begin(), records.end()).size(), 10u);
  auto iterator = PipeModeDataset("train", Options()).repeat(3).MakeIterator();
  EXPECT_EQ(iterator.Skip(25), 25);
  EXPECT_EQ(Bytes(iterator.Next()->x()), "f");
}

TEST_F(PipeModeTest, ReadsRecordIOAndTextLines) {
  {
    const Feeder feeder(dir_ / "data", "train", "one\ntwo\nlast");
    EXPECT_THAT(Read(PipeModeDataset("train", Options("TextLine"))), ElementsAre("one", "two", "last"));
  }
  ::unlink((dir_ / "state/.train-pipe_mode-state").c_str());
  const std::string record("\x0a\x23\xd7\xce\x05\0\0\0hello\0\0\0", 16);
  const Feeder feeder(dir_ / "data", "train", record + record);
  EXPECT_THAT(Read(PipeModeDataset("train", Options("RecordIO"))), ElementsAre("hello", "hello"));
}

TEST_F(PipeModeTest, AnEmptyChannelEnds) {
  const Feeder feeder(dir_ / "data", "train", "");
  EXPECT_TRUE(Read(PipeModeDataset("train", Options()).repeat()).empty());
}

TEST_F(PipeModeTest, AnEarlyCloseTakesOneEpoch) {
  std::string content;
  for (int i = 0; i < 1000; ++i) content += TFRecordOf(std::string(1000, 'x'));
  const Feeder feeder(dir_ / "data", "train", content);
  EXPECT_EQ(Read(PipeModeDataset("train", Options()).take(3)).size(), 3u);
  EXPECT_EQ(Read(PipeModeDataset("train", Options())).size(), 1000u);
  EXPECT_EQ(State("train"), "2");
}

TEST_F(PipeModeTest, ProcessesShareTheCounter) {
  const Feeder feeder(dir_ / "data", "train", TFRecordOf("a"));
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(Read(PipeModeDataset("train", Options()).repeat(25)).size() == 25 ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  EXPECT_EQ(State("train"), "100");
}

TEST_F(PipeModeTest, MisuseFailsAtOnceAndSaysWhatToDo) {
  EXPECT_THAT(MessageOf([&] { PipeModeDataset("trian", Options()); }),
              HasSubstr("channel trian: the job has no such channel; it has: eval, files, train"));
  const std::string mode = MessageOf([&] { PipeModeDataset("files", Options()); });
  EXPECT_THAT(mode, HasSubstr("found TrainingInputMode \"File\", wanted \"Pipe\""));
  EXPECT_THAT(mode, HasSubstr("input_mode='Pipe'"));
  EXPECT_THAT(mode, HasSubstr(dir_ / "data/files"));
  EXPECT_THAT(MessageOf([&] { PipeModeDataset("train", Options("CSV")); }),
              HasSubstr("found \"CSV\", wanted TFRecord, RecordIO or TextLine"));
  WriteConfig("[]");
  EXPECT_THAT(MessageOf([&] { PipeModeDataset("train", Options()); }), HasSubstr("found no JSON object"));
  ::unlink((dir_ / "inputdataconfig.json").c_str());
  EXPECT_THAT(MessageOf([&] { PipeModeDataset("train", Options()); }), HasSubstr("inside a training job"));
}

TEST_F(PipeModeTest, SaysHowTheJobGivesAChannel) {
  ::unsetenv("SM_INPUT_DATA_CONFIG");
  ::setenv("SM_INPUT_DIR", (dir_ / "input").c_str(), 1);
  EXPECT_EQ(ChannelInputMode("train"), "File");  // no job
  EXPECT_FALSE(ChannelIsSharded("train"));
  ASSERT_TRUE(MakeDirectories(dir_ / "input/config"));
  std::ofstream(dir_ / "input/config/inputdataconfig.json") << R"({"train": {"TrainingInputMode": "PIPE"}, "x": 3})";
  EXPECT_EQ(ChannelInputMode("train"), "Pipe");
  EXPECT_EQ(ChannelInputMode("x"), "File");
  ::setenv(
      "SM_INPUT_DATA_CONFIG",
      R"({"train": {"TrainingInputMode": "FastFile", "S3DistributionType": "ShardedByS3Key"}, "x": {"S3DistributionType": "FullyReplicated"}})",
      1);
  EXPECT_TRUE(ChannelIsSharded("train"));
  EXPECT_FALSE(ChannelIsSharded("x"));
  EXPECT_EQ(ChannelInputMode("train"), "FastFile");
  ::setenv("SM_INPUT_DATA_CONFIG", "{", 1);
  EXPECT_THAT(MessageOf([] { ChannelInputMode("train"); }), HasSubstr("SM_INPUT_DATA_CONFIG: found no JSON object"));
  ::unsetenv("SM_INPUT_DATA_CONFIG");
  ::unsetenv("SM_INPUT_DIR");
}

TEST_F(PipeModeTest, AMissingOrDeadWriterIsANamedErrorInBoundedTime) {
  PipeModeOptions options = Options();
  options.wait_seconds = 0.1;
  EXPECT_THAT(MessageOf([&] { Read(PipeModeDataset("train", options)); }),
              HasSubstr("channel train: File does not exist: " + (dir_ / "data/train_0")));
  EXPECT_EQ(State("train"), "");  // no epoch was taken

  ASSERT_EQ(::mkfifo((dir_ / "data/train_0").c_str(), 0600), 0);
  EXPECT_THAT(MessageOf([&] { Read(PipeModeDataset("train", options)); }), HasSubstr("nothing came for 0.1 s"));

  ASSERT_EQ(::mkfifo((dir_ / "data/train_1").c_str(), 0600), 0);
  const int writer = ::open((dir_ / "data/train_1").c_str(), O_RDWR);
  const std::string half = TFRecordOf(std::string(100, 'x')).substr(0, 60);
  ASSERT_EQ(::write(writer, half.data(), half.size()), 60);
  EXPECT_THAT(MessageOf([&] { Read(PipeModeDataset("train", options)); }), HasSubstr("nothing came for 0.1 s"));
  ::close(writer);
}

TEST_F(PipeModeTest, DestroyingAnIteratorEndsItsWait) {
  auto iterator = PipeModeDataset("train", Options()).prefetch(1).MakeIterator();
  std::thread([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    Iterator gone = std::move(iterator);
  }).join();
  const auto prefetched = [&] {
    auto waiting = PipeModeDataset("train", Options()).prefetch(1).batch(1).prefetch(1).MakeIterator();
    std::thread starter([&] { EXPECT_THROW(waiting.Next(), Error); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    ASSERT_EQ(::mkfifo((dir_ / "data/train_0").c_str(), 0600), 0);
    const int writer = ::open((dir_ / "data/train_0").c_str(), O_RDWR);
    ASSERT_EQ(::write(writer, "not a record", 12), 12);
    starter.join();
    ::close(writer);
  };
  prefetched();
}

TEST_F(PipeModeTest, CorruptRecordsFailByNameOrAreSkippedAndCounted) {
  std::string bad = TFRecordOf("bad");
  bad[13] ^= 1;
  const Feeder feeder(dir_ / "data", "train",
                      TFRecordOf("good") + bad + TFRecordOf("better") + bad + TFRecordOf("best"));
  const std::string message = MessageOf([&] { Read(PipeModeDataset("train", Options())); });
  EXPECT_THAT(message, HasSubstr("channel train, epoch 0: record 1 at byte 20: corrupt data of 3 bytes"));
  EXPECT_THAT(message, testing::ContainsRegex("CRC32C is [0-9a-f]{8}, the file says [0-9a-f]{8}"));

  PipeModeOptions options = Options();
  options.max_corrupted_records_to_skip = 2;
  testing::internal::CaptureStdout();
  EXPECT_THAT(Read(PipeModeDataset("train", options)), ElementsAre("good", "better", "best"));
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "PipeModeDataset channel: train epoch: 1 skipped_corrupt_records: 2 reread_records: 0\n");
  options.max_corrupted_records_to_skip = 1;
  EXPECT_THAT(MessageOf([&] { Read(PipeModeDataset("train", options)); }), HasSubstr("epoch 2: record 3"));
}

TEST_F(PipeModeTest, BenchmarkPrintsItsThreeLines) {
  const Feeder feeder(dir_ / "data", "train", TFRecordOf("a") + TFRecordOf("bc"));
  PipeModeOptions options = Options();
  options.benchmark = true;
  options.benchmark_records_interval = 2;
  testing::internal::CaptureStdout();
  Read(PipeModeDataset("train", options));
  EXPECT_THAT(testing::internal::GetCapturedStdout(),
              testing::MatchesRegex("PipeModeDatasetOp::Dataset::Iterator records: 2\n"
                                    "PipeModeDatasetOp::Dataset::Iterator records read_time_ns: [0-9]+\n"
                                    "PipeModeDatasetOp::Dataset::Iterator records read_bytes: 2\n"
                                    "PipeModeDatasetOp::Dataset::Iterator total read_time_ms: [0-9]+\n"
                                    "PipeModeDatasetOp::Dataset::Iterator total read_bytes: 3\n"
                                    "PipeModeDatasetOp::Dataset::Iterator total read_GB/s: [0-9.e-]+\n"));
}

}  // namespace
}  // namespace headrace::data
