#include "serving/rest/body.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::serving {
namespace {

http::Response Answer(const std::string& accept, size_t size, const std::string& method = "POST") {
  http::Request request;
  request.method = method;
  request.headers.Set("Accept-Encoding", accept);
  http::Response response = http::TextResponse(200, "application/json", std::string(size, 'x'));
  CompressBody(request, response);
  return response;
}

TEST(Body, AcceptEncodingOfEveryForm) {
  for (const char* header : {"gzip", "GZIP", "deflate, gzip", "br,gzip;q=0.5", "gzip;q=1.0, identity"})
    EXPECT_TRUE(AcceptsGzip(header)) << header;
  for (const char* header : {"", "identity", "gzipped", "gzip;q=0", "gzip; q=0.000", "deflate, br", ",", ";"})
    EXPECT_FALSE(AcceptsGzip(header)) << header;
}

TEST(Body, LongTextsAreCompressedForWhoAsks) {
  const http::Response compressed = Answer("gzip", 5000);
  EXPECT_EQ(compressed.headers.Get("Content-Encoding"), "gzip");
  EXPECT_EQ(compressed.headers.Get("Vary"), "Accept-Encoding");
  const auto text = Inflate(std::get<std::string>(compressed.body), 10000);
  ASSERT_TRUE(text);
  EXPECT_EQ(text->bytes(), std::string(5000, 'x'));
  EXPECT_FALSE(Answer("identity", 5000).headers.Has("Content-Encoding"));
  EXPECT_FALSE(Answer("gzip", 500).headers.Has("Content-Encoding"));
  EXPECT_FALSE(Answer("gzip", 5000, "HEAD").headers.Has("Content-Encoding"));
}

}  // namespace
}  // namespace headrace::serving
