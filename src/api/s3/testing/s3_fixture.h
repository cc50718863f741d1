// For tests: an S3 service over a fresh store, called with requests in memory as two accounts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "api/s3/s3_service.h"
#include "aws/digest.h"
#include "aws/payload.h"
#include "aws/testing/await.h"
#include "base/testing/temporary_directory.h"
#include "http/message.h"

namespace headrace::api::s3 {

struct Answer {
  int status = 0;
  http::Headers headers;
  std::string body;
  std::optional<uint64_t> content_length;

  // The text of the first element of that name, "" without it.
  std::string Element(const std::string& name) const {
    const size_t start = body.find("<" + name + ">");
    if (start == std::string::npos) return {};
    const size_t from = start + name.size() + 2;
    return body.substr(from, body.find("</" + name + ">", from) - from);
  }
  std::vector<std::string> Elements(const std::string& name) const {
    std::vector<std::string> found;
    for (size_t at = 0; (at = body.find("<" + name + ">", at)) != std::string::npos; at += name.size()) {
      const size_t from = at + name.size() + 2;
      found.push_back(body.substr(from, body.find("</" + name + ">", from) - from));
    }
    return found;
  }
  std::string code() const { return Element("Code"); }
};

class S3Test : public testing::Test {
 protected:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  static inline const std::string kAlice = "111111111111", kBob = "222222222222";

  Answer As(const std::string& account, const std::string& method, const std::string& target,
            const std::string& body = "", const Fields& fields = {}) {
    http::Request request;
    request.id = "REQUEST";
    request.method = method;
    request.target = target;
    const size_t question = std::min(target.find('?'), target.size());
    request.path = target.substr(0, question);
    request.query = target.substr(std::min(question + 1, target.size()));
    request.headers.Set("Host", "127.0.0.1:4567");
    for (const auto& [name, value] : fields) request.headers.Set(name, value);
    request.content_length = body.size();
    aws::TextBody raw(body, 100'000);
    request.body = &raw;
    auto payload = aws::PayloadReader::Make(request, raw, {});
    if (!payload) return {payload.error().status, {}, "<Code>" + payload.error().code + "</Code>", {}};
    request.body = payload->get();
    const aws::Call call{{account, "user", "AKIA", "arn:aws:sts::" + account + ":assumed-role/user/s"},
                         "REQUEST",
                         "us-west-2",
                         "http://127.0.0.1:4567",
                         clock_.Now()};
    return Read(aws::Await(service_(call, request)));
  }
  Answer Call(const std::string& method, const std::string& target, const std::string& body = "",
              const Fields& fields = {}) {
    return As(kAlice, method, target, body, fields);
  }
  // PUT that must succeed; returns the ETag with its quotes.
  std::string Put(const std::string& path, const std::string& body, const Fields& fields = {}) {
    const Answer answer = Call("PUT", path, body, fields);
    EXPECT_EQ(answer.status, 200) << path << ": " << answer.body;
    return answer.headers.Get("ETag");
  }
  std::string Get(const std::string& path) { return Call("GET", path).body; }
  void MakeBucket(const std::string& name = "bucket") { Put("/" + name, ""); }

  TemporaryDirectory directory_;
  ManualClock clock_{1'700'000'000'000};
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  std::unique_ptr<store::ObjectStore> store_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  ThreadPool pool_{2, 100};
  aws::RestService service_ = MakeS3Service({*store_, pool_});

 private:
  static Answer Read(http::Response response) {
    Answer answer{response.status, response.headers, {}, response.content_length};
    if (auto* text = std::get_if<std::string>(&response.body)) answer.body = *text;
    if (auto* range = std::get_if<http::FileRange>(&response.body)) {
      answer.body.resize(range->size);
      const ssize_t n = ::pread(range->file->get(), answer.body.data(), range->size, static_cast<off_t>(range->offset));
      EXPECT_EQ(n, static_cast<ssize_t>(range->size));
    }
    return answer;
  }
};

}  // namespace headrace::api::s3
