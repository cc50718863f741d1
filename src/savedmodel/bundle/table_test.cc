#include "savedmodel/bundle/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/data.h"

#include "savedmodel/bundle/coding.h"

namespace headrace::savedmodel {
namespace {

using ::testing::HasSubstr;

TableEntries ManyEntries(int count) {
  TableEntries entries;
  for (int i = 0; i < count; ++i)
    entries[fmt::format("layer_{:05}/kernel", i)] = std::string(i % 50, char('a' + i % 26));
  return entries;
}

std::string ErrorOf(const std::string& file) {
  const auto result = ReadTable(file, "x.index");
  return result ? "no error" : result.error().message();
}

// Replaces the footer by one with these handles.
std::string WithFooter(const std::string& blocks, std::initializer_list<uint64_t> handles) {
  std::string footer;
  for (const uint64_t handle : handles) AppendVarint(footer, handle);
  footer.resize(40);
  AppendFixed(footer, 0xdb4775248b80fb57u, 8);
  return blocks + footer;
}

std::string Block(std::string bytes, char type = 0) {
  bytes.push_back(type);
  const uint32_t crc = data::MaskCrc(data::Crc32c(bytes));
  AppendFixed(bytes, crc, 4);
  return bytes;
}

const std::string kNoEntries("\0\0\0\0\1\0\0\0", 8);

TEST(Table, ReadsWhatItWrites) {
  for (const int count : {0, 1, 15, 16, 17, 1000}) {
    const auto read = ReadTable(BuildTable(ManyEntries(count)), "x.index");
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(*read, ManyEntries(count));
  }
}

TEST(Table, SpansSeveralBlocks) {
  const TableEntries entries = ManyEntries(30000);
  const std::string file = BuildTable(entries);
  ASSERT_GT(file.size(), 2u * 262144);
  const auto read = ReadTable(file, "x.index");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, entries);
}

TEST(Table, KeysOfHighBytesHaveASeparator) {
  const TableEntries entries = {{std::string("\xff\xff"), "a"}, {std::string("\xff\xff\xff"), "b"}};
  EXPECT_EQ(ReadTable(BuildTable(entries), "x").value(), entries);
}

TEST(Table, EveryFlippedByteIsFound) {
  const TableEntries entries = ManyEntries(20);
  const std::string file = BuildTable(entries);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string broken = file;
    broken[i] = static_cast<char>(broken[i] ^ 0x40);
    const auto read = ReadTable(broken, "x.index");
    // The padding between handles and magic number is the only place that means nothing.
    if (read) {
      EXPECT_GT(i, file.size() - 48) << i;
      EXPECT_EQ(*read, entries);
    }
  }
}

TEST(Table, EveryTruncationIsFound) {
  const std::string file = BuildTable(ManyEntries(20));
  for (size_t size = 0; size < file.size(); ++size) EXPECT_FALSE(ReadTable(file.substr(0, size), "x.index")) << size;
}

TEST(Table, SaysWhatIsWrong) {
  EXPECT_THAT(ErrorOf("short"), HasSubstr("x.index: 5 bytes, wanted at least the 48"));
  EXPECT_THAT(ErrorOf(std::string(48, 'x')), HasSubstr("magic number 0x7878787878787878 in the footer, wanted"));
  EXPECT_THAT(ErrorOf(WithFooter(Block(kNoEntries, 1), {0, 8, 0, 8})), HasSubstr("compressed (snappy), wanted none"));
  EXPECT_THAT(ErrorOf(WithFooter(Block(kNoEntries, 7), {0, 8, 0, 8})), HasSubstr("compressed (unknown type 7)"));
  EXPECT_THAT(ErrorOf(WithFooter(Block(kNoEntries), {0, 9, 0, 8})), HasSubstr("reaches beyond the file"));
  EXPECT_THAT(ErrorOf(WithFooter(Block(kNoEntries), {0, uint64_t(-1), 0, 8})), HasSubstr("reaches beyond the file"));
  EXPECT_THAT(ErrorOf(WithFooter(Block(kNoEntries), {uint64_t(-1), 8, 0, 8})), HasSubstr("reaches beyond the file"));
}

TEST(Table, RefusesMalformedBlocks) {
  const auto error = [](const std::string& block) {
    return ErrorOf(WithFooter(Block(block), {0, block.size(), 0, 8}));
  };
  const std::string restart("\0\0\0\0\1\0\0\0", 8);
  EXPECT_THAT(error("abc"), HasSubstr("too short"));
  EXPECT_THAT(error(std::string("\xff\xff\xff\xff", 4)), HasSubstr("more restarts than bytes"));
  EXPECT_THAT(error(std::string("\x05\x01\x00k", 4) + restart), HasSubstr("shares more than the key before it"));
  EXPECT_THAT(error(std::string("\x00\x09\x00k", 4) + restart), HasSubstr("reaches beyond it"));
  EXPECT_THAT(error(std::string("\x00\xff", 2) + restart.substr(4, 4) + restart), HasSubstr("malformed"));
}

// Each entry repeats the key before it and adds a byte: short in the file, long in memory.
TEST(Table, SharedPrefixesCannotFillMemory) {
  std::string block;
  for (uint64_t length = 0; length < 60000; ++length) {
    AppendVarint(block, length);
    block += std::string("\x01\x00k", 3);
  }
  block += kNoEntries;
  EXPECT_THAT(ErrorOf(WithFooter(Block(block), {0, block.size(), 0, block.size()})), HasSubstr("exceed the limit"));
}

}  // namespace
}  // namespace headrace::savedmodel
