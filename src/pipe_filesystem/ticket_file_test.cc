#include "pipe_filesystem/ticket_file.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/tfrecord_format.h"
#include "pipe_filesystem/chunk_tickets.h"
#include "pipe_filesystem/testing/listed_records.h"

namespace headrace::pipe_filesystem {
namespace {

using testing::HasSubstr;
using namespace data::tfrecord;

TicketFile FileOf(std::vector<std::string> records) {
  return TicketFile(std::make_unique<ListedRecords>(std::move(records)));
}

TEST(TicketFileTest, IsReadAsTensorFlowReadsTFRecords) {
  TicketFile file = FileOf({"one", "three"});
  uint64_t at = 0;
  for (const std::string record : {"one", "three"}) {
    char header[12], data[16];
    ASSERT_EQ(file.Read(at, header, 12).value(), 12u);
    ASSERT_TRUE(IsHeader(header));
    ASSERT_EQ(Load<uint64_t>(header), record.size());
    ASSERT_EQ(file.Read(at + 12, data, record.size() + 4).value(), record.size() + 4);
    EXPECT_EQ(std::string(data, record.size()), record);
    EXPECT_EQ(Load<uint32_t>(data + record.size()), MaskedCrc(record));
    at += record.size() + 16;
  }
  char header[12];
  EXPECT_EQ(file.Read(at, header, 12).value(), 0u);
}

// TensorFlow restores an iterator by reading the byte before its place, and then all up to it.
TEST(TicketFileTest, RefusesToFindAPlace) {
  for (const auto& [offset, size] : {std::pair<uint64_t, size_t>{38, 1}, {0, 38}, {12, 12}}) {
    TicketFile file = FileOf({"one", "two"});
    std::string bytes(size, '\0');
    const auto read = file.Read(offset, bytes.data(), size);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code(), ErrorCode::kFailedPrecondition);
    EXPECT_THAT(read.error().message(), HasSubstr("cannot be restored from a checkpoint"));
  }
}

TEST(ChunkTicketsTest, EachIsGoodForOneReading) {
  const auto chunks = std::make_shared<ChunkTable>();
  const auto tickets = TicketsOf(std::make_unique<ListedRecords>(std::vector<std::string>{"one"}), chunks);
  const std::string ticket((*tickets->Next()).value());
  EXPECT_EQ(ticket, "headrace.pipe://chunk/0");
  const uint64_t number = TicketNumber(ticket).value();
  const uint64_t size = chunks->SizeOf(number).value();
  EXPECT_EQ(chunks->Take(number).value().size(), size);
  for (const auto& error : {chunks->SizeOf(number).error(), chunks->Take(number).error()}) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    EXPECT_THAT(error.message(), HasSubstr("has been read already"));
  }
  for (const char* name : {"", "headrace.pipe://", "headrace.pipe://chunk/", "headrace.pipe://chunk/1x",
                           "headrace.pipe://{}", "headrace.pipe://chunk/99999999999999999999"})
    EXPECT_FALSE(TicketNumber(name)) << name;
}

TEST(ChunkTicketsTest, AnEpochThatIsClosedEarlyTakesItsChunksAlong) {
  const auto chunks = std::make_shared<ChunkTable>();
  auto early = TicketsOf(std::make_unique<ListedRecords>(std::vector<std::string>{"one", "two"}), chunks);
  auto whole = TicketsOf(std::make_unique<ListedRecords>(std::vector<std::string>{"three"}), chunks);
  ASSERT_TRUE(early->Next()->has_value());
  ASSERT_TRUE(whole->Next()->has_value());
  ASSERT_FALSE(whole->Next()->has_value());  // read to its end: TensorFlow closes it before it has read all chunks
  early.reset();
  whole.reset();
  EXPECT_FALSE(chunks->SizeOf(0));
  EXPECT_TRUE(chunks->SizeOf(1));
}

}  // namespace
}  // namespace headrace::pipe_filesystem
