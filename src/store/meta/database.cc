#include "store/meta/database.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <exception>

#include <fcntl.h>
#include <sqlite3.h>

#include "base/descriptor.h"
#include "base/log.h"
#include "store/meta/connection.h"
#include "store/meta/migrations.h"

namespace headrace::store {
namespace {

constexpr int kBusyTimeoutMs = 10'000;
// Of the write-ahead log: four times what it grows to before SQLite moves it into the database; on small disks twice.
constexpr int64_t kLogBytes = int64_t{16} << 20, kLeastLogBytes = int64_t{8} << 20;
constexpr int kChunkBytes = 1 << 20;  // by which the database grows, so that moving the log into it seldom wants blocks

bool OutOfDescriptors() {
  const Descriptor probe(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  return !probe && (errno == EMFILE || errno == ENFILE);
}

// What passes by itself once there is room again.
bool WantsRoom(const SQLite::Exception& error) {
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return true;
    case SQLITE_IOERR:
      return error.getExtendedErrorCode() == SQLITE_IOERR_SHMSIZE;
    case SQLITE_CANTOPEN:
      return OutOfDescriptors();
    default:
      return false;
  }
}

Status Migrate(Connection& db, const std::string& path) {
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
    if (migrations[i].convert) HEADRACE_TRY(migrations[i].convert(db));
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
    return Fail(WantsRoom(error) ? ErrorCode::kResourceExhausted : ErrorCode::kInternal, "{}: {}", path, error.what());
  }
}

// All that is read meanwhile is of one moment.
class Snapshot {
 public:
  explicit Snapshot(Connection& connection) : end_(connection, "COMMIT") { Query(connection, "BEGIN").exec(); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;
  ~Snapshot() { end_.tryExecuteStep(); }

 private:
  Query end_;
};

}  // namespace

Database::Database(std::string path) : path_(std::move(path)), room_(path_) {}
Database::~Database() = default;

Result<std::unique_ptr<Connection>> Database::Connect(bool writer) const {
  std::unique_ptr<Connection> db;
  HEADRACE_TRY(Guarded(path_, [&]() -> Status {
    const int flags = SQLite::OPEN_READWRITE | (writer ? SQLite::OPEN_CREATE : 0);
    db = std::make_unique<Connection>(path_, flags, kBusyTimeoutMs);
    db->exec("PRAGMA foreign_keys = ON");
    if (writer) {
      db->exec("PRAGMA journal_mode = WAL");
      db->exec("PRAGMA synchronous = FULL");
      int chunk = kChunkBytes;
      ::sqlite3_file_control(db->getHandle(), "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
    }
    int persist = 1;  // the log and its blocks stay when the last connection closes (unless journal_size_limit is set)
    ::sqlite3_file_control(db->getHandle(), "main", SQLITE_FCNTL_PERSIST_WAL, &persist);
    return {};
  }));
  return db;
}

Result<std::unique_ptr<Database>> Database::Open(const std::string& path) {
  // Made by us first, so that SQLite's own files inherit a mode that keeps others out: the database holds secret keys.
  // And closed before SQLite opens it: closing any descriptor of a file drops the process's POSIX locks on it, and
  // without them another process takes itself for the last user and removes the log that we write to.
  if (!Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)))
    return Fail(ErrorCode::kNotFound, "{}: cannot be opened or created: {}", path, std::strerror(errno));
  std::unique_ptr<Database> database(new Database(path));
  HEADRACE_ASSIGN(database->writer_, database->Connect(true));
  HEADRACE_TRY(Guarded(path, [&] { return Migrate(*database->writer_, path); }));
  if (const Status held = database->HoldLog(); !held) Log(LogLevel::kWarning, "{}", held.error().message());
  return database;
}

// SQLite writes the log from its beginning again and again, and knows its end by the frames' checksums, so that zeros
// behind it do no harm. Closing a descriptor of the log drops no lock: SQLite's locks are on the other two files.
Status Database::HoldLog() const {
  const std::string log = path_ + "-wal";
  const Descriptor file(::open(log.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return {};  // not written to yet; SQLite makes it
  const auto left_alone = static_cast<int64_t>(room_.LeftAlone());
  const int64_t wanted = left_alone == 0 ? kLogBytes : std::clamp(left_alone, kLeastLogBytes, kLogBytes);
  const int failure = ::posix_fallocate(file.get(), 0, wanted);
  if (failure == 0 || failure == EOPNOTSUPP || failure == EINVAL) return {};
  return Fail(ErrorCode::kResourceExhausted, "{}: no room to hold for deletes: {}", log, std::strerror(failure));
}

struct Database::PendingWrite {
  const std::function<Status(Connection&)>& work;
  Status status;
  std::exception_ptr thrown;  // anything but SQLite's
  bool done = false;

  // Whether it may be committed.
  bool Run(Connection& db, const std::string& path) {
    try {
      status = Guarded(path, [&] { return work(db); });
    } catch (...) {
      thrown = std::current_exception();
    }
    return status.has_value() && !thrown;
  }
};

// The first to find nobody writing writes for all who wait.
Status Database::Write(WriteKind kind, const std::function<Status(Connection&)>& work) {
  if (kind == WriteKind::kGrows) HEADRACE_TRY(room_.Check());
  PendingWrite mine{work, {}, nullptr, false};
  std::unique_lock lock(queue_mutex_);
  queue_.push_back(&mine);
  queue_moved_.wait(lock, [&] { return mine.done || !writing_; });
  if (!mine.done) {
    writing_ = true;
    std::vector<PendingWrite*> batch;
    batch.swap(queue_);
    lock.unlock();
    Commit(batch);
    lock.lock();
    writing_ = false;
    for (PendingWrite* write : batch) write->done = true;
    queue_moved_.notify_all();
  }
  if (mine.thrown) std::rethrow_exception(mine.thrown);
  return mine.status;
}

void Database::Commit(std::vector<PendingWrite*>& batch) {
  if (batch.size() > 1) return CommitTogether(batch);
  PendingWrite& only = *batch[0];
  const Status committed = Guarded(path_, [&]() -> Status {
    SQLite::Transaction transaction(*writer_, SQLite::TransactionBehavior::IMMEDIATE);
    if (only.Run(*writer_, path_)) transaction.commit();
    return {};
  });
  if (!committed && only.status) only.status = committed;
}

// A failure that takes the whole transaction along (a full disk) fails all of the batch.
void Database::CommitTogether(std::vector<PendingWrite*>& batch) {
  const Status committed = Guarded(path_, [&]() -> Status {
    SQLite::Transaction transaction(*writer_, SQLite::TransactionBehavior::IMMEDIATE);
    for (PendingWrite* write : batch) {
      writer_->exec("SAVEPOINT one_of_many");
      if (!write->Run(*writer_, path_)) writer_->exec("ROLLBACK TO one_of_many");
      writer_->exec("RELEASE one_of_many");
    }
    transaction.commit();
    return {};
  });
  if (committed) return;
  for (PendingWrite* write : batch)
    if (write->status) write->status = committed;
}

Status Database::Read(const std::function<Status(Connection&)>& work) {
  std::unique_ptr<Connection> reader;
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
  Status status = Guarded(path_, [&]() -> Status {
    const Snapshot snapshot(*reader);
    return work(*reader);
  });
  const std::lock_guard lock(readers_mutex_);
  idle_readers_.push_back(std::move(reader));
  return status;
}

}  // namespace headrace::store
