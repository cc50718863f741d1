#include "store/meta/objects.h"

#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/connection.h"
#include "store/meta/database.h"

namespace headrace::store {
namespace {

// What S3 says a listing is, by looking at every key.
struct Model {
  std::set<std::string> keys;

  Listing List(const ListQuery& query) const {
    Listing listing;
    std::string last_prefix;
    for (const std::string& key : keys) {
      if (!key.starts_with(query.prefix)) continue;
      std::string item = key;
      bool rolled = false;
      if (!query.delimiter.empty()) {
        const size_t at = key.find(query.delimiter, query.prefix.size());
        rolled = at != std::string::npos;
        if (rolled) item = key.substr(0, at + query.delimiter.size());
      }
      // A common prefix is behind us as soon as the page before ended in it or with it.
      if (rolled ? item <= query.after : key <= query.after) continue;
      if (rolled && !listing.prefixes.empty() && listing.prefixes.back() == item) continue;
      if (listing.objects.size() + listing.prefixes.size() == query.limit) {
        listing.truncated = query.limit > 0;
        break;
      }
      listing.last = item;
      if (rolled) {
        listing.prefixes.push_back(item);
      } else {
        Object object;
        object.key = key;
        listing.objects.push_back(object);
      }
    }
    return listing;
  }
};

std::vector<std::string> Keys(const Listing& listing) {
  std::vector<std::string> keys;
  for (const Object& object : listing.objects) keys.push_back(object.key);
  return keys;
}

class ObjectsTest : public testing::Test {
 protected:
  ObjectsTest() {
    bucket_.name = "b";
    EXPECT_TRUE(database_->Write([&](Connection& db) { return InsertBucket(db, bucket_); }));
  }

  void Insert(const std::vector<std::string>& keys) {
    ASSERT_TRUE(database_->Write([&](Connection& db) -> Status {
      for (const std::string& key : keys) PutObject(db, bucket_, {.bucket = "b", .key = key, .blob = "x"});
      return {};
    }));
    model_.keys.insert(keys.begin(), keys.end());
  }

  Listing List(const ListQuery& query) {
    Listing listing;
    EXPECT_TRUE(database_->Read([&](Connection& db) -> Status {
      listing = ListObjects(db, bucket_, query);
      return {};
    }));
    return listing;
  }

  void ExpectAsModel(const ListQuery& query) {
    SCOPED_TRACE(testing::Message() << "prefix '" << query.prefix << "' delimiter '" << query.delimiter << "' after '"
                                    << query.after << "' limit " << query.limit);
    const Listing found = List(query), expected = model_.List(query);
    EXPECT_EQ(Keys(found), Keys(expected));
    EXPECT_EQ(found.prefixes, expected.prefixes);
    EXPECT_EQ(found.truncated, expected.truncated);
    EXPECT_EQ(found.last, expected.last);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  Bucket bucket_;
  Model model_;
};

TEST_F(ObjectsTest, ListsInTheOrderOfBytes) {
  Insert({"a", "B", "ä", "\xF0\x9F\x98\x80", "\xEF\xBF\xBD", "a/b", "a.b", "a0"});
  EXPECT_EQ(Keys(List({})),
            (std::vector<std::string>{"B", "a", "a.b", "a/b", "a0", "ä", "\xEF\xBF\xBD", "\xF0\x9F\x98\x80"}));
}

TEST_F(ObjectsTest, RollsUpCommonPrefixes) {
  Insert({"a", "photos/1", "photos/2", "photos/deep/3", "z"});
  const Listing top = List({.delimiter = "/"});
  EXPECT_EQ(Keys(top), (std::vector<std::string>{"a", "z"}));
  EXPECT_EQ(top.prefixes, (std::vector<std::string>{"photos/"}));
  const Listing below = List({.prefix = "photos/", .delimiter = "/"});
  EXPECT_EQ(Keys(below), (std::vector<std::string>{"photos/1", "photos/2"}));
  EXPECT_EQ(below.prefixes, (std::vector<std::string>{"photos/deep/"}));
}

TEST_F(ObjectsTest, AgreesWithANaiveModel) {
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a", "b", "/", "//", "ä", "\xF4\x8F\xBF\xBF", "-", "z"};
  const auto text = [&](size_t most) {
    std::string made;
    for (size_t n = random() % (most + 1); n > 0; --n) made += pieces[random() % pieces.size()];
    return made;
  };
  std::vector<std::string> keys;
  for (int i = 0; i < 300; ++i)
    if (std::string key = text(6); !key.empty()) keys.push_back(std::move(key));
  Insert(keys);
  const std::vector<std::string> delimiters = {"", "/", "//", "a", "ä", "\xF4\x8F\xBF\xBF"};
  for (int i = 0; i < 2000; ++i) {
    ListQuery query;
    query.prefix = text(2);
    query.delimiter = delimiters[random() % delimiters.size()];
    query.after = random() % 2 == 0 ? text(4) : "";
    query.limit = random() % 8;
    ExpectAsModel(query);
  }
}

TEST_F(ObjectsTest, PagesVisitEverythingOnce) {
  std::vector<std::string> keys;
  for (int i = 0; i < 50; ++i) keys.push_back(fmt::format("d{}/{}", i % 7, i));
  for (int i = 0; i < 20; ++i) keys.push_back(fmt::format("e{}", i));
  Insert(keys);
  for (const std::string delimiter : {"", "/"}) {
    const Listing all = List({.delimiter = delimiter});
    std::vector<std::string> paged_keys, paged_prefixes;
    ListQuery query{.delimiter = delimiter, .limit = 3};
    for (bool more = true; more;) {
      const Listing page = List(query);
      for (const std::string& key : Keys(page)) paged_keys.push_back(key);
      paged_prefixes.insert(paged_prefixes.end(), page.prefixes.begin(), page.prefixes.end());
      more = page.truncated;
      query.after = page.last;
    }
    EXPECT_EQ(paged_keys, Keys(all));
    EXPECT_EQ(paged_prefixes, all.prefixes);
  }
}

// A listing seeks: it must not read the thousands of rows below a common prefix, nor those of other prefixes.
TEST_F(ObjectsTest, ListingUsesTheKeyOrder) {
  ASSERT_TRUE(database_->Read([&](Connection& db) -> Status {
    Query plan(db,
               "EXPLAIN QUERY PLAN SELECT key FROM objects WHERE bucket = 1 AND key >= 'a' AND key < 'b'"
               " ORDER BY key");
    std::string text;
    while (plan.executeStep()) text += plan.getColumn(3).getString() + "\n";
    EXPECT_NE(text.find("USING PRIMARY KEY (bucket=? AND key>? AND key<?)"), std::string::npos) << text;
    EXPECT_EQ(text.find("TEMP B-TREE"), std::string::npos) << text;
    return {};
  }));
}

TEST(ObjectInfoTest, SurvivesItsColumn) {
  ObjectInfo info;
  info.headers = {{"Content-Type", "a/b"}};
  info.metadata = {{"k", "v\""}, {"k", "second"}};
  info.tags = {{"t", ""}};
  info.owner = "123456789012";
  info.acl = "public-read";
  info.storage_class = "GLACIER";
  info.checksums = {{"CRC32", "AAAAAA=="}};
  info.checksum_type = "COMPOSITE";
  info.part_sizes = {5, 6};
  const ObjectInfo read = DecodeInfo(EncodeInfo(info));
  EXPECT_EQ(read.headers, info.headers);
  EXPECT_EQ(read.metadata, info.metadata);
  EXPECT_EQ(read.tags, info.tags);
  EXPECT_EQ(read.owner, info.owner);
  EXPECT_EQ(read.acl, info.acl);
  EXPECT_EQ(read.storage_class, info.storage_class);
  EXPECT_EQ(read.checksums, info.checksums);
  EXPECT_EQ(read.checksum_type, info.checksum_type);
  EXPECT_EQ(read.part_sizes, info.part_sizes);
}

TEST(ObjectInfoTest, WhatMostObjectsHaveTakesNoRoom) {
  ObjectInfo usual;
  usual.headers = {{"Content-Type", "binary/octet-stream"}};
  usual.owner = "123456789012";
  EXPECT_EQ(EncodeInfo(usual), R"({"owner":"123456789012"})");
  EXPECT_EQ(DecodeInfo(EncodeInfo(usual)).headers, usual.headers);
  EXPECT_EQ(DecodeInfo(EncodeInfo(usual)).acl, "private");
  ObjectInfo none = usual;
  none.headers.clear();
  EXPECT_TRUE(DecodeInfo(EncodeInfo(none)).headers.empty());
  // As rows were written that said all of it.
  const auto old = DecodeInfo(R"({"acl":"private","headers":[["Content-Type","binary/octet-stream"]],"owner":"1"})");
  EXPECT_EQ(old.headers, usual.headers);
  EXPECT_EQ(old.owner, "1");
}

}  // namespace
}  // namespace headrace::store
