#include "store/meta/resource_listing.h"

#include <cstdlib>

#include <fmt/format.h>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

const char* ListingColumn(ResourceOrder order) {
  switch (order) {
    case ResourceOrder::kName:
      return "name";
    case ResourceOrder::kStatus:
      return "status";
    case ResourceOrder::kCreationTime:
      break;
  }
  return "created_ms";
}

}  // namespace

ListingClause::ListingClause(const ResourceFilter& filter) {
  if (filter.account_id) Add("account_id = ?", *filter.account_id);
  if (!filter.name_contains.empty()) Add("instr(name, ?) > 0", filter.name_contains);
  if (!filter.arn.empty()) Add("arn = ?", filter.arn);
  if (!filter.statuses.empty()) {
    std::string marks = "?";
    for (size_t i = 1; i < filter.statuses.size(); ++i) marks += ", ?";
    // Of one account the listing goes along its order's index, where the status is read from; the plus keeps SQLite
    // from fetching and sorting all that are in the status, which may be nearly all.
    const bool along_order = filter.account_id && filter.order != ResourceOrder::kStatus;
    Add((along_order ? "+status IN (" : "status IN (") + marks + ")");
    for (const auto& status : filter.statuses) values_.push_back({status, 0, false});
  }
  const bool by_time = !filter.account_id || filter.order == ResourceOrder::kCreationTime;
  if (filter.created_after) Add(by_time ? "created_ms >= ?" : "+created_ms >= ?", *filter.created_after);
  if (filter.created_before) Add(by_time ? "created_ms <= ?" : "+created_ms <= ?", *filter.created_before);
  if (filter.modified_after) Add("modified_ms >= ?", *filter.modified_after);
  if (filter.modified_before) Add("modified_ms <= ?", *filter.modified_before);
  const char* column = ListingColumn(filter.order);
  if (filter.after) {
    const std::string condition = fmt::format("({}, sequence) {} (?, ?)", column, filter.descending ? "<" : ">");
    if (filter.order == ResourceOrder::kCreationTime) {
      Add(condition, static_cast<int64_t>(std::strtoll(filter.after->key.c_str(), nullptr, 10)));
    } else {
      Add(condition, filter.after->key);
    }
    values_.push_back({{}, filter.after->sequence, true});
  }
  const char* direction = filter.descending ? "DESC" : "ASC";
  if (filter.arn.empty()) sql_ += fmt::format(" ORDER BY {} {}, sequence {}", column, direction, direction);
  sql_ += " LIMIT ?";
  values_.push_back({{}, filter.limit == 0 ? int64_t{-1} : static_cast<int64_t>(filter.limit), true});
}

void ListingClause::Add(const std::string& condition) { sql_ += (sql_.empty() ? " WHERE " : " AND ") + condition; }

void ListingClause::Add(const std::string& condition, std::string value) {
  Add(condition);
  values_.push_back({std::move(value), 0, false});
}

void ListingClause::Add(const std::string& condition, int64_t value) {
  Add(condition);
  values_.push_back({{}, value, true});
}

void ListingClause::Bind(Query& statement) const {
  int index = 0;
  for (const auto& value : values_) {
    ++index;
    value.is_number ? statement.bind(index, value.number) : statement.bind(index, value.text);
  }
}

}  // namespace headrace::store
