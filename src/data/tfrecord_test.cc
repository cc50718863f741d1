#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "headrace/data.h"

#include "data/record_stream.h"
#include "data/test_files.h"
#include "data/tfrecord_format.h"

namespace headrace::data {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kExampleHex = "0a210a0f0a05696d61676512060a040a0201020a0e0a056c6162656c12051a030a0107";

std::vector<std::string> ReadAll(TFRecordReader& reader) {
  std::vector<std::string> records;
  while (const auto record = reader.Next()) records.emplace_back(*record);
  return records;
}

// Lengths that hit every path: empty, small, around the buffer's size, several buffers.
std::vector<std::string> ManyRecords() {
  std::vector<std::string> records{"", "a"};
  Random random(7);
  for (int i = 0; i < 300; ++i) records.emplace_back(random.Below(i % 50 == 0 ? 9000 : 700), static_cast<char>(i));
  return records;
}

void WriteRecords(const std::string& path, const std::vector<std::string>& records, WriterOptions options = {}) {
  TFRecordWriter writer(path, options);
  for (const auto& record : records) writer.Write(record);
  writer.Close();
}

TEST(TFRecord, WritesTheKnownBytes) {
  const TemporaryDirectory dir;
  WriteRecords(dir / "one", {FromHex(kExampleHex)});
  EXPECT_EQ(Contents(dir / "one"), FromHex("2300000000000000b09f7743" + std::string(kExampleHex) + "35c118a4"));
}

TEST(TFRecord, ReadsWhatWasWritten) {
  const TemporaryDirectory dir;
  const auto records = ManyRecords();
  for (const auto compression : {Compression::kNone, Compression::kGzip, Compression::kZlib}) {
    WriteRecords(dir / "all", records, {.compression = compression});
    for (const auto reading : {Compression::kAuto, compression})
      for (const size_t buffer : {64, 1000, 1 << 20}) {
        TFRecordReader reader(dir / "all", {.compression = reading, .buffer_bytes = buffer});
        EXPECT_EQ(ReadAll(reader), records) << "buffer " << buffer;
      }
  }
}

TEST(TFRecord, ReadsInAnySteps) {
  const TemporaryDirectory dir;
  const auto records = ManyRecords();
  WriteRecords(dir / "all", records);
  for (const size_t step : {1, 7, 4096}) {
    auto stream =
        ReadTFRecords(std::make_unique<MemorySource>(Contents(dir / "all"), step), "memory", {.buffer_bytes = 100});
    for (const auto& record : records) ASSERT_EQ(stream->Next().value(), record);
    EXPECT_EQ(stream->Next().value(), std::nullopt);
  }
}

TEST(TFRecord, GzipMembersOneAfterTheOther) {
  const TemporaryDirectory dir;
  WriteRecords(dir / "a", {"one"}, {.compression = Compression::kGzip});
  WriteRecords(dir / "b", {"two"}, {.compression = Compression::kGzip});
  SetContents(dir / "ab", Contents(dir / "a") + Contents(dir / "b"));
  TFRecordReader reader(dir / "ab");
  EXPECT_THAT(ReadAll(reader), ElementsAre("one", "two"));
}

TEST(TFRecord, ALengthThatLooksLikeGzipIsPlain) {
  const TemporaryDirectory dir;
  const std::string record(0x8b1f, 'x');  // its length begins with gzip's magic bytes
  WriteRecords(dir / "plain", {record});
  TFRecordReader reader(dir / "plain");
  EXPECT_THAT(ReadAll(reader), ElementsAre(record));
}

TEST(TFRecord, WriterLeavesNothingWithoutClose) {
  const TemporaryDirectory dir;
  { TFRecordWriter(dir / "dropped").Write("x"); }
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
  EXPECT_EQ(ErrorOf([&] { TFRecordWriter(dir / "a", {.compression = Compression::kAuto}); }).first,
            ErrorCode::kInvalidArgument);
}

class BadTFRecord : public testing::Test {
 protected:
  void SetUp() override {
    WriteRecords(dir_ / "f", {"first", "second", "third"});
    bytes_ = Contents(dir_ / "f");
  }
  // Frames: first at 0 (21 bytes), second at 21 (22 bytes), third at 43 (21 bytes).
  std::pair<ErrorCode, std::string> Read(ReaderOptions options = {}) {
    SetContents(dir_ / "f", bytes_);
    return ErrorOf([&] {
      TFRecordReader reader(dir_ / "f", options);
      ReadAll(reader);
    });
  }
  std::vector<std::string> ReadSkipping() {
    SetContents(dir_ / "f", bytes_);
    TFRecordReader reader(dir_ / "f", {.skip_corrupt = true, .stats = stats_});
    return ReadAll(reader);
  }
  TemporaryDirectory dir_;
  std::string bytes_;
  std::shared_ptr<ReadStats> stats_ = std::make_shared<ReadStats>();
};

TEST_F(BadTFRecord, CorruptDataNamesPlaceAndBothChecksums) {
  bytes_[21 + 12] = 'S';
  const auto [code, message] = Read();
  EXPECT_EQ(code, ErrorCode::kDataLoss);
  EXPECT_EQ(message, fmt::format("{}: record 1 at byte 21: corrupt data of 6 bytes: its masked CRC32C is {:08x}, "
                                 "the file says {:08x}",
                                 dir_ / "f", MaskCrc(Crc32c("Second")), MaskCrc(Crc32c("second"))));
  EXPECT_THAT(ReadSkipping(), ElementsAre("first", "third"));
  EXPECT_EQ(stats_->skipped, 1u);
  EXPECT_EQ(stats_->skipped_bytes, 22u);
  EXPECT_EQ(stats_->records, 2u);
}

TEST_F(BadTFRecord, ChecksumsOfDataCanBeLeftOut) {
  bytes_[21 + 12] = 'S';
  SetContents(dir_ / "f", bytes_);
  TFRecordReader reader(dir_ / "f", {.verify_checksums = false});
  EXPECT_THAT(ReadAll(reader), ElementsAre("first", "Second", "third"));
}

TEST_F(BadTFRecord, CorruptLength) {
  bytes_[21 + 3] = 1;
  const auto [code, message] = Read();
  EXPECT_EQ(code, ErrorCode::kDataLoss);
  EXPECT_THAT(message, HasSubstr("record 1 at byte 21: corrupt length 16777222: its masked CRC32C is "));
  EXPECT_THAT(ReadSkipping(), ElementsAre("first", "third"));
  EXPECT_EQ(stats_->skipped, 1u);
}

TEST_F(BadTFRecord, Truncated) {
  bytes_.resize(21 + 15);
  const auto [code, message] = Read();
  EXPECT_EQ(code, ErrorCode::kDataLoss);
  EXPECT_THAT(message, HasSubstr("record 1 at byte 21: truncated: found 15 bytes, wanted 22"));
  EXPECT_THAT(ReadSkipping(), ElementsAre("first"));
  bytes_.resize(21 + 5);
  EXPECT_THAT(Read().second, HasSubstr("record 1 at byte 21: truncated: found 5 bytes, wanted 12"));
}

TEST_F(BadTFRecord, LengthBeyondTheLimitIsRefused) {
  const uint64_t length = uint64_t{1} << 62;
  const std::string header(reinterpret_cast<const char*>(&length), 8);
  const uint32_t crc = MaskCrc(Crc32c(header));
  bytes_ = header + std::string(reinterpret_cast<const char*>(&crc), 4) + bytes_;
  for (const size_t limit : {size_t{1000}, SIZE_MAX}) {
    const auto [code, message] = Read({.max_record_bytes = limit});
    EXPECT_EQ(code, ErrorCode::kResourceExhausted);
    EXPECT_THAT(message, AllOf(HasSubstr("record 0 at byte 0: length 4611686018427387904"),
                               HasSubstr("the checksum of the length is right")));
  }
}

TEST_F(BadTFRecord, TruncatedGzip) {
  WriteRecords(dir_ / "z", {std::string(5000, 'x'), "y"}, {.compression = Compression::kGzip});
  bytes_ = Contents(dir_ / "z");
  bytes_.resize(bytes_.size() - 6);
  EXPECT_THAT(Read().second, HasSubstr("the compressed stream is truncated after"));
  bytes_[12] = '\xff';
  EXPECT_THAT(Read().second, HasSubstr("the compressed stream is corrupt before byte"));
}

TEST_F(BadTFRecord, MissingFileAndDirectory) {
  EXPECT_EQ(ErrorOf([&] { TFRecordReader(dir_ / "none"); }).first, ErrorCode::kNotFound);
  EXPECT_THAT(ErrorOf([&] { TFRecordReader(dir_.path()); }).second, HasSubstr("found a directory, wanted a file"));
}

TEST(TFRecord, ReadsAFifo) {
  const TemporaryDirectory dir;
  ASSERT_EQ(::mkfifo((dir / "pipe").c_str(), 0600), 0);
  WriteRecords(dir / "f", {"first", "second"});
  std::thread writer([&] { SetContents(dir / "pipe", Contents(dir / "f")); });
  TFRecordReader reader(dir / "pipe");
  EXPECT_THAT(ReadAll(reader), ElementsAre("first", "second"));
  writer.join();
}

}  // namespace
}  // namespace headrace::data
