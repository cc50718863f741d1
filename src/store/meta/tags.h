// Tags of anything that has an ARN.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/meta/database.h"

namespace headrace::store {

using TagList = std::vector<std::pair<std::string, std::string>>;  // key, value

class Tags {
 public:
  // kInvalidArgument, and nothing changed, when an ARN would have more.
  static constexpr size_t kMostPerResource = 50;

  explicit Tags(Database& database) : database_(database) {}

  // Adds, or gives existing keys a new value.
  Status Add(const std::string& account_id, const std::string& arn, const TagList& tags);
  static Status AddIn(Connection& db, const std::string& account_id, const std::string& arn, const TagList& tags);
  // By key.
  Result<TagList> List(const std::string& account_id, const std::string& arn);
  Status Remove(const std::string& account_id, const std::string& arn, const std::vector<std::string>& keys);
  Status RemoveAll(const std::string& account_id, const std::string& arn);
  static Status RemoveAllIn(Connection& db, const std::string& account_id, const std::string& arn);

 private:
  Database& database_;
};

}  // namespace headrace::store
