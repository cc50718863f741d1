// Connection: one connection to the database, with the statements that were parsed on it. Query: one of them, in use.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>

namespace headrace::store {

class Connection : public SQLite::Database {
 public:
  using SQLite::Database::Database;

 private:
  friend class Query;
  // By their text, those that nobody uses. Texts are few: values are bound, never written into them.
  using Statements = std::unordered_map<std::string, std::unique_ptr<SQLite::Statement>>;
  Statements idle_;
};

// Parsed at its text's first use on a connection, kept for the next. Used as a SQLite::Statement is, whose functions
// these are. May not outlive the connection.
class Query {
 public:
  Query(Connection& connection, const std::string& sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  template <typename Value>
  void bind(int index, Value&& value) {
    statement().bind(index, std::forward<Value>(value));
  }
  void bind(int index, const void* bytes, int size) { statement().bind(index, bytes, size); }
  bool executeStep() { return statement().executeStep(); }
  int exec() { return statement().exec(); }
  int tryExecuteStep() noexcept { return statement().tryExecuteStep(); }
  void reset() { statement().reset(); }
  SQLite::Column getColumn(int index) { return statement().getColumn(index); }

 private:
  SQLite::Statement& statement() { return *own_.mapped(); }

  Connection& connection_;
  Connection::Statements::node_type own_;
};

}  // namespace headrace::store
