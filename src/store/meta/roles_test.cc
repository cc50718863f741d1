#include "store/meta/roles.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Role Named(const std::string& name, const std::string& path = "/") {
  Role role;
  role.account_id = "1";
  role.name = name;
  role.path = path;
  role.created = 5;
  return role;
}

TEST(Roles, AreFoundInTheirAccountOnly) {
  const TemporaryDirectory directory;
  const auto database = Database::Open(directory / "meta.db").value();
  Roles roles(*database);
  const auto made = roles.Create(Named("b", "/team/"));
  ASSERT_TRUE(made);
  EXPECT_THAT(made->role_id, testing::StartsWith("AROA"));
  EXPECT_EQ(roles.Create(Named("b")).error().code(), ErrorCode::kAlreadyExists);
  ASSERT_TRUE(roles.Create(Named("a")));
  EXPECT_EQ(roles.Find("1", "b")->role_id, made->role_id);
  EXPECT_EQ(roles.Find("2", "b").error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(roles.List("1", "/")->size(), 2U);
  EXPECT_THAT(*roles.List("1", "/team/"), ElementsAre(testing::Field(&Role::name, "b")));
  EXPECT_THAT(*roles.List("2", "/"), IsEmpty());
}

TEST(Roles, WithPoliciesAreNotRemoved) {
  const TemporaryDirectory directory;
  const auto database = Database::Open(directory / "meta.db").value();
  Roles roles(*database);
  ASSERT_TRUE(roles.Create(Named("a")));
  ASSERT_TRUE(roles.Attach("1", "a", "arn:aws:iam::aws:policy/P"));
  ASSERT_TRUE(roles.Attach("1", "a", "arn:aws:iam::aws:policy/P"));
  EXPECT_THAT(*roles.Policies("1", "a"), ElementsAre("arn:aws:iam::aws:policy/P"));
  EXPECT_EQ(roles.Remove("1", "a").error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_TRUE(roles.Detach("1", "a", "arn:aws:iam::aws:policy/P"));
  EXPECT_EQ(roles.Detach("1", "a", "arn:aws:iam::aws:policy/P").error().code(), ErrorCode::kNotFound);
  EXPECT_TRUE(roles.Remove("1", "a"));
  EXPECT_EQ(roles.Remove("1", "a").error().code(), ErrorCode::kNotFound);
}

TEST(Roles, TakeTwentyPolicies) {
  const TemporaryDirectory directory;
  const auto database = Database::Open(directory / "meta.db").value();
  Roles roles(*database);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(roles.Attach("1", "a", std::to_string(i)));
  EXPECT_EQ(roles.Attach("1", "a", "20").error().code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(roles.Policies("1", "a")->size(), 20U);
}

}  // namespace
}  // namespace headrace::store
