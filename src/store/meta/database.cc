#include "store/meta/database.h"

#include <cerrno>
#include <cstring>

#include <SQLiteCpp/SQLiteCpp.h>
#include <fcntl.h>
#include <sqlite3.h>

#include "base/descriptor.h"
#include "store/meta/migrations.h"

namespace headrace::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;

Status Migrate(SQLite::Database& db, const std::string& path) {
  const auto migrations = Migrations();
  const int version = db.execAndGet("PRAGMA user_version").getInt();
  if (version > static_cast<int>(migrations.size())) {
    return Fail(ErrorCode::kFailedPrecondition,
                "{}: schema version {} is of a newer Headrace; this one knows {}. Use the newer program", path, version,
                migrations.size());
  }
  for (size_t i = static_cast<size_t>(version); i < migrations.size(); ++i) {
    SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
    db.exec(migrations[i].sql);
    db.exec(fmt::format("PRAGMA user_version = {}", i + 1));
    transaction.commit();
  }
  return {};
}

// Runs `work`, turning what SQLite throws into an Error.
template <typename Work>
Status Guarded(const std::string& path, Work&& work) {
  try {
    return work();
  } catch (const SQLite::Exception& error) {
    const bool full = error.getErrorCode() == SQLITE_FULL;
    return Fail(full ? ErrorCode::kResourceExhausted : ErrorCode::kInternal, "{}: {}", path, error.what());
  }
}

}  // namespace

Database::Database(std::string path) : path_(std::move(path)) {}
Database::~Database() = default;

Result<std::unique_ptr<SQLite::Database>> Database::Connect(bool writer) const {
  std::unique_ptr<SQLite::Database> db;
  HEADRACE_TRY(Guarded(path_, [&]() -> Status {
    const int flags = SQLite::OPEN_READWRITE | (writer ? SQLite::OPEN_CREATE : 0);
    db = std::make_unique<SQLite::Database>(path_, flags, kBusyTimeoutMs);
    db->exec("PRAGMA foreign_keys = ON");
    if (writer) {
      db->exec("PRAGMA journal_mode = WAL");
      db->exec("PRAGMA synchronous = FULL");
    }
    return {};
  }));
  return db;
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  // Made by us first, so that SQLite's own files inherit a mode that keeps others out: the database holds secret keys.
  const Descriptor created(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!created) return Fail(ErrorCode::kNotFound, "{}: cannot be opened or created: {}", path, std::strerror(errno));
  std::unique_ptr<Database> database(new Database(path));
  HEADRACE_ASSIGN(database->writer_, database->Connect(true));
  HEADRACE_TRY(Guarded(path, [&] { return Migrate(*database->writer_, path); }));
  return database;
}

Status Database::Write(const std::function<Status(SQLite::Database&)>& work) {
  const std::lock_guard lock(writer_mutex_);
  return Guarded(path_, [&]() -> Status {
    SQLite::Transaction transaction(*writer_, SQLite::TransactionBehavior::IMMEDIATE);
    HEADRACE_TRY(work(*writer_));
    transaction.commit();
    return {};
  });
}

Status Database::Read(const std::function<Status(SQLite::Database&)>& work) {
  std::unique_ptr<SQLite::Database> reader;
  {
    const std::lock_guard lock(readers_mutex_);
    if (!idle_readers_.empty()) {
      reader = std::move(idle_readers_.back());
      idle_readers_.pop_back();
    }
  }
  if (!reader) {
    HEADRACE_ASSIGN(reader, Connect(false));
  }
  const Status status = Guarded(path_, [&]() -> Status {
    SQLite::Transaction snapshot(*reader, SQLite::TransactionBehavior::DEFERRED);
    return work(*reader);
  });
  const std::lock_guard lock(readers_mutex_);
  idle_readers_.push_back(std::move(reader));
  return status;
}

}  // namespace headrace::store
