#include "pipe_filesystem/record_chunk.h"

#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pipe_filesystem/testing/listed_records.h"

namespace headrace::pipe_filesystem {
namespace {

using testing::HasSubstr;

std::string BytesOf(const RecordChunk& chunk, size_t step) {
  std::string all, part(step, '\0');
  while (const size_t n = chunk.Read(all.size(), part.data(), step)) all.append(part, 0, n);
  return all;
}

TEST(RecordChunkTest, IsASerializedTensorOfStrings) {
  ListedRecords records({"one", "", std::string(200, 'x')});
  std::optional<Error> error;
  const auto chunk = RecordChunk::Next(records, error);
  ASSERT_TRUE(chunk && *chunk);
  // dtype: DT_STRING; tensor_shape: a dim of size 3; tensor_content: lengths 3, 0 and 200, and what they tell of.
  const std::string wanted =
      std::string("\x08\x07\x12\x04\x12\x02\x08\x03\x22\xcf\x01\x03\x00\xc8\x01", 15) + "one" + std::string(200, 'x');
  for (const size_t step : {1, 5, 1000}) EXPECT_EQ(BytesOf(**chunk, step), wanted);
  EXPECT_EQ((*chunk)->size(), wanted.size());
  const auto end = RecordChunk::Next(records, error);
  ASSERT_TRUE(end);
  EXPECT_FALSE(*end);
}

TEST(RecordChunkTest, EndsWhereMoreIsToBeWaitedFor) {
  ListedRecords records({"one", "two", "three"});
  records.waits_behind = 2;
  std::optional<Error> error;
  EXPECT_THAT(BytesOf(**RecordChunk::Next(records, error), 100), HasSubstr("onetwo"));
  EXPECT_THAT(BytesOf(**RecordChunk::Next(records, error), 100), HasSubstr("three"));
}

TEST(RecordChunkTest, HasNoMoreThanStaysInTheCache) {
  ListedRecords records(std::vector<std::string>(5, std::string(100 << 10, 'x')));
  std::optional<Error> error;
  EXPECT_LT((*RecordChunk::Next(records, error))->size(), 301u << 10);
  EXPECT_GT((*RecordChunk::Next(records, error))->size(), 200u << 10);
}

TEST(RecordChunkTest, AnErrorComesBehindTheRecordsBeforeIt) {
  ListedRecords records({"one", "two"});
  records.fails = true;
  std::optional<Error> error;
  EXPECT_THAT(BytesOf(**RecordChunk::Next(records, error), 100), HasSubstr("onetwo"));
  for (int i = 0; i < 2; ++i) {
    const auto failed = RecordChunk::Next(records, error);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::kDataLoss);
  }
}

}  // namespace
}  // namespace headrace::pipe_filesystem
