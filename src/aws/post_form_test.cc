#include "aws/post_form.h"

#include <gtest/gtest.h>

#include "aws/canonical.h"
#include "aws/digest.h"
#include "aws/testing/await.h"

namespace headrace::aws {
namespace {

class OneKey : public KeyLookup {
 public:
  std::optional<SigningKey> Find(std::string_view id) const override {
    if (id != "AKID") return std::nullopt;
    return SigningKey{"secret", token, expires, {"111111111111", "alice", "AKID", "arn"}};
  }
  std::string token;
  UnixMillis expires = 0;
};

std::string Field(const std::string& name, const std::string& value) {
  return "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}
std::string File(const std::string& bytes, const std::string& filename = "f.txt") {
  return "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" + filename +
         "\"\r\nContent-Type: text/plain\r\n\r\n" + bytes + "\r\n--B--\r\n";
}

struct Read {
  PostForm form;
  std::string file;
  std::string code;  // of the refusal; "cut": the file does not end
};

http::Task<Read> ReadAllOf(http::Request& request, http::BodyReader& body, size_t piece) {
  Read read;
  auto reader = co_await PostFormReader::Open(request, body);
  if (!reader) {
    read.code = reader.error().code;
    co_return read;
  }
  read.form = (*reader)->form();
  std::string buffer(piece, '\0');
  while (true) {
    auto size = co_await (*reader)->Read(buffer);
    if (!size) read.code = "cut";
    if (!size || *size == 0) co_return read;
    read.file.append(buffer, 0, *size);
  }
}

Read ReadForm(const std::string& text, size_t step = 1 << 20, size_t piece = 1 << 16,
              const std::string& type = "multipart/form-data; boundary=B") {
  http::Request request;
  request.method = "POST";
  request.headers.Set("Content-Type", type);
  TextBody body(text, step);
  return Await(ReadAllOf(request, body, piece));
}

TEST(PostForm, ReadsFieldsAndFileHoweverTheyArrive) {
  std::string file = "\r\n--";  // looks like a delimiter and is none
  for (int i = 0; i < 20'000; ++i) file += "--B\r\n-\r"[i % 7];
  const std::string text = Field("Key", "a/${filename}") + Field("policy", "") + File(file, "C:\\x\\f.txt");
  for (const size_t step : {size_t{1}, size_t{2}, size_t{7}, size_t{1000}, size_t{1} << 20}) {
    const Read read = ReadForm(text, step, step == 7 ? 3 : 1 << 16);
    EXPECT_EQ(read.code, "") << step;
    EXPECT_EQ(read.form.Get("key"), "a/${filename}");
    ASSERT_NE(read.form.Find("policy"), nullptr);
    EXPECT_EQ(read.form.filename, "f.txt");
    EXPECT_EQ(read.file, file) << step;
  }
}

TEST(PostForm, TakesOtherSpellings) {
  EXPECT_EQ(ReadForm(File("")).file, "");
  EXPECT_EQ(ReadForm("preamble\r\n" + Field("a", "b") + File("x")).form.Get("a"), "b");
  EXPECT_EQ(ReadForm(File("x"), 100, 100, "Multipart/Form-Data; charset=utf-8; boundary=\"B\"").file, "x");
  EXPECT_EQ(ReadForm("--B\r\ncontent-disposition: form-data; name=file\r\n\r\nx\r\n--B--").file, "x");
}

TEST(PostForm, RefusesWhatIsNoForm) {
  EXPECT_EQ(ReadForm("").code, "MalformedPOSTRequest");
  EXPECT_EQ(ReadForm("nothing").code, "MalformedPOSTRequest");
  EXPECT_EQ(ReadForm("--B\r\n\r\n\r\nx\r\n--B--\r\n").code, "MalformedPOSTRequest");
  EXPECT_EQ(ReadForm(Field("a", "b") + "--B--\r\n").code, "InvalidArgument");  // no file
  EXPECT_EQ(ReadForm(File("x"), 100, 100, "multipart/form-data").code, "MalformedPOSTRequest");
  EXPECT_EQ(ReadForm(Field("a", std::string(21'000, 'x')) + File("x")).code, "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(ReadForm(std::string(70'000, 'x')).code, "MaxPostPreDataLengthExceeded");
  EXPECT_EQ(ReadForm(Field("a", "b") + "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nxyz").code, "cut");
}

std::string CodeOf(const PostForm& form, const KeyLookup& keys, UnixMillis now = 0) {
  const auto access = CheckPostSignature(form, keys, now);
  return access ? access->policy : access.error().code;
}

TEST(PostForm, KnowsWhoSignedIt) {
  OneKey keys;
  const std::string policy = Base64("{}");
  const std::string signature = Hex(HmacSha256(DeriveSigningKey("secret", "20260102", "us-west-2", "s3"), policy));
  const PostForm good{{{"policy", policy},
                       {"x-amz-algorithm", "AWS4-HMAC-SHA256"},
                       {"x-amz-credential", "AKID/20260102/us-west-2/s3/aws4_request"},
                       {"x-amz-date", "20260102T030405Z"},
                       {"x-amz-signature", signature}},
                      ""};
  EXPECT_EQ(CodeOf(good, keys), "{}");
  EXPECT_EQ(CheckPostSignature(good, keys, 0)->region, "us-west-2");
  const auto with = [&](const std::string& name, const std::string& value) {
    PostForm form = good;
    for (auto& [field, text] : form.fields)
      if (field == name) text = value;
    return CodeOf(form, keys);
  };
  EXPECT_EQ(with("policy", Base64("{ }")), "SignatureDoesNotMatch");
  EXPECT_EQ(with("x-amz-credential", "NOBODY/20260102/us-west-2/s3/aws4_request"), "InvalidAccessKeyId");
  EXPECT_EQ(with("x-amz-credential", "AKID/20260102/us-west-2/sts/aws4_request"), "InvalidArgument");
  EXPECT_EQ(with("x-amz-credential", "AKID"), "InvalidArgument");
  EXPECT_EQ(with("x-amz-date", "20260103T030405Z"), "InvalidArgument");
  EXPECT_EQ(with("x-amz-algorithm", "NONE"), "InvalidArgument");
  EXPECT_EQ(with("x-amz-signature", ""), "InvalidArgument");
  EXPECT_EQ(CodeOf({{{"policy", policy}}, ""}, keys), "AccessDenied");
  keys.token = "t";
  EXPECT_EQ(CodeOf(good, keys), "InvalidToken");
  keys.token = "";
  keys.expires = 5;
  EXPECT_EQ(CodeOf(good, keys, 5), "ExpiredToken");
}

TEST(PostForm, KnowsVersionTwo) {
  OneKey keys;
  const std::string policy = Base64("{}");
  PostForm form{{{"policy", policy}, {"awsaccesskeyid", "AKID"}, {"signature", Base64(HmacSha1("secret", policy))}},
                ""};
  EXPECT_EQ(CodeOf(form, keys), "{}");
  form.fields[2].second = Base64("x");
  EXPECT_EQ(CodeOf(form, keys), "SignatureDoesNotMatch");
}

TEST(PostForm, OnlyItsFieldsBecomeHeaders) {
  http::Request request;
  request.headers.Set("Host", "h");
  request.headers.Set("x-amz-acl", "public-read");  // nobody signed it
  PreparePostRequest(request,
                     {{{"acl", "private"}, {"content-type", "a/b"}, {"x-amz-meta-k", "v"}, {"x-amz-date", "d"}}, ""});
  EXPECT_EQ(request.headers.Get("x-amz-acl"), "private");
  EXPECT_EQ(request.headers.Get("Content-Type"), "a/b");
  EXPECT_EQ(request.headers.Get("x-amz-meta-k"), "v");
  EXPECT_EQ(request.headers.Get("Host"), "h");
  EXPECT_FALSE(request.headers.Has("x-amz-date"));
}

}  // namespace
}  // namespace headrace::aws
