#include "api/s3/testing/s3_fixture.h"

namespace headrace::api::s3 {
namespace {

class ObjectTest : public S3Test {
 protected:
  ObjectTest() { MakeBucket(); }
};

TEST_F(ObjectTest, ReturnsWhatWasPut) {
  const Answer put = Call("PUT", "/bucket/a%20b/c%2Bd.txt", "hello",
                          {{"Content-Type", "text/plain"},
                           {"Cache-Control", "no-cache"},
                           {"x-amz-meta-Colour", "blue"},
                           {"x-amz-tagging", "a=1&b=2"},
                           {"x-amz-checksum-crc32", "NhCmhg=="}});
  EXPECT_EQ(put.status, 200) << put.body;
  EXPECT_EQ(put.headers.Get("ETag"), "\"5d41402abc4b2a76b9719d911017c592\"");
  EXPECT_EQ(put.headers.Get("x-amz-checksum-crc32"), "NhCmhg==");
  const Answer got = Call("GET", "/bucket/a%20b/c%2Bd.txt", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(got.status, 200);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.headers.Get("Content-Type"), "text/plain");
  EXPECT_EQ(got.headers.Get("Cache-Control"), "no-cache");
  EXPECT_EQ(got.headers.Get("x-amz-meta-colour"), "blue");
  EXPECT_EQ(got.headers.Get("x-amz-tagging-count"), "2");
  EXPECT_EQ(got.headers.Get("Last-Modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
  EXPECT_EQ(got.headers.Get("x-amz-checksum-crc32"), "NhCmhg==");
  const Answer head = Call("HEAD", "/bucket/a%20b/c%2Bd.txt");
  EXPECT_EQ(head.content_length, 5U);
  EXPECT_FALSE(head.headers.Has("x-amz-checksum-crc32"));
  EXPECT_EQ(Call("GET", "/bucket").Element("Key"), "a b/c+d.txt");
}

TEST_F(ObjectTest, TakesLargeBodiesPieceByPiece) {
  std::string bytes(5'000'001, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 7);
  EXPECT_EQ(Put("/bucket/large", bytes), "\"" + aws::Hex(aws::Md5(bytes)) + "\"");
  EXPECT_EQ(Get("/bucket/large"), bytes);
  Put("/bucket/empty", "");
  EXPECT_EQ(Call("GET", "/bucket/empty").body, "");
  EXPECT_EQ(Call("GET", "/bucket/empty").headers.Get("Content-Type"), "binary/octet-stream");
}

TEST_F(ObjectTest, KeepsNothingOfAWrongBody) {
  for (const size_t size : {size_t{5}, size_t{3'000'000}}) {
    const std::string bytes(size, 'x');
    EXPECT_EQ(Call("PUT", "/bucket/k", bytes, {{"Content-MD5", "XUFAKrxLKna5cZ2REBfFkg=="}}).code(), "BadDigest");
    EXPECT_EQ(Call("PUT", "/bucket/k", bytes, {{"x-amz-checksum-crc32", "AAAAAA=="}}).code(), "BadDigest");
    EXPECT_EQ(Call("PUT", "/bucket/k", bytes, {{"x-amz-content-sha256", std::string(64, 'a')}}).code(),
              "XAmzContentSHA256Mismatch");
  }
  EXPECT_EQ(Call("GET", "/bucket/k").code(), "NoSuchKey");
  EXPECT_EQ(Call("PUT", "/absent/k", "x").code(), "NoSuchBucket");
}

TEST_F(ObjectTest, ServesRanges) {
  Put("/bucket/k", "0123456789");
  const auto range = [&](const std::string& value) { return Call("GET", "/bucket/k", "", {{"Range", value}}); };
  EXPECT_EQ(range("bytes=2-4").body, "234");
  EXPECT_EQ(range("bytes=2-4").status, 206);
  EXPECT_EQ(range("bytes=2-4").headers.Get("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(range("bytes=7-").body, "789");
  EXPECT_EQ(range("bytes=7-100").headers.Get("Content-Range"), "bytes 7-9/10");
  EXPECT_EQ(range("bytes=-3").body, "789");
  EXPECT_EQ(range("bytes=-100").body, "0123456789");
  for (const char* outside : {"bytes=10-", "bytes=99-100", "bytes=-0"}) {
    EXPECT_EQ(range(outside).status, 416) << outside;
    EXPECT_EQ(range(outside).code(), "InvalidRange") << outside;
    EXPECT_EQ(range(outside).headers.Get("Content-Range"), "bytes */10") << outside;
  }
  for (const char* ignored : {"bytes=4-2", "bytes=a-b", "items=1-2", "bytes=1-2,4-5", "bytes=-", "bytes=1"})
    EXPECT_EQ(range(ignored).status, 200) << ignored;
  EXPECT_EQ(Call("HEAD", "/bucket/k", "", {{"Range", "bytes=2-4"}}).content_length, 3U);
}

TEST_F(ObjectTest, HonoursConditionsOfReads) {
  const std::string etag = Put("/bucket/k", "x");
  const auto get = [&](const std::string& name, const std::string& value) {
    return Call("GET", "/bucket/k", "", {{name, value}}).status;
  };
  EXPECT_EQ(get("If-Match", etag), 200);
  EXPECT_EQ(get("If-Match", "\"other\""), 412);
  EXPECT_EQ(get("If-None-Match", etag), 304);
  EXPECT_EQ(get("If-None-Match", "\"a\", " + etag), 304);
  EXPECT_EQ(get("If-None-Match", "\"other\""), 200);
  EXPECT_EQ(get("If-Modified-Since", "Tue, 14 Nov 2023 22:13:20 GMT"), 304);
  EXPECT_EQ(get("If-Modified-Since", "Tue, 14 Nov 2023 22:13:19 GMT"), 200);
  EXPECT_EQ(get("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:20 GMT"), 200);
  EXPECT_EQ(get("If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT"), 412);
  const Fields both = {{"If-Match", etag}, {"If-Unmodified-Since", "Tue, 14 Nov 2023 22:13:19 GMT"}};
  EXPECT_EQ(Call("GET", "/bucket/k", "", both).status, 200);
}

TEST_F(ObjectTest, HonoursConditionsOfWrites) {
  const std::string etag = Put("/bucket/k", "x", {{"If-None-Match", "*"}});
  EXPECT_EQ(Call("PUT", "/bucket/k", "y", {{"If-None-Match", "*"}}).code(), "PreconditionFailed");
  EXPECT_EQ(Call("PUT", "/bucket/k", "y", {{"If-Match", "\"0\""}}).code(), "PreconditionFailed");
  EXPECT_EQ(Call("PUT", "/bucket/absent", "y", {{"If-Match", etag}}).code(), "NoSuchKey");
  EXPECT_EQ(Call("DELETE", "/bucket/k", "", {{"If-Match", "\"0\""}}).status, 412);
  EXPECT_EQ(Call("PUT", "/bucket/k", "y", {{"If-Match", etag}}).status, 200);
  EXPECT_EQ(Get("/bucket/k"), "y");
}

TEST_F(ObjectTest, OverridesResponseHeaders) {
  Put("/bucket/k", "x", {{"Content-Type", "a/b"}});
  const Answer got = Call("GET", "/bucket/k?response-content-type=c%2Fd&response-content-disposition=attachment");
  EXPECT_EQ(got.headers.Get("Content-Type"), "c/d");
  EXPECT_EQ(got.headers.Get("Content-Disposition"), "attachment");
}

TEST_F(ObjectTest, DeletesWithoutComplaint) {
  Put("/bucket/k", "x");
  EXPECT_EQ(Call("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(Call("DELETE", "/bucket/k").status, 204);
  EXPECT_EQ(Call("GET", "/bucket/k").status, 404);
  EXPECT_EQ(Call("GET", "/bucket/k?versionId=abc").status, 404);
}

TEST_F(ObjectTest, DeletesMany) {
  Put("/bucket/a", "x");
  Put("/bucket/b%26", "x");
  const std::string document =
      "<Delete><Object><Key>a</Key></Object><Object><Key>b&amp;</Key></Object><Object><Key>absent</Key></Object>"
      "<Object><Key>a</Key><VersionId>v</VersionId></Object></Delete>";
  EXPECT_EQ(Call("POST", "/bucket?delete", document).code(), "InvalidRequest");
  const Fields digest = {{"Content-MD5", aws::Base64(aws::Md5(document))}};
  const Answer answer = Call("POST", "/bucket?delete", document, digest);
  EXPECT_EQ(answer.Elements("Deleted").size(), 3U) << answer.body;
  EXPECT_EQ(answer.code(), "NoSuchVersion");
  EXPECT_TRUE(Call("GET", "/bucket").Elements("Key").empty());
  const std::string nonsense = "<Delete></Delete>";
  EXPECT_EQ(Call("POST", "/bucket?delete", nonsense, {{"Content-MD5", aws::Base64(aws::Md5(nonsense))}}).code(),
            "MalformedXML");
}

TEST_F(ObjectTest, Copies) {
  const std::string etag = Put("/bucket/a%20b", "x", {{"x-amz-meta-k", "v"}, {"Content-Type", "a/b"}});
  const Answer copied = Call("PUT", "/bucket/copy", "", {{"x-amz-copy-source", "/bucket/a%20b"}});
  EXPECT_EQ(copied.status, 200) << copied.body;
  EXPECT_NE(copied.body.find("<ETag>"), std::string::npos);
  EXPECT_EQ(Call("GET", "/bucket/copy").headers.Get("x-amz-meta-k"), "v");
  Put("/bucket/copy", "",
      {{"x-amz-copy-source", "bucket/copy"}, {"x-amz-metadata-directive", "REPLACE"}, {"x-amz-meta-n", "w"}});
  const Answer replaced = Call("GET", "/bucket/copy");
  EXPECT_FALSE(replaced.headers.Has("x-amz-meta-k"));
  EXPECT_EQ(replaced.headers.Get("x-amz-meta-n"), "w");
  EXPECT_EQ(replaced.body, "x");
  const auto copy = [&](const Fields& fields) { return Call("PUT", "/bucket/copy", "", fields).code(); };
  EXPECT_EQ(copy({{"x-amz-copy-source", "/bucket/copy"}}), "InvalidRequest");
  EXPECT_EQ(copy({{"x-amz-copy-source", "/bucket/absent"}}), "NoSuchKey");
  EXPECT_EQ(copy({{"x-amz-copy-source", "/absent/k"}}), "NoSuchBucket");
  EXPECT_EQ(copy({{"x-amz-copy-source", "bucket"}}), "InvalidArgument");
  EXPECT_EQ(copy({{"x-amz-copy-source", "/bucket/a%20b"}, {"x-amz-copy-source-if-match", "\"0\""}}),
            "PreconditionFailed");
  EXPECT_EQ(copy({{"x-amz-copy-source", "/bucket/a%20b"}, {"x-amz-copy-source-if-none-match", etag}}),
            "PreconditionFailed");
  As(kBob, "PUT", "/bobs");
  EXPECT_EQ(As(kBob, "PUT", "/bobs/k", "", {{"x-amz-copy-source", "/bucket/a%20b"}}).status, 403);
}

TEST_F(ObjectTest, RefusesWhatCannotBeKept) {
  EXPECT_EQ(Call("PUT", "/bucket/" + std::string(1025, 'k'), "x").code(), "KeyTooLongError");
  EXPECT_EQ(Call("PUT", "/bucket/" + std::string(1024, 'k'), "x").status, 200);
  EXPECT_EQ(Call("PUT", "/bucket/%FF", "x").code(), "InvalidURI");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-meta-k", std::string(2048, 'v')}}).code(), "MetadataTooLarge");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-server-side-encryption-customer-algorithm", "AES256"}}).code(),
            "NotImplemented");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-storage-class", "COLD"}}).code(), "InvalidStorageClass");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-tagging", "a=1&a=2"}}).code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-tagging", "a=%"}}).code(), "InvalidArgument");
  EXPECT_EQ(Call("PUT", "/bucket/k", "x", {{"x-amz-tagging", "aws%3Aa=1"}}).code(), "InvalidTag");
  EXPECT_EQ(Call("PUT", "/bucket/%", "x").code(), "InvalidURI");
}

TEST_F(ObjectTest, TagsObjects) {
  Put("/bucket/k", "x");
  const std::string tags = "<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>";
  EXPECT_EQ(Call("PUT", "/bucket/k?tagging", tags).status, 200);
  EXPECT_EQ(Call("GET", "/bucket/k?tagging").Element("Value"), "v");
  EXPECT_EQ(Call("DELETE", "/bucket/k?tagging").status, 204);
  EXPECT_TRUE(Call("GET", "/bucket/k?tagging").Elements("Tag").empty());
  EXPECT_EQ(Call("PUT", "/bucket/k?tagging", "<x/>").code(), "MalformedXML");
}

TEST_F(ObjectTest, TellsAttributes) {
  Put("/bucket/k", "hello", {{"x-amz-checksum-crc32", "NhCmhg=="}});
  const Answer told =
      Call("GET", "/bucket/k?attributes", "", {{"x-amz-object-attributes", "ETag,Checksum,ObjectSize"}});
  EXPECT_EQ(told.Element("ETag"), "5d41402abc4b2a76b9719d911017c592");
  EXPECT_EQ(told.Element("ChecksumCRC32"), "NhCmhg==");
  EXPECT_EQ(told.Element("ObjectSize"), "5");
  EXPECT_EQ(Call("GET", "/bucket/k?attributes").code(), "InvalidArgument");
}

TEST_F(ObjectTest, DatesThatHaveNotComeSayNothing) {
  Put("/bucket/k", "hello");
  const auto since = [&](const char* date) {
    return Call("GET", "/bucket/k", "", {{"If-Modified-Since", date}}).status;
  };
  EXPECT_EQ(since("Tue, 14 Nov 2023 22:13:20 GMT"), 304);
  EXPECT_EQ(since("Tue, 14 Nov 2023 22:13:21 GMT"), 200);  // a second ahead of the clock
  EXPECT_EQ(since("Thu, 01 Jan 2099 00:00:00 GMT"), 200);
}

TEST_F(ObjectTest, TimesInListingsAreThoseOfHeaders) {
  clock_.Advance(789);
  Put("/bucket/k", "hello");
  EXPECT_EQ(Call("GET", "/bucket/k").headers.Get("Last-Modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
  for (const char* listing : {"/bucket", "/bucket?list-type=2", "/bucket?versions"})
    EXPECT_EQ(Call("GET", listing).Element("LastModified"), "2023-11-14T22:13:20.000Z") << listing;
}

class ListTest : public ObjectTest {
 protected:
  ListTest() {
    for (const char* key : {"a", "d/1", "d/2", "e%20f", "z"}) Put(std::string("/bucket/") + key, "x");
  }
};

TEST_F(ListTest, ListsTheOldWay) {
  const Answer all = Call("GET", "/bucket?encoding-type=url");
  EXPECT_EQ(all.Elements("Key"), (std::vector<std::string>{"a", "d/1", "d/2", "e%20f", "z"}));
  EXPECT_EQ(all.Element("IsTruncated"), "false");
  EXPECT_EQ(all.Element("StorageClass"), "STANDARD");
  const Answer page = Call("GET", "/bucket?delimiter=/&max-keys=2");
  EXPECT_EQ(page.Elements("Key"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(page.Element("CommonPrefixes"), "<Prefix>d/</Prefix>");
  EXPECT_EQ(page.Element("NextMarker"), "d/");
  const Answer next = Call("GET", "/bucket?delimiter=/&marker=d/");
  EXPECT_EQ(next.Elements("Key"), (std::vector<std::string>{"e f", "z"}));
}

TEST_F(ListTest, ListsTheNewWay) {
  const Answer page = Call("GET", "/bucket?list-type=2&max-keys=2&fetch-owner=true");
  EXPECT_EQ(page.Elements("Key"), (std::vector<std::string>{"a", "d/1"}));
  EXPECT_EQ(page.Element("KeyCount"), "2");
  EXPECT_EQ(page.Element("ID"), kAlice);
  const std::string token = http::PercentEncode(page.Element("NextContinuationToken"), false);
  const Answer next = Call("GET", "/bucket?list-type=2&continuation-token=" + token);
  EXPECT_EQ(next.Elements("Key"), (std::vector<std::string>{"d/2", "e f", "z"}));
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&start-after=d/2").Elements("Key").size(), 2U);
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&max-keys=0").Element("IsTruncated"), "false");
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&continuation-token=x").code(), "InvalidArgument");
  EXPECT_EQ(Call("GET", "/bucket?list-type=2&max-keys=-1").code(), "InvalidArgument");
  EXPECT_EQ(Call("GET", "/absent?list-type=2").code(), "NoSuchBucket");
}

TEST_F(ListTest, ListsVersions) {
  const Answer all = Call("GET", "/bucket?versions&max-keys=3");
  EXPECT_EQ(all.Elements("VersionId"), (std::vector<std::string>{"null", "null", "null"}));
  EXPECT_EQ(all.Element("NextKeyMarker"), "d/2");
  EXPECT_EQ(Call("GET", "/bucket?versions&key-marker=d/2").Elements("Version").size(), 2U);
}

class MultipartApiTest : public ObjectTest {
 protected:
  std::string Begin(const Fields& fields = {}) {
    return Call("POST", "/bucket/k?uploads", "", fields).Element("UploadId");
  }
  Answer PutPart(const std::string& id, int number, const std::string& bytes, const Fields& fields = {}) {
    return Call("PUT", fmt::format("/bucket/k?partNumber={}&uploadId={}", number, id), bytes, fields);
  }
  // `more`: elements of each part besides number and ETag.
  Answer Complete(const std::string& id, const std::vector<std::pair<int, std::string>>& parts,
                  const std::vector<std::string>& more = {}, const Fields& fields = {}) {
    std::string document = "<CompleteMultipartUpload>";
    for (size_t i = 0; i < parts.size(); ++i)
      document += fmt::format("<Part><PartNumber>{}</PartNumber><ETag>{}</ETag>{}</Part>", parts[i].first,
                              parts[i].second, i < more.size() ? more[i] : "");
    return Call("POST", "/bucket/k?uploadId=" + id, document + "</CompleteMultipartUpload>", fields);
  }
  static std::string Element(const char* name, const std::string& value) {
    return fmt::format("<{0}>{1}</{0}>", name, value);
  }

  const std::string first_ = std::string(5 << 20, 'a'), last_ = "end";
};

TEST_F(MultipartApiTest, UploadsInParts) {
  const std::string id = Begin({{"Content-Type", "a/b"}, {"x-amz-checksum-algorithm", "CRC32"}});
  const Answer last = PutPart(id, 2, last_);
  const std::string second = last.headers.Get("ETag"), last_crc = last.headers.Get("x-amz-checksum-crc32");
  const Answer part = PutPart(id, 1, first_);
  const std::string first_crc = part.headers.Get("x-amz-checksum-crc32");
  EXPECT_FALSE(first_crc.empty());
  EXPECT_EQ(PutPart(id, 1, first_, {{"x-amz-checksum-sha1", aws::Base64(std::string(20, 'x'))}}).code(),
            "InvalidRequest");  // another algorithm than the upload's
  EXPECT_EQ(Call("GET", "/bucket/k?uploadId=" + id).Elements("PartNumber"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(Call("GET", "/bucket?uploads").Elements("UploadId"), (std::vector<std::string>{id}));
  EXPECT_EQ(Call("GET", "/bucket/k").status, 404);
  const std::vector<std::pair<int, std::string>> parts = {{1, part.headers.Get("ETag")}, {2, second}};
  EXPECT_EQ(Complete(id, parts).code(), "InvalidRequest");  // each part's checksum is wanted
  EXPECT_EQ(Complete(id, parts, {Element("ChecksumSHA1", "x"), Element("ChecksumSHA1", "x")}).code(), "BadDigest");
  EXPECT_EQ(Complete(id, parts, {Element("ChecksumCRC32", last_crc), Element("ChecksumCRC32", last_crc)}).code(),
            "InvalidPart");
  const Answer done = Complete(id, parts, {Element("ChecksumCRC32", first_crc), Element("ChecksumCRC32", last_crc)});
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.Element("ETag"), "&quot;" + aws::Hex(aws::Md5(aws::Md5(first_) + aws::Md5(last_))) + "-2&quot;");
  EXPECT_TRUE(done.Element("ChecksumCRC32").ends_with("-2"));
  EXPECT_EQ(Get("/bucket/k"), first_ + last_);
  EXPECT_EQ(Call("GET", "/bucket/k").headers.Get("Content-Type"), "a/b");
  EXPECT_EQ(Call("GET", "/bucket/k?partNumber=2").body, last_);
  EXPECT_EQ(Call("HEAD", "/bucket/k?partNumber=1").headers.Get("x-amz-mp-parts-count"), "2");
  EXPECT_EQ(Call("GET", "/bucket/k?partNumber=3").code(), "InvalidPartNumber");
  const Answer checked = Call("GET", "/bucket/k?partNumber=2", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(checked.headers.Get("x-amz-checksum-crc32"), last_crc);
  EXPECT_EQ(checked.headers.Get("x-amz-checksum-type"), "COMPOSITE");
  const auto attributes = [&](Fields more) {
    more.emplace_back("x-amz-object-attributes", "ObjectParts,Checksum");
    return Call("GET", "/bucket/k?attributes", "", more);
  };
  const Answer told = attributes({});
  EXPECT_EQ(told.Element("PartsCount"), "2");
  EXPECT_EQ(told.Elements("PartNumber"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(told.Elements("Size"), (std::vector<std::string>{std::to_string(first_.size()), "3"}));
  EXPECT_EQ(told.Elements("ChecksumCRC32").size(), 3U);
  EXPECT_EQ(told.Element("ChecksumCRC32") + "-2", done.Element("ChecksumCRC32"));
  const Answer page = attributes({{"x-amz-max-parts", "1"}});
  EXPECT_EQ(page.Element("IsTruncated"), "true");
  EXPECT_EQ(page.Element("NextPartNumberMarker"), "1");
  EXPECT_EQ(attributes({{"x-amz-part-number-marker", "1"}}).Elements("PartNumber"), (std::vector<std::string>{"2"}));
  EXPECT_EQ(Complete(id, parts).status, 200);  // asked again after a broken connection
  EXPECT_EQ(Complete(id, {{1, "\"0\""}}).code(), "NoSuchUpload");
}

TEST_F(MultipartApiTest, CombinesChecksumsOfTheWholeObject) {
  for (const char* algorithm : {"CRC32", "CRC32C", "CRC64NVME"}) {
    const std::string id = Begin({{"x-amz-checksum-algorithm", algorithm}, {"x-amz-checksum-type", "FULL_OBJECT"}});
    const std::string one = PutPart(id, 1, first_).headers.Get("ETag"), two = PutPart(id, 2, last_).headers.Get("ETag");
    const Answer done = Complete(id, {{1, one}, {2, two}});
    aws::Checksum whole(aws::ChecksumByName(algorithm).value());
    whole.Update(first_ + last_);
    EXPECT_EQ(done.Element(std::string("Checksum") + algorithm), aws::Base64(whole.Finish())) << algorithm;
  }
}

TEST_F(MultipartApiTest, ChecksTheListOfParts) {
  const std::string id = Begin();
  const std::string one = PutPart(id, 1, "small").headers.Get("ETag"), two = PutPart(id, 2, last_).headers.Get("ETag");
  EXPECT_EQ(Complete(id, {{1, one}, {2, two}}).code(), "EntityTooSmall");
  EXPECT_EQ(Complete(id, {{2, two}, {1, one}}).code(), "InvalidPartOrder");
  EXPECT_EQ(Complete(id, {{1, two}}).code(), "InvalidPart");
  EXPECT_EQ(Complete(id, {{3, one}}).code(), "InvalidPart");
  EXPECT_EQ(Complete(id, {}).code(), "MalformedXML");
  EXPECT_EQ(Complete("absent", {{1, one}}).code(), "NoSuchUpload");
  EXPECT_EQ(PutPart(id, 0, "x").code(), "InvalidArgument");
  EXPECT_EQ(PutPart(id, 10'001, "x").code(), "InvalidArgument");
  EXPECT_EQ(PutPart("absent", 1, "x").code(), "NoSuchUpload");
  EXPECT_EQ(Call("DELETE", "/bucket/k?uploadId=" + id).status, 204);
  EXPECT_EQ(Call("DELETE", "/bucket/k?uploadId=" + id).code(), "NoSuchUpload");
  EXPECT_EQ(Call("DELETE", "/bucket").status, 204);
}

TEST_F(MultipartApiTest, BucketsGoWithTheirUnfinishedUploads) {
  const std::string id = Begin();
  PutPart(id, 1, "small");
  EXPECT_EQ(Call("DELETE", "/bucket").status, 204);
  MakeBucket();
  EXPECT_EQ(PutPart(id, 2, "x").code(), "NoSuchUpload");
  EXPECT_TRUE(Call("GET", "/bucket?uploads").Elements("UploadId").empty());
}

TEST_F(MultipartApiTest, ChecksumsComeByThemselves) {
  const std::string id = Begin();
  const std::string one = PutPart(id, 1, first_).headers.Get("ETag"), two = PutPart(id, 2, last_).headers.Get("ETag");
  const Answer done = Complete(id, {{1, one}, {2, two}});
  aws::Checksum whole(aws::ChecksumAlgorithm::kCrc64Nvme);
  whole.Update(first_ + last_);
  const std::string expected = aws::Base64(whole.Finish());
  EXPECT_EQ(done.Element("ChecksumCRC64NVME"), expected);
  EXPECT_EQ(done.Element("ChecksumType"), "FULL_OBJECT");
  const Answer head = Call("HEAD", "/bucket/k", "", {{"x-amz-checksum-mode", "ENABLED"}});
  EXPECT_EQ(head.headers.Get("x-amz-checksum-crc64nvme"), expected);
  const Answer told = Call("GET", "/bucket/k?attributes", "", {{"x-amz-object-attributes", "ObjectParts"}});
  EXPECT_EQ(told.Element("PartsCount"), "2");
  EXPECT_TRUE(told.Elements("Part").empty());  // only a composite checksum keeps those of the parts
}

TEST_F(MultipartApiTest, AnotherWriteWinsAgainstAConditionalCompletion) {
  const auto begin = [&] {
    const std::string id = Begin();
    PutPart(id, 1, "abc");
    clock_.Advance(10);
    return id;
  };
  const std::string part = aws::Hex(aws::Md5("abc"));
  const auto complete = [&](const std::string& id, const char* name, const std::string& value) {
    return Complete(id, {{1, part}}, {}, {{name, value}});
  };
  std::string id = begin();
  EXPECT_EQ(complete(id, "If-Match", "\"0\"").code(), "NoSuchKey");
  const std::string etag = Put("/bucket/k", "other");
  EXPECT_EQ(complete(id, "If-None-Match", "*").code(), "PreconditionFailed");
  EXPECT_EQ(complete(id, "If-Match", "\"0\"").code(), "PreconditionFailed");
  EXPECT_EQ(complete(id, "If-Match", etag).code(), "ConditionalRequestConflict");  // written behind the upload's back
  EXPECT_EQ(complete(id, "If-Match", etag).status, 409);
  Call("DELETE", "/bucket/k");
  EXPECT_EQ(complete(id, "If-None-Match", "*").code(), "ConditionalRequestConflict");
  id = begin();
  EXPECT_EQ(complete(id, "If-None-Match", "*").status, 200);
  id = begin();
  EXPECT_EQ(complete(id, "If-Match", Call("HEAD", "/bucket/k").headers.Get("ETag")).status, 200);
}

TEST_F(MultipartApiTest, CopiesParts) {
  Put("/bucket/source", "0123456789");
  const std::string id = Begin();
  const auto copy = [&](const Fields& fields) {
    return Call("PUT", "/bucket/k?partNumber=1&uploadId=" + id, "", fields);
  };
  EXPECT_EQ(copy({{"x-amz-copy-source", "/bucket/source"}, {"x-amz-copy-source-range", "bytes=5-10"}}).code(),
            "InvalidArgument");
  const Answer copied = copy({{"x-amz-copy-source", "/bucket/source"}, {"x-amz-copy-source-range", "bytes=2-4"}});
  EXPECT_EQ(copied.status, 200) << copied.body;
  EXPECT_EQ(Complete(id, {{1, aws::Hex(aws::Md5("234"))}}).status, 200);
  EXPECT_EQ(Get("/bucket/k"), "234");
}

}  // namespace
}  // namespace headrace::api::s3
