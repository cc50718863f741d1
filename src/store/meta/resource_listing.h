// Listings of named resources (training and transform jobs, models, endpoint configurations, endpoints): one filter,
// one order, one way to go on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace headrace::store {

class Query;

enum class ResourceOrder { kCreationTime, kName, kStatus };

// Where a listing goes on: the sort key and sequence of the last resource shown.
struct ResourceCursor {
  std::string key;
  int64_t sequence = 0;
};

// Of a resource with a name, a creation time and, perhaps, a status.
template <typename Resource>
ResourceCursor CursorOf(const Resource& resource, ResourceOrder order) {
  if (order == ResourceOrder::kName) return {resource.name, resource.sequence};
  if constexpr (requires { resource.status; }) {
    if (order == ResourceOrder::kStatus) return {resource.status, resource.sequence};
  }
  return {std::to_string(resource.created), resource.sequence};
}

struct ResourceFilter {
  std::optional<std::string> account_id;  // absent: everyone's, for the schedulers
  std::string name_contains, arn;         // "": any
  std::vector<std::string> statuses;      // empty: any
  std::optional<UnixMillis> created_after, created_before, modified_after, modified_before;  // inclusive
  ResourceOrder order = ResourceOrder::kCreationTime;
  bool descending = false;
  std::optional<ResourceCursor> after;
  size_t limit = 0;  // 0: all
};

// The rest of a SELECT (WHERE, ORDER BY, LIMIT) and the values of its question marks. The table has the columns
// account_id, name, created_ms and sequence; status and modified_ms where the filter names them.
class ListingClause {
 public:
  explicit ListingClause(const ResourceFilter& filter);
  const std::string& sql() const { return sql_; }
  void Bind(Query& statement) const;

 private:
  struct Value {
    std::string text;
    int64_t number = 0;
    bool is_number = false;
  };
  void Add(const std::string& condition);
  void Add(const std::string& condition, std::string value);
  void Add(const std::string& condition, int64_t value);
  std::string sql_;
  std::vector<Value> values_;
};

}  // namespace headrace::store
