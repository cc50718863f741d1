#include <gmock/gmock.h>

#include "headrace/data.h"

#include "data/record_stream.h"
#include "data/recordio_format.h"
#include "data/test_files.h"

namespace headrace::data {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::string kMagicBytes = FromHex("0a23d7ce");

std::vector<std::string> ReadAll(const std::string& path, ReaderOptions options = {}) {
  RecordIOReader reader(path, options);
  std::vector<std::string> records;
  while (const auto record = reader.Next()) records.emplace_back(*record);
  return records;
}

void WriteRecords(const std::string& path, const std::vector<std::string>& records, WriterOptions options = {}) {
  RecordIOWriter writer(path, options);
  for (const auto& record : records) writer.Write(record);
  writer.Close();
}

TEST(RecordIO, WritesTheKnownBytes) {
  const TemporaryDirectory dir;
  WriteRecords(dir / "f", {"abcde"});
  EXPECT_EQ(Contents(dir / "f"), FromHex("0a23d7ce"
                                         "05000000"
                                         "6162636465"
                                         "000000"));
}

TEST(RecordIO, CutsWhereTheMagicIsAligned) {
  const TemporaryDirectory dir;
  WriteRecords(dir / "f", {"abcd" + kMagicBytes + "ef" + kMagicBytes});
  // Two parts: the second magic is not at a multiple of four bytes.
  EXPECT_EQ(Contents(dir / "f"), FromHex("0a23d7ce"
                                         "04000020"
                                         "61626364"
                                         "0a23d7ce"
                                         "06000060"
                                         "6566"
                                         "0a23d7ce"
                                         "0000"));
}

TEST(RecordIO, ReadsWhatWasWritten) {
  const TemporaryDirectory dir;
  std::vector<std::string> records{"",
                                   "a",
                                   kMagicBytes,
                                   kMagicBytes + kMagicBytes,
                                   "abcd" + kMagicBytes + "x",
                                   "abc" + kMagicBytes,
                                   std::string(100000, 'z')};
  Random random(3);
  for (int i = 0; i < 200; ++i) {
    std::string record;
    for (uint64_t n = random.Below(40); n > 0; --n) record += random.Below(3) == 0 ? kMagicBytes : std::string("wxyz");
    records.push_back(record + std::string(random.Below(4), 'q'));
  }
  for (const auto compression : {Compression::kNone, Compression::kGzip, Compression::kZlib}) {
    WriteRecords(dir / "f", records, {.compression = compression});
    for (const size_t buffer : {64, 1 << 18}) EXPECT_EQ(ReadAll(dir / "f", {.buffer_bytes = buffer}), records);
  }
}

TEST(RecordIO, BadInputNamesThePlace) {
  const TemporaryDirectory dir;
  WriteRecords(dir / "f", {"first", "second"});  // 16 bytes each
  std::string bytes = Contents(dir / "f");
  const auto error = [&](ReaderOptions options = {}) {
    SetContents(dir / "f", bytes);
    return ErrorOf([&] { ReadAll(dir / "f", options); });
  };
  EXPECT_THAT(error({.max_record_bytes = 5}).second, HasSubstr("record 1 at byte 16: length 6 exceeds the limit of 5"));
  bytes[16] = 'x';
  EXPECT_THAT(error().second, HasSubstr("record 1 at byte 16: found ced72378, wanted the magic number ced7230a"));
  bytes[16] = 0x0a;
  bytes[16 + 7] = 0x40;
  EXPECT_THAT(error().second, HasSubstr("record 1 at byte 16: found the flag 2, wanted 0 or 1"));
  bytes[16 + 7] = 0;
  bytes.resize(16 + 12);
  EXPECT_THAT(error().second, HasSubstr("record 1 at byte 16: truncated: found 12 bytes, wanted 16"));
  bytes.resize(16 + 3);
  EXPECT_EQ(error().first, ErrorCode::kDataLoss);
}

TEST(RecordIO, SkipsCorruptRecords) {
  const TemporaryDirectory dir;
  WriteRecords(dir / "f", {"first", "abcd" + kMagicBytes + "efgh", "third"});
  std::string bytes = Contents(dir / "f");
  bytes[16] = 'x';  // the second record's magic
  SetContents(dir / "f", bytes);
  const auto stats = std::make_shared<ReadStats>();
  EXPECT_THAT(ReadAll(dir / "f", {.skip_corrupt = true, .stats = stats}), ElementsAre("first", "third"));
  EXPECT_EQ(stats->skipped, 1u);
  EXPECT_EQ(stats->skipped_bytes, 24u);
}

}  // namespace
}  // namespace headrace::data
