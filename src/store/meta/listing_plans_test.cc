// That listings take milliseconds however many rows there are: every plan goes along an index, and none sorts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/connection.h"
#include "store/meta/database.h"
#include "store/meta/resource_listing.h"
#include "store/meta/training_jobs.h"

namespace headrace::store {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ListingPlansTest : public testing::Test {
 protected:
  std::string PlanOf(const std::string& sql) {
    std::string plan;
    EXPECT_TRUE(database_->Read([&](Connection& db) -> Status {
      SQLite::Statement explain(db, "EXPLAIN QUERY PLAN " + sql);
      while (explain.executeStep()) plan += explain.getColumn(3).getString() + "; ";
      return {};
    }));
    return plan;
  }
  std::string PlanOf(const char* table, const ResourceFilter& filter) {
    return PlanOf(fmt::format("SELECT * FROM {}{}", table, ListingClause(filter).sql()));
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
};

TEST_F(ListingPlansTest, OfNamedResources) {
  for (const char* table : {"training_jobs", "transform_jobs", "endpoints", "models", "endpoint_configs"}) {
    const std::string_view name(table);
    const bool has_status = name.ends_with("_jobs") || name == "endpoints";
    for (const auto order : {ResourceOrder::kCreationTime, ResourceOrder::kName, ResourceOrder::kStatus}) {
      if (order == ResourceOrder::kStatus && !has_status) continue;
      for (const bool descending : {false, true}) {
        ResourceFilter filter;
        filter.account_id = "1";
        filter.order = order;
        filter.descending = descending;
        filter.limit = 11;
        const auto expect_quick = [&] {
          EXPECT_THAT(PlanOf(table, filter),
                      AllOf(HasSubstr(fmt::format("SEARCH {} USING INDEX", table)), Not(HasSubstr("TEMP B-TREE"))))
              << ListingClause(filter).sql();
        };
        expect_quick();
        filter.after = ResourceCursor{"1", 7};
        expect_quick();
        filter.name_contains = "x";
        expect_quick();
        filter.created_after = 1;
        expect_quick();
        if (!has_status) continue;
        filter.modified_before = 1;
        expect_quick();
        if (order == ResourceOrder::kStatus) continue;
        filter.statuses = {"Completed"};
        expect_quick();
      }
    }
  }
}

TEST_F(ListingPlansTest, OfTheSchedulers) {
  for (const char* table : {"training_jobs", "transform_jobs"}) {
    ResourceFilter filter;
    filter.statuses = {"InProgress", "Stopping"};
    EXPECT_THAT(PlanOf(table, filter), HasSubstr(fmt::format("USING INDEX {}_by_status (status=?)", table)));
  }
}

TEST_F(ListingPlansTest, ByArn) {
  for (const char* table : {"transform_jobs", "endpoints", "models", "endpoint_configs"}) {
    ResourceFilter filter;
    filter.account_id = "1";
    filter.arn = "arn";
    EXPECT_THAT(PlanOf(table, filter), HasSubstr(fmt::format("{}_by_arn (account_id=? AND arn=?)", table)));
  }
}

TEST_F(ListingPlansTest, OfLogsAndMetrics) {
  EXPECT_THAT(PlanOf("SELECT sum(stored_bytes) FROM log_streams WHERE group_id = 1"), HasSubstr("COVERING INDEX"));
  EXPECT_THAT(PlanOf("SELECT * FROM log_groups WHERE account_id = 1 AND name > 'a' ORDER BY name LIMIT 5"),
              AllOf(HasSubstr("USING INDEX"), Not(HasSubstr("TEMP B-TREE"))));
  for (const char* order : {"name ASC, name ASC", "last_event_ms DESC, name DESC"})
    EXPECT_THAT(PlanOf(fmt::format("SELECT * FROM log_streams WHERE group_id = 1 AND {}name >= 'a' ORDER BY {} LIMIT 5",
                                   order[0] == 'n' ? "" : "+", order)),
                AllOf(HasSubstr("USING INDEX"), Not(HasSubstr("TEMP B-TREE"))));
  EXPECT_THAT(PlanOf("SELECT * FROM metric_series s WHERE s.account_id = 1 AND s.last_ms >= 0 AND s.id > 5 "
                     "ORDER BY s.id LIMIT 5"),
              AllOf(HasSubstr("metric_series_by_account"), Not(HasSubstr("TEMP B-TREE"))));
}

TEST_F(ListingPlansTest, OfObjects) {
  EXPECT_THAT(PlanOf("SELECT * FROM objects WHERE bucket = 1 AND key > 'a' AND key < 'b' ORDER BY key LIMIT 5"),
              AllOf(HasSubstr("SEARCH objects USING PRIMARY KEY"), Not(HasSubstr("TEMP B-TREE"))));
}

}  // namespace
}  // namespace headrace::store
