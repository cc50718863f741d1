#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/endpoints.h"
#include "store/meta/hosting_resources.h"
#include "store/meta/tags.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class HostingTables : public testing::Test {
 protected:
  bool Insert(HostingResources& rows, const std::string& account, const std::string& name, UnixMillis created) {
    HostingResource resource{0, account, name, "arn:" + name, R"({"a":1})", created};
    bool inserted = false;
    ValueOrThrow(database_->Write([&](Connection& db) -> Status {
      HEADRACE_ASSIGN(inserted, rows.InsertIn(db, resource));
      return {};
    }));
    return inserted;
  }
  bool Insert(Endpoint endpoint) {
    bool inserted = false;
    ValueOrThrow(database_->Write([&](Connection& db) -> Status {
      HEADRACE_ASSIGN(inserted, Endpoints::InsertIn(db, endpoint));
      return {};
    }));
    return inserted;
  }
  template <typename Rows>
  static std::vector<std::string> Names(const Rows& rows) {
    std::vector<std::string> names;
    for (const auto& row : rows) names.push_back(row.name);
    return names;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
};

TEST_F(HostingTables, KindsAndAccountsAreApart) {
  HostingResources models(*database_, HostingResources::Kind::kModel);
  HostingResources configs(*database_, HostingResources::Kind::kEndpointConfig);
  EXPECT_TRUE(Insert(models, "1", "m", 10));
  EXPECT_FALSE(Insert(models, "1", "m", 20));
  EXPECT_TRUE(Insert(models, "2", "m", 20));
  EXPECT_TRUE(Insert(configs, "1", "m", 20));
  EXPECT_EQ(models.Find("1", "m").value()->created, 10);
  EXPECT_EQ(models.Find("1", "m").value()->request, R"({"a":1})");
  EXPECT_FALSE(models.Find("1", "n").value());
  ValueOrThrow(database_->Write([&](Connection& db) -> Status {
    HEADRACE_ASSIGN(const bool deleted, models.DeleteIn(db, "1", "m"));
    EXPECT_TRUE(deleted);
    return {};
  }));
  EXPECT_FALSE(models.Find("1", "m").value());
  EXPECT_TRUE(models.Find("2", "m").value());
  EXPECT_TRUE(configs.Find("1", "m").value());
}

TEST_F(HostingTables, ListingsFilterOrderAndGoOn) {
  HostingResources models(*database_, HostingResources::Kind::kModel);
  for (const auto& [name, created] : std::map<std::string, int>{{"aa", 30}, {"ab", 10}, {"b", 20}, {"ac", 10}})
    Insert(models, "1", name, created);
  Insert(models, "2", "aa", 5);
  ResourceFilter filter;
  filter.account_id = "1";
  EXPECT_THAT(Names(models.List(filter).value()), ElementsAre("ab", "ac", "b", "aa"));
  filter.name_contains = "a";
  filter.order = ResourceOrder::kName;
  filter.descending = true;
  filter.limit = 2;
  const auto page = models.List(filter).value();
  EXPECT_THAT(Names(page), ElementsAre("ac", "ab"));
  filter.after = CursorOf(page.back(), filter.order);
  EXPECT_THAT(Names(models.List(filter).value()), ElementsAre("aa"));
  ResourceFilter times;
  times.created_after = 10;
  times.created_before = 20;
  times.limit = 1;
  const auto first = models.List(times).value();
  EXPECT_THAT(Names(first), ElementsAre("ab"));
  times.after = CursorOf(first.back(), times.order);
  times.limit = 0;
  EXPECT_THAT(Names(models.List(times).value()), ElementsAre("ac", "b"));
}

TEST_F(HostingTables, EndpointsChangeAndGoWithTheirTags) {
  Endpoint endpoint;
  endpoint.account_id = "1";
  endpoint.name = "e";
  endpoint.arn = "arn";
  endpoint.created = endpoint.modified = 5;
  EXPECT_TRUE(Insert(endpoint));
  EXPECT_FALSE(Insert(endpoint));
  ValueOrThrow(Tags(*database_).Add("1", "arn", {{"a", "b"}}));
  Endpoints rows(*database_);
  const auto changed = rows.Update("1", "e", [](Endpoint& row) -> Status {
    row.status = "InService";
    row.previous = "old";
    row.modified = 7;
    return {};
  });
  EXPECT_EQ(changed.value().status, "InService");
  EXPECT_EQ(rows.Find("1", "e").value()->previous, "old");
  EXPECT_EQ(rows.Update("1", "f", [](Endpoint&) -> Status { return {}; }).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(rows.Update("1", "e", [](Endpoint& row) -> Status {
    row.status = "Failed";
    return Fail(ErrorCode::kInternal, "no");
  }));
  EXPECT_EQ(rows.Find("1", "e").value()->status, "InService");
  ResourceFilter filter;
  filter.statuses = {"InService"};
  filter.modified_after = 6;
  EXPECT_THAT(Names(rows.List(filter).value()), ElementsAre("e"));
  filter.modified_after = 8;
  EXPECT_THAT(rows.List(filter).value(), IsEmpty());
  ValueOrThrow(rows.Delete(changed.value()));
  EXPECT_FALSE(rows.Find("1", "e").value());
  EXPECT_THAT(Tags(*database_).List("1", "arn").value(), IsEmpty());
}

}  // namespace
}  // namespace headrace::store
