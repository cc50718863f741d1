#include "store/access/account_objects.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/principals.h"

namespace headrace::store {
namespace {

constexpr const char* kAlices = "111111111111";
constexpr const char* kMallorys = "222222222222";

std::string OneStatement(const std::string& effect, const std::string& action, const std::string& resource) {
  return fmt::format(R"({{"Version":"2012-10-17","Statement":[{{"Effect":"{}","Principal":"*","Action":"{}",)"
                     R"("Resource":"arn:aws:s3:::{}"}}]}})",
                     effect, action, resource);
}

class AccountObjectsTest : public testing::Test {
 protected:
  AccountObjectsTest() {
    for (const char* name : {"alices", "mallorys"}) {
      Bucket bucket;
      bucket.name = name;
      bucket.owner = std::string_view(name) == "alices" ? kAlices : kMallorys;
      ValueOrThrow(store_->CreateBucket(bucket));
    }
    for (const char* key : {"p/one", "p/two"}) Put(alice_, "alices", key);
  }

  static void Put(const AccountObjects& objects, const std::string& bucket, const std::string& key) {
    auto blob = ValueOrThrow(objects.NewBlob());
    ValueOrThrow(blob.Write("text"));
    ValueOrThrow(objects.Commit(std::move(blob), bucket, key));
  }
  bool CanPut(const AccountObjects& objects, const std::string& bucket, const std::string& key) {
    auto blob = ValueOrThrow(objects.NewBlob());
    return objects.Commit(std::move(blob), bucket, key).has_value();
  }
  void Change(const std::function<void(Bucket&)>& change) { ValueOrThrow(store_->UpdateBucket("alices", change)); }
  void SetAcl(const std::string& acl) {
    Change([&](Bucket& bucket) { bucket.acl = acl; });
  }
  void SetPolicy(const std::string& policy) {
    Change([&](Bucket& bucket) { bucket.policy = policy; });
  }
  static bool Denied(const Error& error) {
    return error.code() == ErrorCode::kFailedPrecondition && error.message().find("denied") != std::string::npos;
  }

  SystemClock clock_;
  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = ValueOrThrow(Database::Open(directory_ / "meta.db"));
  std::unique_ptr<ObjectStore> store_ = ValueOrThrow(ObjectStore::Open(*database_, clock_, directory_ / "objects"));
  ObjectAccess access_{store_.get()};
  AccountObjects alice_ = access_.As({kAlices, "alice", ""}), mallory_ = access_.As({kMallorys, "mallory", ""});
};

TEST_F(AccountObjectsTest, TheOwnerDoesEverything) {
  EXPECT_TRUE(alice_.Find("alices", "p/one"));
  EXPECT_TRUE(alice_.Open("alices", "p/one"));
  EXPECT_EQ(ValueOrThrow(alice_.FindBelow("alices", "p/")).size(), 2u);
  EXPECT_TRUE(ValueOrThrow(alice_.Delete("alices", "p/one")));
  EXPECT_EQ(alice_.Find("alices", "p/one").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(alice_.Find("nobodys", "p/one").error().code(), ErrorCode::kNotFound);
}

TEST_F(AccountObjectsTest, AStrangerDoesNothing) {
  EXPECT_TRUE(Denied(mallory_.Find("alices", "p/one").error()));
  EXPECT_TRUE(Denied(mallory_.Find("alices", "not-there").error()));  // nor learns what is there
  EXPECT_TRUE(Denied(mallory_.Open("alices", "p/one").error()));
  EXPECT_TRUE(Denied(mallory_.FindBelow("alices", "").error()));
  EXPECT_TRUE(Denied(mallory_.FindBelow("alices", "empty/").error()));
  EXPECT_TRUE(Denied(mallory_.FindFirstBelow("alices", "p/").error()));
  EXPECT_TRUE(Denied(mallory_.Delete("alices", "p/one").error()));
  EXPECT_FALSE(CanPut(mallory_, "alices", "p/three"));
  EXPECT_TRUE(alice_.Find("alices", "p/one"));
}

TEST_F(AccountObjectsTest, APublicBucketLetsOthersListButNotRead) {
  SetAcl("public-read");
  EXPECT_TRUE(Denied(mallory_.Find("alices", "p/one").error()));
  EXPECT_TRUE(Denied(mallory_.FindBelow("alices", "p/").error()));
  EXPECT_TRUE(ValueOrThrow(mallory_.FindBelow("alices", "empty/")).empty());
  EXPECT_EQ(mallory_.Find("alices", "not-there").error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(CanPut(mallory_, "alices", "p/three"));
  ValueOrThrow(store_->UpdateInfo("alices", "p/one", [](ObjectInfo& info) { info.acl = "public-read"; }));
  EXPECT_TRUE(mallory_.Find("alices", "p/one"));
  EXPECT_TRUE(mallory_.FindFirstBelow("alices", "p/"));
  EXPECT_TRUE(Denied(mallory_.FindBelow("alices", "p/").error()));  // p/two is private
}

TEST_F(AccountObjectsTest, WhatIsWrittenIntoAPublicBucketIsTheWritersToRead) {
  SetAcl("public-read-write");
  EXPECT_TRUE(CanPut(mallory_, "alices", "m"));
  EXPECT_TRUE(mallory_.Find("alices", "m"));
  EXPECT_TRUE(Denied(mallory_.Find("alices", "p/one").error()));
  EXPECT_TRUE(ValueOrThrow(mallory_.Delete("alices", "m")));
}

TEST_F(AccountObjectsTest, AnAllowOpensAndADenyWins) {
  SetPolicy(OneStatement("Allow", "s3:GetObject", "alices/p/*"));
  EXPECT_TRUE(mallory_.Find("alices", "p/one"));
  EXPECT_TRUE(Denied(mallory_.FindBelow("alices", "p/").error()));  // s3:ListBucket is another permission
  SetPolicy(OneStatement("Deny", "s3:*", "alices/p/*"));
  EXPECT_TRUE(Denied(alice_.Find("alices", "p/one").error()));
  EXPECT_TRUE(Denied(alice_.Delete("alices", "p/one").error()));
  EXPECT_FALSE(CanPut(alice_, "alices", "p/three"));
  EXPECT_TRUE(Denied(alice_.Check("alices", "p/", "s3:PutObject").error()));
  EXPECT_TRUE(alice_.Check("alices", "q/", "s3:PutObject"));
}

TEST_F(AccountObjectsTest, ThePermissionIsAskedAtTheTimeOfTheAct) {
  SetPolicy(OneStatement("Allow", "s3:*", "alices/p/*"));
  const AccountObjects kept = mallory_;
  EXPECT_TRUE(kept.Find("alices", "p/one"));
  SetPolicy("");
  EXPECT_TRUE(Denied(kept.Find("alices", "p/one").error()));
  EXPECT_TRUE(Denied(kept.Delete("alices", "p/one").error()));
}

TEST_F(AccountObjectsTest, AnAccountIsItsPrincipal) {
  Principals principals(*database_, clock_);
  const auto key = ValueOrThrow(principals.Create("alice"));
  const Caller caller = ValueOrThrow(CallerOf(*database_, key.account_id));
  EXPECT_EQ(caller.user, "alice");
  EXPECT_EQ(caller.arn, ExecutionSessionArn(key.account_id, "alice"));
  EXPECT_EQ(ValueOrThrow(CallerOf(*database_, "999999999999")).user, "");
  SetPolicy(fmt::format(R"({{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"arn:aws:iam::{}:user/alice"}},)"
                        R"("Action":"s3:GetObject","Resource":"arn:aws:s3:::alices/*"}}]}})",
                        key.account_id));
  EXPECT_TRUE(ValueOrThrow(access_.Of(key.account_id)).Find("alices", "p/one"));
}

}  // namespace
}  // namespace headrace::store
