// A service under test: a fresh database, a clock that is moved by hand, and calls by account.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>

#include <gmock/gmock.h>

#include "aws/service.h"
#include "base/testing/temporary_directory.h"
#include "store/meta/database.h"
#include "store/objects/object_store.h"

namespace headrace::api {

class ServiceTest : public testing::Test {
 protected:
  using Json = aws::Json;
  static constexpr const char* kAccount = "111111111111";
  static constexpr const char* kOther = "222222222222";
  static constexpr UnixMillis kStart = 1'767'225'600'000;  // 2026-01-01T00:00:00Z

  aws::Reply<Json> Ask(const std::string& operation, const Json& input, const std::string& account = kAccount) {
    aws::Call call;
    call.caller.account_id = account;
    call.region = "us-west-2";
    call.now = now_;
    return service_.operations.at(operation)(call, input);
  }
  // The reply of a call that must succeed.
  Json Do(const std::string& operation, const Json& input, const std::string& account = kAccount) {
    auto reply = Ask(operation, input, account);
    if (!reply) ADD_FAILURE() << operation << ": " << reply.error().code << ": " << reply.error().message;
    return reply ? *reply : Json::object();
  }
  // "Code: message" of a call that must be refused.
  std::string Refusal(const std::string& operation, const Json& input, const std::string& account = kAccount) {
    const auto reply = Ask(operation, input, account);
    if (reply) ADD_FAILURE() << operation << " was not refused: " << reply->dump();
    return reply ? "" : reply.error().code + ": " + reply.error().message;
  }

  // A bucket of objects without bytes.
  static void MakeBucket(store::ObjectStore& objects, const std::string& name, const std::string& owner,
                         std::initializer_list<const char*> keys) {
    store::Bucket bucket;
    bucket.name = name;
    bucket.owner = owner;
    EXPECT_TRUE(objects.CreateBucket(bucket));
    for (const char* key : keys) EXPECT_TRUE(objects.Commit(objects.NewBlob().value(), name, key, {}));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  aws::Service service_;
  UnixMillis now_ = kStart;
};

}  // namespace headrace::api
