#include "jobs/inputs/s3_uri.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

std::string BucketAndKey(std::string_view uri) {
  const auto parsed = ParseS3Uri(uri);
  return parsed ? parsed->bucket + " " + parsed->key : "refused";
}

TEST(S3Uri, SplitsBucketAndKey) {
  EXPECT_EQ(BucketAndKey("s3://b/a/c"), "b a/c");
  EXPECT_EQ(BucketAndKey("s3://b"), "b ");
  EXPECT_EQ(BucketAndKey("s3://b/"), "b ");
  EXPECT_EQ(BucketAndKey("s3://b//k"), "b /k");
  EXPECT_EQ(BucketAndKey("s3://b/100%25?x#y"), "b 100%25?x#y");  // no part of a key is special
}

TEST(S3Uri, KnowsAmazonsHosts) {
  for (const char* uri :
       {"https://s3.us-west-2.amazonaws.com/my.b/a%20c", "https://s3.amazonaws.com/my.b/a%20c",
        "https://s3-us-west-2.amazonaws.com/my.b/a%20c", "https://s3.dualstack.us-west-2.amazonaws.com/my.b/a%20c",
        "https://my.b.s3.us-west-2.amazonaws.com/a%20c", "https://my.b.s3.amazonaws.com/a%20c",
        "https://my.b.s3-us-west-2.amazonaws.com/a%20c", "https://my.b.S3.US-west-2.amazonaws.com:443/a%20c",
        "https://my.b.s3.dualstack.us-west-2.amazonaws.com/a%20c", "https://my.b.s3.cn-north-1.amazonaws.com.cn/a%20c"})
    EXPECT_EQ(BucketAndKey(uri), "my.b a c") << uri;
  EXPECT_EQ(BucketAndKey("https://a.s3.b.s3-us-west-2.amazonaws.com/k"), "a.s3.b k");
  EXPECT_EQ(BucketAndKey("https://sagemaker.us-west-2.amazonaws.com/b/k"), "refused");
}

TEST(S3Uri, KnowsTheServersOwnHosts) {
  for (const char* uri : {"https://127.0.0.1:4567/b/k", "https://localhost/b/k", "https://[::1]:4567/b/k",
                          "https://b.localhost:4567/k", "https://headrace.example:4568/b/k", "https://s3/b/k"})
    EXPECT_EQ(BucketAndKey(uri), "b k") << uri;
}

TEST(S3Uri, RefusesEverythingElse) {
  for (const char* uri : {"",
                          "b/k",
                          "/opt/ml/x",
                          "s3:///k",
                          "s3://",
                          "s3:/b/k",
                          "S3://b/k",
                          "file:///x",
                          "http://localhost/b/k",
                          "https:///b/k",
                          "https://localhost",
                          "https://localhost//k",
                          "https://user@localhost/b/k",
                          "https://localhost:99x/b/k",
                          "https://[::1/b/k",
                          "https://localhost/b/k?versionId=1",
                          "https://localhost/b#k",
                          "https://localhost/a%2Fb/k",
                          "https://localhost/b/k%00",
                          "s3://b\tc/k",
                          "s3://..%2f/k",
                          "s3://user@b/k"})
    EXPECT_EQ(BucketAndKey(uri), "refused") << uri;
  EXPECT_EQ(BucketAndKey("s3://b/" + std::string(10'000, 'k')), "refused");
}

TEST(S3Uri, TellsUrisFromPaths) {
  EXPECT_TRUE(IsUri("s3://b/k"));
  EXPECT_TRUE(IsUri("S3://b/k"));
  EXPECT_TRUE(IsUri("https://s3/b/k"));
  EXPECT_FALSE(IsUri("/opt/ml/input/data/code/sourcedir.tar.gz"));
}

TEST(S3Uri, OutputPrefixHasNoDoubleSlash) {
  EXPECT_EQ(OutputPrefix({"b", ""}, "j"), "j/output/");
  EXPECT_EQ(OutputPrefix({"b", "out//"}, "j"), "out/j/output/");
}

}  // namespace
}  // namespace headrace::jobs
