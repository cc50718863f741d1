// Pipe mode's two ends together: the supervisor's feeders and the program's data sets.
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "headrace/data.h"
#include "headrace/keras.h"

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/pipe/pipe_feeder.h"

namespace headrace::apps {
namespace {

using testing::HasSubstr;

// A job's channels, fed as its supervisor does.
class PipeModeTest : public testing::Test {
 protected:
  // Objects of so many records each; 0: an object of no bytes.
  void AddChannel(const std::string& name, const std::vector<int64_t>& objects) {
    auto content = std::make_shared<jobs::PipeContent>();
    int64_t record = 0;
    for (const int64_t records : objects) {
      const std::string path = ObjectOf(name, content->parts.size());
      data::TFRecordWriter writer(path);
      for (int64_t i = 0; i < records; ++i, ++record)
        writer.Write(data::cifar10::EncodeRecord(std::string(3072, static_cast<char>(record)), record % 10));
      writer.Close();
      content->parts.push_back({.path = path, .literal = "", .name = fmt::format("s3://data/{}", name)});
    }
    channels_[name] = std::move(content);
  }
  std::string ObjectOf(const std::string& channel, size_t index = 0) const {
    return dir_ / fmt::format("{}-{}.tfrecords", channel, index);
  }

  void Start() {
    ASSERT_TRUE(MakeDirectories(dir_ / "data"));
    nlohmann::json config;
    for (const auto& [name, content] : channels_) config[name] = {{"TrainingInputMode", "Pipe"}};
    std::ofstream(dir_ / "inputdataconfig.json") << config;
    for (const auto& [name, content] : channels_) {
      auto started = jobs::PipeFeeder::Start({.channel = name,
                                              .directory = dir_ / "data",
                                              .state_directory = dir_ / "state",
                                              .content = content,
                                              .order = {},
                                              .on_event = {}});
      ASSERT_TRUE(started) << started.error().message();
      feeders_.push_back(std::move(*started));
    }
  }
  // A slow side: each record takes its reader a millisecond.
  static data::Dataset Slowly(const data::Dataset& dataset) {
    return dataset.map([](data::Element element) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return element;
    });
  }

  data::Dataset Channel(const std::string& name) const {
    data::PipeModeOptions options;
    options.record_format = "TFRecord";
    options.pipe_dir = dir_ / "data";
    options.config_dir = dir_.path();
    options.state_dir = dir_ / "state";
    options.wait_seconds = 20;
    return data::PipeModeDataset(name, options);
  }
  data::Dataset Batches(const std::string& name) const {
    return Channel(name).map(data::cifar10::ParseRecord).batch(8);
  }

  // The message of the error that reading ends with, "" without one.
  static std::string ErrorOfReading(const data::Dataset& dataset) {
    try {
      auto iterator = dataset.MakeIterator();
      while (iterator.Next()) continue;
      return "";
    } catch (const Error& error) {
      return error.message();
    }
  }

  TemporaryDirectory dir_;
  std::map<std::string, std::shared_ptr<jobs::PipeContent>> channels_;
  std::vector<std::unique_ptr<jobs::PipeFeeder>> feeders_;
};

TEST_F(PipeModeTest, AnyOrderOfFitEvaluateAndPredictWorks) {
  using namespace keras;
  AddChannel("train", {25, 0, 15});
  AddChannel("validation", {0, 24});
  AddChannel("empty", {});
  AddChannel("void", {0, 0, 0});
  Start();
  Sequential model({GlobalAveragePooling2D({.input_shape = {32, 32, 3}}), Dense(10, {.activation = "softmax"})});
  model.compile(SGD(), "categorical_crossentropy");
  const data::Dataset train = Batches("train"), validation = Batches("validation"), endless = Batches("train").repeat();
  std::mt19937 random(3);
  for (int i = 0; i < 40; ++i) {
    switch (random() % 8) {
      case 0:
        EXPECT_EQ(model.fit(train, {.epochs = 2, .validation_data = &validation, .verbose = 0})["loss"].size(), 2u);
        break;
      case 1:  // stops in the middle of an epoch
        model.fit(
            endless,
            {.epochs = 2, .steps_per_epoch = 3, .validation_data = &validation, .validation_steps = 1, .verbose = 0});
        break;
      case 2:
        EXPECT_GT(model.evaluate(validation, {.verbose = 0}).At("loss"), 0);
        break;
      case 3:  // validates on the channel that is being trained on
        model.fit(endless, {.steps_per_epoch = 4, .validation_data = &train, .validation_steps = 2, .verbose = 0});
        break;
      case 4:
        EXPECT_EQ(model.predict(validation).dim(0), 24);
        break;
      case 5:
        for (const char* name : {"empty", "void"}) EXPECT_FALSE(Channel(name).repeat().MakeIterator().Next());
        break;
      case 6:  // the program is slower than the platform
        EXPECT_EQ(model.predict(Slowly(Channel("validation")).map(data::cifar10::ParseRecord).batch(8)).dim(0), 24);
        break;
      case 7: {  // closes early, after some records or none
        const auto records = static_cast<int64_t>(random() % 40);
        auto iterator = Channel("train").take(records).MakeIterator();
        for (int64_t read = 0; read < records; ++read) EXPECT_TRUE(iterator.Next());
        break;
      }
    }
  }
  feeders_.clear();
  EXPECT_TRUE(std::filesystem::is_empty(dir_ / "data"));
}

TEST_F(PipeModeTest, SeveralDataSetsOfOneChannelMayBeReadTurnAboutAndOnThreads) {
  AddChannel("train", {200});
  Start();
  auto first = Channel("train").MakeIterator(), second = Channel("train").MakeIterator();
  int records = 0;
  while (first.Next() && second.Next()) ++records;
  EXPECT_EQ(records, 200);
  std::vector<std::thread> threads;
  std::atomic<int> total{0};
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      auto iterator = Channel("train").repeat(5).MakeIterator();
      while (iterator.Next()) ++total;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(total, 4 * 5 * 200);
}

void Damage(const std::string& path, int64_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char byte = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(byte ^ 1));
}

TEST_F(PipeModeTest, ACorruptRecordNamesItsObjectAfterASecondReading) {
  AddChannel("train", {100});
  const auto frame = static_cast<int64_t>(std::filesystem::file_size(ObjectOf("train"))) / 100;
  Damage(ObjectOf("train"), 50 * frame + 100);
  Start();
  std::string message = ErrorOfReading(Channel("train"));
  EXPECT_THAT(message,
              HasSubstr(fmt::format("channel train, epoch 0: record 50 at byte {}: corrupt data", 50 * frame)));
  EXPECT_THAT(message,
              HasSubstr(fmt::format("(object s3://data/train, byte {}; read a second time, with the same result)",
                                    50 * frame + 12)));
  Damage(ObjectOf("train"), 20 * frame);  // a length
  message = ErrorOfReading(Channel("train"));
  EXPECT_THAT(message, HasSubstr("record 20"));
  EXPECT_THAT(message, HasSubstr(fmt::format("(object s3://data/train, byte {};", 20 * frame)));
}

TEST_F(PipeModeTest, ARecordThatIsRightAtTheSecondReadingIsUsedAndCounted) {
  AddChannel("train", {2000});
  // Bytes that went wrong on their way: the pipe is filled from a damaged object, which is right again when asked.
  Damage(ObjectOf("train"), 1000);
  Start();
  for (int i = 0; i < 10000 && feeders_[0]->counts().bytes < 4096; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  ASSERT_GT(feeders_[0]->counts().bytes, 4096u);
  const std::string mended = dir_ / "mended";
  std::filesystem::copy_file(ObjectOf("train"), mended);
  Damage(mended, 1000);
  std::filesystem::rename(mended, ObjectOf("train"));
  testing::internal::CaptureStdout();
  EXPECT_EQ(ErrorOfReading(Channel("train")), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(),
            "PipeModeDataset channel: train epoch: 0 skipped_corrupt_records: 0 reread_records: 1\n");
}

}  // namespace
}  // namespace headrace::apps
