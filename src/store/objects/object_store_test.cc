#include "store/objects/object_store.h"

#include <filesystem>

#include <gtest/gtest.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

class ObjectStoreTest : public testing::Test {
 protected:
  ObjectStoreTest() { Reopen(); }

  void Reopen() {
    store_.reset();
    database_.reset();
    database_ = Database::Open(directory_ / "meta.db").value();
    store_ = ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  }
  void MakeBucket(const std::string& name = "b") { ASSERT_TRUE(store_->CreateBucket({.name = name, .owner = "1"})); }
  Result<Object> Put(const std::string& key, std::string_view bytes, const Precondition& wanted = {},
                     ObjectInfo info = {}) {
    HEADRACE_ASSIGN(BlobWriter writer, store_->NewBlob());
    HEADRACE_TRY(writer.Write(bytes));
    return store_->Commit(std::move(writer), "b", key, std::move(info), wanted);
  }
  std::string Get(const std::string& key) {
    const auto opened = store_->Open("b", key);
    return opened ? ReadDescriptor(*opened->file) : "";
  }
  static std::string ReadDescriptor(const Descriptor& file) {
    std::string bytes(size_t{1} << 16, '\0');
    const ssize_t n = ::pread(file.get(), bytes.data(), bytes.size(), 0);
    bytes.resize(n < 0 ? 0 : static_cast<size_t>(n));
    return bytes;
  }
  size_t CountFiles(const std::string& below = "objects/blobs") {
    size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ / below))
      files += entry.is_regular_file() ? 1 : 0;
    return files;
  }

  TemporaryDirectory directory_;
  ManualClock clock_{1'700'000'000'000};
  std::unique_ptr<Database> database_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(ObjectStoreTest, KeepsBuckets) {
  MakeBucket();
  EXPECT_EQ(store_->CreateBucket({.name = "b", .owner = "2"}).error().code(), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(store_->UpdateBucket("b", [](Bucket& bucket) {
    bucket.acl = "public-read";
    bucket.tags = {{"k", "v"}};
  }));
  Reopen();
  const Bucket bucket = store_->FindBucket("b").value();
  EXPECT_EQ(bucket.owner, "1");
  EXPECT_EQ(bucket.acl, "public-read");
  EXPECT_EQ(bucket.tags, (Pairs{{"k", "v"}}));
  EXPECT_EQ(bucket.created, clock_.Now());
  EXPECT_EQ(store_->ListBuckets("1").value().size(), 1U);
  EXPECT_TRUE(store_->ListBuckets("2").value().empty());
}

TEST_F(ObjectStoreTest, DeletesOnlyEmptyBuckets) {
  MakeBucket();
  ASSERT_TRUE(Put("k", "x"));
  EXPECT_EQ(store_->DeleteBucket("b").error().code(), ErrorCode::kFailedPrecondition);
  ASSERT_TRUE(store_->Delete("b", "k"));
  ASSERT_TRUE(store_->DeleteBucket("b"));
  EXPECT_EQ(store_->DeleteBucket("b").error().code(), ErrorCode::kNotFound);
}

TEST_F(ObjectStoreTest, ReturnsWhatWasPut) {
  MakeBucket();
  ObjectInfo info;
  info.headers = {{"Content-Type", "text/plain"}};
  info.metadata = {{"a", "1"}};
  info.checksums = {{"CRC32", "AAAA"}};
  ASSERT_TRUE(Put("a/b c", "hello", {}, info));
  Reopen();
  const Object object = store_->Find("b", "a/b c").value();
  EXPECT_EQ(object.size, 5U);
  EXPECT_EQ(object.etag, "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(object.modified, clock_.Now());
  EXPECT_EQ(object.info.headers, info.headers);
  EXPECT_EQ(object.info.metadata, info.metadata);
  EXPECT_EQ(object.info.checksums, info.checksums);
  EXPECT_EQ(Get("a/b c"), "hello");
  EXPECT_EQ(ReadFile(store_->BlobPath(object)).value(), "hello");
}

TEST_F(ObjectStoreTest, KeepsEmptyObjects) {
  MakeBucket();
  ASSERT_TRUE(Put("folder/", ""));
  EXPECT_EQ(store_->Find("b", "folder/").value().etag, "d41d8cd98f00b204e9800998ecf8427e");
}

TEST_F(ObjectStoreTest, RemovesReplacedBytesAndLeavesOpenReadersAlone) {
  MakeBucket();
  ASSERT_TRUE(Put("k", "old"));
  const auto opened = store_->Open("b", "k").value();
  ASSERT_TRUE(Put("k", "new"));
  EXPECT_EQ(CountFiles(), 1U);
  EXPECT_EQ(ReadDescriptor(*opened.file), "old");
  EXPECT_EQ(Get("k"), "new");
  EXPECT_TRUE(store_->Delete("b", "k").value());
  EXPECT_FALSE(store_->Delete("b", "k").value());
  EXPECT_EQ(CountFiles(), 0U);
  EXPECT_EQ(store_->Find("b", "k").error().code(), ErrorCode::kNotFound);
}

TEST_F(ObjectStoreTest, DroppedWritersLeaveNothing) {
  MakeBucket();
  {
    auto writer = store_->NewBlob().value();
    ASSERT_TRUE(writer.Write("half"));
  }
  EXPECT_EQ(CountFiles("objects/incoming"), 0U);
  EXPECT_FALSE(Put("k", "x", {.any_etag = {"*"}}));  // refused after its bytes were written
  EXPECT_EQ(CountFiles(), 0U);
}

TEST_F(ObjectStoreTest, HonoursPreconditions) {
  MakeBucket();
  EXPECT_EQ(Put("k", "x", {.any_etag = {"*"}}).error().code(), ErrorCode::kNotFound);
  const Object object = Put("k", "x", {.absent = true}).value();
  EXPECT_EQ(Put("k", "y", {.absent = true}).error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(Put("k", "y", {.any_etag = {"0"}}).error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_TRUE(Put("k", "y", {.any_etag = {object.etag}}));
  EXPECT_EQ(Get("k"), "y");
}

TEST_F(ObjectStoreTest, CopiesWithoutCopyingBytes) {
  MakeBucket();
  const Object from = Put("k", "bytes").value();
  ObjectInfo info;
  info.metadata = {{"new", "1"}};
  ASSERT_TRUE(store_->Copy(from, "b", "copy", info));
  EXPECT_EQ(CountFiles(), 1U);
  ASSERT_TRUE(store_->Delete("b", "k"));
  EXPECT_EQ(Get("copy"), "bytes");
  EXPECT_EQ(store_->Find("b", "copy").value().info.metadata, info.metadata);
  ASSERT_TRUE(store_->Copy(store_->Find("b", "copy").value(), "b", "copy", {}));  // onto itself
  EXPECT_EQ(Get("copy"), "bytes");
  ASSERT_TRUE(store_->DeleteMany("b", {"copy", "absent"}));
  EXPECT_EQ(CountFiles(), 0U);
  EXPECT_EQ(store_->Copy(from, "b", "again", {}).error().code(), ErrorCode::kNotFound);
}

TEST_F(ObjectStoreTest, TakesFiles) {
  MakeBucket();
  ASSERT_TRUE(WriteFileAtomically(directory_ / "file", "content"));
  EXPECT_EQ(store_->PutFile("b", "copied", directory_ / "file", {}, false).value().etag,
            "9a0364b9e99bb480dd25e1f0284c8555");
  EXPECT_TRUE(std::filesystem::exists(directory_ / "file"));
  EXPECT_EQ(store_->PutFile("b", "moved", directory_ / "file", {}, true).value().etag,
            "9a0364b9e99bb480dd25e1f0284c8555");
  EXPECT_FALSE(std::filesystem::exists(directory_ / "file"));
  EXPECT_EQ(Get("copied") + Get("moved"), "contentcontent");
  EXPECT_EQ(store_->PutFile("b", "k", directory_ / "absent", {}, true).error().code(), ErrorCode::kNotFound);
}

TEST_F(ObjectStoreTest, TakingAFileCanBeCancelled) {
  MakeBucket();
  ASSERT_TRUE(WriteFileAtomically(directory_ / "file", ""));
  std::filesystem::resize_file(directory_ / "file", uint64_t{1} << 40);  // all holes: it would take half an hour
  for (const bool move : {false, true}) {
    int pieces = 0;
    const auto cancelled = [&] { return ++pieces > 3; };
    const auto put = store_->PutFile("b", "file", directory_ / "file", {}, move, {}, cancelled);
    ASSERT_FALSE(put);
    EXPECT_EQ(put.error().code(), ErrorCode::kUnavailable);
    EXPECT_EQ(std::filesystem::file_size(directory_ / "file"), uint64_t{1} << 40);
    EXPECT_EQ(CountFiles(), 0U);
    EXPECT_EQ(store_->Find("b", "file").error().code(), ErrorCode::kNotFound);
  }
}

TEST_F(ObjectStoreTest, WhatThePlatformWritesHasAChecksumToo) {
  MakeBucket();
  const std::map<std::string, std::string> wanted = {{"CRC64NVME", "rosUhgp5mIg="}};
  for (const bool move : {false, true}) {
    ASSERT_TRUE(WriteFileAtomically(directory_ / "file", "123456789"));
    const auto object = store_->PutFile("b", "file", directory_ / "file", {}, move).value();
    EXPECT_EQ(object.info.checksums, wanted);
    EXPECT_EQ(object.info.checksum_type, "FULL_OBJECT");
  }
  auto writer = store_->NewBlob().value();
  ASSERT_TRUE(writer.Write("1234"));
  ASSERT_TRUE(writer.Write("56789"));
  EXPECT_EQ(store_->Commit(std::move(writer), "b", "written", {}).value().info.checksums, wanted);
  // Whoever has hashed the bytes already says what there is.
  ObjectInfo info;
  info.checksums = {{"SHA1", "98O8HYCOBHMq32eZZczDTKeuNEE="}};
  auto other = store_->NewBlob().value();
  ASSERT_TRUE(other.Write("123456789"));
  EXPECT_EQ(store_->Commit(std::move(other), "b", "other", info).value().info.checksums, info.checksums);
}

TEST_F(ObjectStoreTest, SweepsWhatACrashLeft) {
  MakeBucket();
  ASSERT_TRUE(Put("k", "kept"));
  ASSERT_TRUE(WriteFileAtomically(directory_ / "objects/incoming/half", "x"));
  ASSERT_TRUE(MakeDirectories(directory_ / "objects/blobs/00"));
  ASSERT_TRUE(WriteFileAtomically(directory_ / "objects/blobs/00/00000000000000000000000000000000", "orphan"));
  Reopen();
  store_->RemoveOrphans([] { return false; });
  EXPECT_EQ(CountFiles("objects/incoming"), 0U);
  EXPECT_EQ(CountFiles(), 1U);
  EXPECT_EQ(Get("k"), "kept");
}

TEST_F(ObjectStoreTest, RefusesASecondUser) {
  const auto second = ObjectStore::Open(*database_, clock_, directory_ / "objects");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), ErrorCode::kFailedPrecondition);
}

class MultipartTest : public ObjectStoreTest {
 protected:
  MultipartTest() {
    MakeBucket();
    upload_ = store_->CreateUpload("b", "k", "1", {}).value();
  }
  void PutPart(int number, std::string_view bytes) {
    auto writer = store_->NewBlob().value();
    ASSERT_TRUE(writer.Write(bytes));
    ASSERT_TRUE(store_->CommitPart(std::move(writer), upload_, number, {}));
  }
  std::vector<UploadPart> Parts() { return store_->ListParts(upload_, 0, 10'000).value(); }

  Upload upload_;
};

TEST_F(MultipartTest, JoinsItsParts) {
  PutPart(2, "world");
  PutPart(1, "never seen");
  PutPart(1, "hello ");
  PutPart(7, "left out");
  auto parts = Parts();
  ASSERT_EQ(parts.size(), 3U);
  parts.pop_back();
  const Object object = store_->CompleteUpload(upload_, parts, {}).value();
  EXPECT_EQ(Get("k"), "hello world");
  EXPECT_EQ(object.size, 11U);
  EXPECT_EQ(object.etag, "e09e4fd6265b36115fe3db32df945d84-2");
  EXPECT_EQ(object.info.part_sizes, (std::vector<uint64_t>{6, 5}));
  EXPECT_EQ(CountFiles(), 1U);
  EXPECT_EQ(store_->FindUpload("b", "k", upload_.id).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(store_->CompleteUpload(upload_, parts, {}));
}

TEST_F(MultipartTest, TakesASinglePartAsItIs) {
  PutPart(3, "alone");
  ASSERT_TRUE(store_->CompleteUpload(upload_, Parts(), {}));
  EXPECT_EQ(Get("k"), "alone");
  EXPECT_EQ(CountFiles(), 1U);
}

TEST_F(MultipartTest, LeavesTheOldObjectUntilItIsComplete) {
  ASSERT_TRUE(Put("k", "old"));
  PutPart(1, "new");
  EXPECT_EQ(Get("k"), "old");
  ASSERT_TRUE(store_->AbortUpload(upload_));
  EXPECT_EQ(Get("k"), "old");
  EXPECT_EQ(CountFiles(), 1U);
  EXPECT_EQ(store_->AbortUpload(upload_).error().code(), ErrorCode::kNotFound);
}

TEST_F(MultipartTest, SurvivesReopening) {
  PutPart(1, "part");
  Reopen();
  store_->RemoveOrphans([] { return false; });
  ASSERT_TRUE(store_->CompleteUpload(store_->FindUpload("b", "k", upload_.id).value(), Parts(), {}));
  EXPECT_EQ(Get("k"), "part");
}

TEST_F(MultipartTest, ListsUploads) {
  ASSERT_TRUE(store_->CreateUpload("b", "a/1", "1", {}));
  ASSERT_TRUE(store_->CreateUpload("b", "a/2", "1", {}));
  const auto all = store_->ListUploads({.bucket = "b"}).value();
  ASSERT_EQ(all.uploads.size(), 3U);
  EXPECT_EQ(all.uploads[0].key, "a/1");
  const auto rolled = store_->ListUploads({.bucket = "b", .delimiter = "/"}).value();
  EXPECT_EQ(rolled.prefixes, (std::vector<std::string>{"a/"}));
  ASSERT_EQ(rolled.uploads.size(), 1U);
  const auto page = store_->ListUploads({.bucket = "b", .limit = 1}).value();
  EXPECT_TRUE(page.truncated);
  const auto next = store_->ListUploads({.bucket = "b", .after_key = page.last_key, .after_id = page.last_id}).value();
  ASSERT_EQ(next.uploads.size(), 2U);
  EXPECT_EQ(next.uploads[0].key, "a/2");
}

}  // namespace
}  // namespace headrace::store
