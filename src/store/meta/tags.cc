#include "store/meta/tags.h"

#include "store/meta/connection.h"

namespace headrace::store {

Status Tags::Add(const std::string& account_id, const std::string& arn, const TagList& tags) {
  return database_.Write([&](Connection& db) { return AddIn(db, account_id, arn, tags); });
}

Status Tags::AddIn(Connection& db, const std::string& account_id, const std::string& arn, const TagList& tags) {
  Query insert(db,
               "INSERT INTO tags (account_id, arn, key, value) VALUES (?, ?, ?, ?) "
               "ON CONFLICT (account_id, arn, key) DO UPDATE SET value = excluded.value");
  for (const auto& [key, value] : tags) {
    insert.bind(1, account_id);
    insert.bind(2, arn);
    insert.bind(3, key);
    insert.bind(4, value);
    insert.exec();
    insert.reset();
  }
  Query count(db, "SELECT count(*) FROM tags WHERE account_id = ? AND arn = ?");
  count.bind(1, account_id);
  count.bind(2, arn);
  count.executeStep();
  const int64_t total = count.getColumn(0).getInt64();
  if (total > static_cast<int64_t>(kMostPerResource)) {
    return Fail(ErrorCode::kInvalidArgument, "tags of {}: found {}, wanted at most {}", arn, total, kMostPerResource);
  }
  return {};
}

Result<TagList> Tags::List(const std::string& account_id, const std::string& arn) {
  TagList tags;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db, "SELECT key, value FROM tags WHERE account_id = ? AND arn = ? ORDER BY key");
    select.bind(1, account_id);
    select.bind(2, arn);
    while (select.executeStep()) tags.emplace_back(select.getColumn(0).getString(), select.getColumn(1).getString());
    return {};
  }));
  return tags;
}

Status Tags::Remove(const std::string& account_id, const std::string& arn, const std::vector<std::string>& keys) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    Query remove(db, "DELETE FROM tags WHERE account_id = ? AND arn = ? AND key = ?");
    for (const auto& key : keys) {
      remove.bind(1, account_id);
      remove.bind(2, arn);
      remove.bind(3, key);
      remove.exec();
      remove.reset();
    }
    return {};
  });
}

Status Tags::RemoveAll(const std::string& account_id, const std::string& arn) {
  return database_.Write(WriteKind::kFrees, [&](Connection& db) { return RemoveAllIn(db, account_id, arn); });
}

Status Tags::RemoveAllIn(Connection& db, const std::string& account_id, const std::string& arn) {
  Query remove(db, "DELETE FROM tags WHERE account_id = ? AND arn = ?");
  remove.bind(1, account_id);
  remove.bind(2, arn);
  remove.exec();
  return {};
}

}  // namespace headrace::store
