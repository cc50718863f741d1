#include "store/access/caller.h"

#include "store/meta/connection.h"

namespace headrace::store {

std::string ExecutionSessionArn(std::string_view account_id, std::string_view session) {
  return fmt::format("arn:aws:sts::{}:assumed-role/{}/{}", account_id, kExecutionRole, session);
}

Result<Caller> CallerOf(Database& database, const std::string& account_id) {
  Caller caller{account_id, {}, {}};
  HEADRACE_TRY(database.Read([&](Connection& db) -> Status {
    Query query(db, "SELECT name FROM principals WHERE account_id = ?");
    query.bind(1, account_id);
    if (!query.executeStep()) return {};
    caller.user = query.getColumn(0).getString();
    caller.arn = ExecutionSessionArn(account_id, caller.user);
    return {};
  }));
  return caller;
}

}  // namespace headrace::store
