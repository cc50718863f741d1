#include "store/meta/connection.h"

namespace headrace::store {
namespace {

constexpr size_t kMostIdle = 256;  // a listing's filters make texts of their own

}  // namespace

Query::Query(Connection& connection, const std::string& sql) : connection_(connection) {
  const auto place = connection.idle_.try_emplace(sql).first;
  if (!place->second) place->second = std::make_unique<SQLite::Statement>(connection, sql);
  own_ = connection.idle_.extract(place);
}

// One that is in use twice at a time goes back once.
Query::~Query() {
  statement().tryReset();
  statement().clearBindings();
  if (connection_.idle_.size() < kMostIdle) connection_.idle_.insert(std::move(own_));
}

}  // namespace headrace::store
