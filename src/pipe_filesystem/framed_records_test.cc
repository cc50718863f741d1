#include "pipe_filesystem/framed_records.h"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::pipe_filesystem {
namespace {

using testing::HasSubstr;

// The records of a list; where that says so, an error behind them.
class ListedRecords : public data::RecordStream {
 public:
  explicit ListedRecords(std::vector<std::string> records, bool fails = false)
      : records_(std::move(records)), fails_(fails) {}
  Result<std::optional<std::string_view>> Next() override {
    if (next_ < records_.size()) return records_[next_++];
    if (fails_) return Fail(ErrorCode::kDataLoss, "record {}: corrupt", next_);
    return std::nullopt;
  }
  bool HasMore() const override { return next_ < records_.size(); }
  std::shared_ptr<void> owner() override { return nullptr; }
  Result<int64_t> Skip(int64_t) override { return 0; }
  data::RecordPosition position() const override { return {next_, 0}; }

 private:
  std::vector<std::string> records_;
  bool fails_;
  size_t next_ = 0;
};

FramedRecords Framed(std::vector<std::string> records, bool fails = false) {
  return FramedRecords(std::make_unique<ListedRecords>(std::move(records), fails));
}

std::string FileOf(const std::vector<std::string>& records) {
  const auto word = [](auto value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); };
  std::string file;
  for (const auto& record : records) {
    const std::string length = word(uint64_t{record.size()});
    file += length + word(data::tfrecord::MaskedCrc(length)) + record + word(data::tfrecord::MaskedCrc(record));
  }
  return file;
}

// By reads of `step` bytes.
std::string ReadAll(FramedRecords& file, size_t step) {
  std::string all, part(step, '\0');
  while (true) {
    const size_t n = file.Read(all.size(), part.data(), step).value();
    all.append(part, 0, n);
    if (n < step) return all;
  }
}

const std::vector<std::string> kRecords = {"one", "", std::string(5000, 'x'), std::string("\0\n", 2)};

TEST(FramedRecordsTest, AreTheBytesOfATFRecordFileHoweverTheyAreRead) {
  for (const size_t step : {1, 7, 12, 4096, 1 << 20}) {
    FramedRecords file = Framed(kRecords);
    EXPECT_EQ(ReadAll(file, step), FileOf(kRecords)) << step;
  }
  FramedRecords nothing = Framed({});
  EXPECT_EQ(ReadAll(nothing, 12), "");
}

TEST(FramedRecordsTest, PassesOverWhatLiesBeforeTheOffset) {
  const std::string whole = FileOf(kRecords);
  FramedRecords file = Framed(kRecords);
  char bytes[8];
  EXPECT_EQ(file.Read(30, bytes, 8).value(), 8u);
  EXPECT_EQ(std::string(bytes, 8), whole.substr(30, 8));
  EXPECT_EQ(file.Read(whole.size() - 2, bytes, 8).value(), 2u);
  EXPECT_EQ(std::string(bytes, 2), whole.substr(whole.size() - 2));
  EXPECT_EQ(file.Read(whole.size() + 100, bytes, 8).value(), 0u);
}

TEST(FramedRecordsTest, DoesNotGoBack) {
  FramedRecords file = Framed(kRecords);
  char bytes[12];
  ASSERT_TRUE(file.Read(0, bytes, 12));
  const auto again = file.Read(0, bytes, 12);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_THAT(again.error().message(), HasSubstr("found byte 0 asked for, wanted 12 or later"));
}

// TensorFlow reads a header and then what it says: all records before the error come out of that.
TEST(FramedRecordsTest, AnErrorComesBehindTheRecordsBeforeIt) {
  FramedRecords file = Framed({"one", "two"}, true);
  char bytes[64];
  EXPECT_EQ(file.Read(0, bytes, 12).value(), 12u);
  EXPECT_EQ(file.Read(12, bytes, 7).value(), 7u);
  EXPECT_EQ(file.Read(19, bytes, 12).value(), 12u);
  EXPECT_EQ(file.Read(31, bytes, 7).value(), 7u);
  const auto failed = file.Read(38, bytes, 12);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code(), ErrorCode::kDataLoss);
}

}  // namespace
}  // namespace headrace::pipe_filesystem
