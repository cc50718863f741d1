#include "jobs/training/s3_uri.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(S3Uri, SplitsBucketAndKey) {
  const auto uri = ValueOrThrow(ParseS3Uri("s3://b/a/c"));
  EXPECT_EQ(uri.bucket, "b");
  EXPECT_EQ(uri.key, "a/c");
  EXPECT_EQ(ValueOrThrow(ParseS3Uri("s3://b")).key, "");
  EXPECT_EQ(ValueOrThrow(ParseS3Uri("https://s3.us-west-2.amazonaws.com/b/k")).bucket, "b");
  EXPECT_FALSE(ParseS3Uri("s3:///k"));
  EXPECT_FALSE(ParseS3Uri("file:///x"));
}

TEST(S3Uri, OutputPrefixHasNoDoubleSlash) {
  EXPECT_EQ(OutputPrefix({"b", ""}, "j"), "j/output/");
  EXPECT_EQ(OutputPrefix({"b", "out//"}, "j"), "out/j/output/");
}

}  // namespace
}  // namespace headrace::jobs
