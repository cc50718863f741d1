// Splitting objects into records, records into batches, answers into outputs; where the objects come from.
#include <cstring>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/transform/batch_reader.h"
#include "jobs/transform/object_output.h"
#include "jobs/transform/s3_output.h"
#include "jobs/transform/transform_inputs.h"

namespace headrace::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// Hands out `piece` bytes at a time.
RecordSplitter::Read From(std::string bytes, size_t piece = 3) {
  return [bytes = std::move(bytes), piece, at = size_t{0}](char* out, size_t size) mutable -> Result<size_t> {
    const size_t n = std::min({piece, size, bytes.size() - at});
    std::memcpy(out, bytes.data() + at, n);
    at += n;
    return n;
  };
}

std::string Word(uint32_t value) { return {reinterpret_cast<const char*>(&value), sizeof value}; }

std::string RecordIOPart(uint32_t flag, const std::string& data) {
  return Word(0xced7230a) + Word(flag << 29 | static_cast<uint32_t>(data.size())) + data +
         std::string((4 - data.size() % 4) % 4, '\0');
}

// "123456789", as TensorFlow's TFRecordWriter writes it.
std::string TFRecordOfDigits() {
  const uint64_t length = 9;
  return std::string(reinterpret_cast<const char*>(&length), 8) + Word(0x3971f937) + "123456789" + Word(0xc78ab0e5);
}

std::vector<std::string> Payloads(SplitType split, const std::string& bytes, size_t limit = 1000) {
  std::vector<std::string> found;
  RecordSplitter splitter(split, From(bytes), limit);
  while (true) {
    const auto record = splitter.Next();
    if (!record) found.push_back("! " + record.error().message());
    if (!record || !*record) return found;
    found.emplace_back((*record)->payload);
  }
}

std::vector<std::string> Bodies(SplitType split, bool many, const std::string& bytes, size_t limit) {
  std::vector<std::string> found;
  BatchReader reader(split, many, From(bytes), limit);
  uint64_t next = 1;
  while (true) {
    auto batch = reader.Next();
    if (!batch) found.push_back("! " + batch.error().message());
    if (!batch || !*batch) return found;
    EXPECT_EQ((*batch)->first_record, next);
    next += (*batch)->records;
    found.push_back(std::move((*batch)->body));
  }
}

TEST(RecordSplitter, Lines) {
  EXPECT_THAT(Payloads(SplitType::kLine, "a\nbc\r\n\n\r\nlast"), ElementsAre("a", "bc", "last"));
  EXPECT_THAT(Payloads(SplitType::kLine, ""), IsEmpty());
  EXPECT_THAT(Payloads(SplitType::kLine, "\n\n"), IsEmpty());
  EXPECT_THAT(Payloads(SplitType::kLine, "1234\n12345\n", 4),
              ElementsAre("1234", HasSubstr("record 2 at byte 5 has at least")));
  EXPECT_THAT(Payloads(SplitType::kLine, std::string(100, 'x'), 4), ElementsAre(HasSubstr("more than MaxPayloadInMB")));
}

TEST(RecordSplitter, WholeObjects) {
  EXPECT_THAT(Payloads(SplitType::kNone, "a\nb"), ElementsAre("a\nb"));
  EXPECT_THAT(Payloads(SplitType::kNone, ""), IsEmpty());
  EXPECT_THAT(Payloads(SplitType::kNone, "12345", 5), ElementsAre("12345"));
  EXPECT_THAT(Payloads(SplitType::kNone, "123456", 5), ElementsAre(HasSubstr("allows (5 bytes)")));
}

TEST(RecordSplitter, RecordIO) {
  const std::string whole = RecordIOPart(0, "abcde");
  const std::string parts = RecordIOPart(1, "1234") + RecordIOPart(2, "") + RecordIOPart(3, "x");
  EXPECT_THAT(Payloads(SplitType::kRecordIO, whole + parts + RecordIOPart(0, "")),
              ElementsAre("abcde", "1234" + Word(0xced7230a) + Word(0xced7230a) + "x", ""));
  EXPECT_THAT(Payloads(SplitType::kRecordIO, whole + "junk, no record"),
              ElementsAre("abcde", HasSubstr("record 2 at byte 16 is no RecordIO")));
  EXPECT_THAT(Payloads(SplitType::kRecordIO, RecordIOPart(2, "a")), ElementsAre(HasSubstr("is no RecordIO")));
  EXPECT_THAT(Payloads(SplitType::kRecordIO, whole.substr(0, 10)), ElementsAre(HasSubstr("is truncated")));
  EXPECT_THAT(Payloads(SplitType::kRecordIO, Word(0xced7230a) + Word(0x1fffffff)), ElementsAre(HasSubstr("536870911")));
}

TEST(RecordSplitter, TFRecord) {
  const std::string record = TFRecordOfDigits();
  EXPECT_THAT(Payloads(SplitType::kTFRecord, record + record), ElementsAre("123456789", "123456789"));
  EXPECT_THAT(Payloads(SplitType::kTFRecord, record + record.substr(0, 5)),
              ElementsAre("123456789", HasSubstr("record 2 at byte 25 is truncated")));
  std::string wrong = record;
  wrong[14] = 'x';
  EXPECT_THAT(Payloads(SplitType::kTFRecord, wrong), ElementsAre(HasSubstr("checksum of its data")));
  wrong = record;
  wrong[1] = 'x';
  EXPECT_THAT(Payloads(SplitType::kTFRecord, wrong), ElementsAre(HasSubstr("no TFRecord")));
  EXPECT_THAT(Payloads(SplitType::kTFRecord, record, 8), ElementsAre(HasSubstr("has 9 bytes")));
}

TEST(BatchReader, OneRecordOrManyABody) {
  const std::string lines = "aa\nbb\ncc\nd";
  EXPECT_THAT(Bodies(SplitType::kLine, false, lines, 6), ElementsAre("aa", "bb", "cc", "d"));
  EXPECT_THAT(Bodies(SplitType::kLine, true, lines, 6), ElementsAre("aa\nbb\n", "cc\nd"));
  EXPECT_THAT(Bodies(SplitType::kLine, true, lines, 2), ElementsAre("aa\n", "bb\n", "cc\n", "d"));
  EXPECT_THAT(Bodies(SplitType::kLine, true, lines, 100), ElementsAre(lines));
  EXPECT_THAT(Bodies(SplitType::kNone, true, lines, 100), ElementsAre(lines));
}

TEST(BatchReader, KeepsPaddingWhereRecordsGoTogether) {
  const std::string a = RecordIOPart(0, "a"), b = RecordIOPart(0, "bb");
  EXPECT_THAT(Bodies(SplitType::kRecordIO, true, a + b, 100), ElementsAre(a + b));
  EXPECT_THAT(Bodies(SplitType::kRecordIO, false, a + b, 100), ElementsAre("a", "bb"));
}

TEST(BatchReader, WhatCameBeforeAnErrorGoesFirst) {
  EXPECT_THAT(Bodies(SplitType::kLine, true, "aa\nbbbbbbbbbb\n", 5), ElementsAre("aa\n", HasSubstr("record 2")));
}

class TransformObjects : public testing::Test {
 protected:
  TransformObjects() {
    for (const char* name : {"bucket", "theirs"}) {
      store::Bucket bucket;
      bucket.name = name;
      bucket.owner = std::string_view(name) == "bucket" ? "1" : "2";
      ValueOrThrow(objects_->CreateBucket(bucket));
    }
  }
  void Put(const std::string& key, const std::string& bytes = "x") {
    auto blob = ValueOrThrow(objects_->NewBlob());
    ValueOrThrow(blob.Write(bytes));
    ValueOrThrow(objects_->Commit(std::move(blob), "bucket", key, {}));
  }
  std::vector<std::string> Relatives(const std::string& uri, bool manifest = false) {
    std::vector<std::string> names;
    for (const auto& input : ValueOrThrow(FindTransformInputs(mine_, uri, manifest))) names.push_back(input.relative);
    return names;
  }

  SystemClock clock_;
  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  const store::AccountObjects mine_ = store::ObjectAccess(objects_.get()).As({"1", "", ""});
};

TEST_F(TransformObjects, InputsAreNamedFromTheFolderOn) {
  for (const char* key : {"in/a", "in/sub/b", "in/sub/", "inner"}) Put(key);
  EXPECT_THAT(Relatives("s3://bucket/in/"), ElementsAre("a", "sub/b"));
  EXPECT_THAT(Relatives("s3://bucket/in"), ElementsAre("a", "sub/b", "inner"));
  EXPECT_THAT(Relatives("s3://bucket/in/sub/b"), ElementsAre("b"));
  EXPECT_THAT(Relatives("s3://bucket/in/s"), ElementsAre("sub/b"));
  EXPECT_THAT(Relatives("s3://bucket"), ElementsAre("in/a", "in/sub/b", "inner"));
  EXPECT_EQ(FindTransformInputs(mine_, "s3://bucket/no", false).error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(FindTransformInputs(mine_, "s3://theirs/", false).error().message(), HasSubstr("denied"));
}

TEST_F(TransformObjects, InputsOfAManifest) {
  Put("in/a");
  Put("in/b");
  Put("list", R"([{"prefix": "s3://bucket/in/"}, "b", "a", "b"])");
  EXPECT_THAT(Relatives("s3://bucket/list", true), ElementsAre("b", "a"));
  Put("list", R"([{"prefix": "s3://bucket/in/"}, "c"])");
  EXPECT_FALSE(FindTransformInputs(mine_, "s3://bucket/list", true));
  Put("list", R"(["a"])");
  EXPECT_THAT(FindTransformInputs(mine_, "s3://bucket/list", true).error().message(), HasSubstr("prefix"));
}

TEST_F(TransformObjects, InputsComeBackFromTheirFile) {
  const std::vector<TransformInput> inputs{{"b", "k\n", "e", "r"}, {"b", "k2", "e2", "r2"}};
  ValueOrThrow(SaveTransformInputs(directory_ / "inputs", inputs));
  const auto back = LoadTransformInputs(directory_ / "inputs").value();
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].Uri(), "s3://b/k\n");
  EXPECT_EQ(back[1].relative, "r2");
  EXPECT_EQ(back[1].etag, "e2");
}

TEST_F(TransformObjects, AnswersBecomeOneObjectInOrder) {
  for (const bool lines : {false, true}) {
    ObjectOutput output(ValueOrThrow(objects_->NewBlob()), lines);
    ASSERT_TRUE(output.Add(1, "b\n"));
    ASSERT_TRUE(output.Add(2, "c"));
    EXPECT_EQ(output.waiting(), 2u);
    ASSERT_TRUE(output.Add(0, "a"));
    EXPECT_EQ(output.waiting(), 0u);
    EXPECT_FALSE(output.complete());
    output.SetCount(3);
    ASSERT_TRUE(output.complete());
    ValueOrThrow(output.Commit(mine_, "bucket", "out"));
    const auto object = objects_->Find("bucket", "out").value();
    EXPECT_EQ(ReadFile(objects_->BlobPath(object)).value(), lines ? "a\nb\nc\n" : "ab\nc");
  }
}

TEST_F(TransformObjects, AnOutputThatIsNotStoredLeavesNothing) {
  {
    ObjectOutput output(ValueOrThrow(objects_->NewBlob()), false);
    ASSERT_TRUE(output.Add(0, "a"));
  }
  EXPECT_FALSE(objects_->Find("bucket", "out"));
}

TEST(OutputPlace, KeysBehindThePath) {
  EXPECT_EQ(ParseOutputPlace("s3://b/p/q//").value().KeyOf("d/x.csv"), "p/q/d/x.csv.out");
  EXPECT_EQ(ParseOutputPlace("s3://b").value().KeyOf("x"), "x.out");
  EXPECT_FALSE(ParseOutputPlace("file:///x"));
}

}  // namespace
}  // namespace headrace::jobs
