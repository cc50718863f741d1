#include "store/meta/transform_jobs.h"

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;

class TransformTable : public testing::Test {
 protected:
  bool Insert(const std::string& account, const std::string& name, UnixMillis created) {
    TransformJob job;
    job.account_id = account;
    job.name = name;
    job.arn = "arn:" + name;
    job.request = R"({"a":1})";
    job.deployment = R"({"b":2})";
    job.created = job.modified = created;
    bool inserted = false;
    ValueOrThrow(database_->Write([&](Connection& db) -> Status {
      HEADRACE_ASSIGN(inserted, TransformJobs::InsertIn(db, job));
      return {};
    }));
    return inserted;
  }
  std::vector<std::string> Names(const ResourceFilter& filter) {
    std::vector<std::string> names;
    const auto jobs = rows_.List(filter).value();
    for (const auto& job : jobs) names.push_back(job.name);
    return names;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  TransformJobs rows_{*database_};
};

TEST_F(TransformTable, KeepsAccountsApartAndChangesRows) {
  EXPECT_TRUE(Insert("1", "j", 10));
  EXPECT_FALSE(Insert("1", "j", 20));
  EXPECT_TRUE(Insert("2", "j", 20));
  const auto changed = rows_.Update("1", "j", [](TransformJob& job) -> Status {
    job.status = "Failed";
    job.failure_reason = "why";
    job.modified = 30;
    job.transform_start = 15;
    job.transform_end = 30;
    return {};
  });
  ASSERT_TRUE(changed);
  const auto found = rows_.Find("1", "j").value();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->status, "Failed");
  EXPECT_EQ(found->failure_reason, "why");
  EXPECT_EQ(found->created, 10);
  EXPECT_EQ(found->transform_start, 15);
  EXPECT_EQ(found->transform_end, 30);
  EXPECT_EQ(found->request, R"({"a":1})");
  EXPECT_EQ(found->deployment, R"({"b":2})");
  EXPECT_EQ(rows_.Find("2", "j").value()->status, "InProgress");
  EXPECT_FALSE(rows_.Find("3", "j").value());
  EXPECT_EQ(rows_.Update("3", "j", [](TransformJob&) -> Status { return {}; }).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(rows_.Update("1", "j", [](TransformJob& job) -> Status {
    job.status = "Completed";
    return Fail(ErrorCode::kInternal, "no");
  }));
  EXPECT_EQ(rows_.Find("1", "j").value()->status, "Failed");
}

TEST_F(TransformTable, ListingsFilterAndGoOn) {
  for (const auto& [name, created] : std::map<std::string, int>{{"aa", 30}, {"ab", 10}, {"b", 20}})
    Insert("1", name, created);
  Insert("2", "aa", 5);
  ResourceFilter filter;
  filter.account_id = "1";
  EXPECT_THAT(Names(filter), ElementsAre("ab", "b", "aa"));
  filter.descending = true;
  filter.limit = 1;
  const auto first = rows_.List(filter).value();
  ASSERT_EQ(first.size(), 1u);
  EXPECT_EQ(first[0].name, "aa");
  filter.after = CursorOf(first[0], filter.order);
  filter.limit = 0;
  EXPECT_THAT(Names(filter), ElementsAre("b", "ab"));
  ResourceFilter running;
  running.statuses = {"InProgress"};
  EXPECT_EQ(Names(running).size(), 4u);
  running.statuses = {"Stopping"};
  EXPECT_TRUE(Names(running).empty());
}

}  // namespace
}  // namespace headrace::store
