#include "apps/commands/pipe_command.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "headrace/data.h"

#include "apps/commands/pipe_cat.h"
#include "apps/commands/pipe_status.h"
#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

using testing::HasSubstr;

class PipeCommandTest : public testing::Test {
 protected:
  std::string WriteTFRecords(const std::string& name, const std::vector<std::string>& records,
                             data::WriterOptions options = {}) const {
    data::TFRecordWriter writer(dir_ / name, options);
    for (const auto& record : records) writer.Write(record);
    writer.Close();
    return dir_ / name;
  }
  static std::string Cat(const PipeCatOptions& options, OutputFormat format = OutputFormat::kText) {
    std::ostringstream out;
    const auto status = PipeCat(options, format, out);
    return status ? out.str() : "error: " + status.error().message();
  }

  TemporaryDirectory dir_;
};

TEST_F(PipeCommandTest, CatFindsTheFormatOut) {
  EXPECT_THAT(Cat({.path = WriteTFRecords("t", {"one", "three"}), .format = ""}),
              HasSubstr("TFRecord: 2 records, 8 bytes"));
  EXPECT_THAT(Cat({.path = WriteTFRecords("z", {"one"}, {.compression = data::Compression::kGzip}), .format = ""}),
              HasSubstr("TFRecord: 1 records"));
  data::RecordIOWriter record_io(dir_ / "r");
  record_io.Write("one");
  record_io.Close();
  EXPECT_THAT(Cat({.path = dir_ / "r", .format = ""}), HasSubstr("RecordIO: 1 records, 3 bytes"));
  std::ofstream(dir_ / "l") << "a line\nand\tanother";
  const std::string lines = Cat({.path = dir_ / "l", .format = ""});
  EXPECT_THAT(lines, HasSubstr("TextLine: 2 records, 17 bytes"));
  EXPECT_THAT(lines, HasSubstr("and\\x09another"));
  std::ofstream(dir_ / "empty").flush();
  EXPECT_THAT(Cat({.path = dir_ / "empty", .format = "TFRecord"}), HasSubstr("0 records"));
}

TEST_F(PipeCommandTest, CatShowsExamplesLimitsCountsAndRawBytes) {
  const std::string example = data::cifar10::EncodeRecord(std::string(3072, 'x'), 3);
  const std::string path = WriteTFRecords("t", {example, "raw", "third"});
  const std::string all = Cat({.path = path, .format = ""});
  EXPECT_THAT(all, HasSubstr("tf.Example: image label"));
  EXPECT_THAT(all, HasSubstr("3 records"));
  EXPECT_THAT(Cat({.path = path, .format = "", .limit = 1}), HasSubstr("1 records"));
  EXPECT_EQ(Cat({.path = path, .format = "", .raw = true}), example + "raw" + "third");
  const auto json = nlohmann::json::parse(Cat({.path = path, .format = "", .count = true}, OutputFormat::kJson));
  EXPECT_EQ(json["records"], 3);
  EXPECT_FALSE(json.contains("list"));
  const auto list = nlohmann::json::parse(Cat({.path = path, .format = ""}, OutputFormat::kJson))["list"];
  EXPECT_EQ(list[1]["offset"], example.size() + 16);
  EXPECT_EQ(list[1]["preview"], "raw");
}

TEST_F(PipeCommandTest, CatNamesCorruptPlacesAndPassesOverThem) {
  const std::string path = WriteTFRecords("t", {"one", "two", "three"});
  std::string bytes = ReadFile(path).value();
  bytes[19 + 12] ^= 1;
  std::ofstream(path, std::ios::binary) << bytes;
  EXPECT_THAT(Cat({.path = path, .format = ""}), HasSubstr("record 1 at byte 19: corrupt data"));
  EXPECT_THAT(Cat({.path = path, .format = "", .skip_corrupt = true}), HasSubstr("2 records, 8 bytes"));
  EXPECT_THAT(Cat({.path = path, .format = "", .skip_corrupt = true}), HasSubstr("1 corrupt places skipped"));
  EXPECT_THAT(Cat({.path = dir_ / "none", .format = ""}), HasSubstr("cannot open"));
}

TEST_F(PipeCommandTest, StatusShowsCountsAndRates) {
  const std::string before = R"({"t": 1000, "channels": [{"channel": "train", "epochs_ended": 1, "bytes": 1000000}]})";
  const std::string after =
      R"({"t": 3000, "channels": [{"channel": "train", "epochs_started": 6, "epochs_ended": 5, "early_closes": 1, "bytes": 9000000}]})";
  std::ostringstream out;
  ASSERT_TRUE(PrintPipeStatus(after, before, OutputFormat::kText, out));
  EXPECT_THAT(out.str(), testing::ContainsRegex("train +6 +5 +1 +9000000 +2.0 +4.0\n"));
  EXPECT_FALSE(PrintPipeStatus("torn", "", OutputFormat::kText, out));

  ASSERT_TRUE(MakeDirectories(dir_ / "jobs/123/my-job/hosts/algo-1/attempt-0"));
  std::ofstream(dir_ / "jobs/123/my-job/hosts/algo-1/attempt-0/pipes.json") << after;
  EXPECT_THAT(FindPipeStatus(dir_.path(), "my-job").value_or("none"),
              testing::EndsWith("my-job/hosts/algo-1/attempt-0/pipes.json"));
  EXPECT_THAT(FindPipeStatus("/", dir_ / "jobs/123/my-job").value_or("none"),
              testing::EndsWith("attempt-0/pipes.json"));
  EXPECT_THAT(FindPipeStatus(dir_.path(), "another").error().message(), HasSubstr("job another: no job of that name"));
}

}  // namespace
}  // namespace headrace::apps
