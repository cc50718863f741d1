// The metadata database: SQLite in WAL mode, one writer, several readers. Only store/meta sees SQLiteCpp.
//
//   database.Write([&](Connection& db) -> Status { InsertJob(db, job); return AppendEvents(db, events); });
//
// A Write is one IMMEDIATE transaction: it is on disk (fsync) when the call returns, or has changed nothing. Reads see
// one snapshot. SQLite's exceptions end here and become Errors.
//
// On a full disk: writes that grow are refused (kResourceExhausted) while there is still a little room (DiskRoom), and
// the write-ahead log holds blocks of its own, so that deletes and ends go through even where nothing at all is free.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/disk_room.h"

namespace headrace::store {

class Connection;

// kFrees: deletes, and ends of what goes on; it is done on a full disk, too.
enum class WriteKind { kGrows, kFrees };

class Database {
 public:
  // Opens or creates the file (mode 0600) and brings its schema up to date (migrations.h). kFailedPrecondition when it
  // was written by a newer Headrace.
  static Result<std::unique_ptr<Database>> Open(const std::string& path);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Rolls back when `work` returns an error or throws. Writes that wait for one another share a transaction and its
  // flush, each within a savepoint of its own; `work` may run on another caller's thread.
  Status Write(const std::function<Status(Connection&)>& work) { return Write(WriteKind::kGrows, work); }
  Status Write(WriteKind kind, const std::function<Status(Connection&)>& work);
  Status Read(const std::function<Status(Connection&)>& work);

  // Gives the write-ahead log its blocks; Open does it, too. kResourceExhausted where the disk has no room for them.
  Status HoldLog() const;

 private:
  struct PendingWrite;
  explicit Database(std::string path);
  void Commit(std::vector<PendingWrite*>& batch);
  void CommitTogether(std::vector<PendingWrite*>& batch);
  Result<std::unique_ptr<Connection>> Connect(bool writer) const;

  const std::string path_;
  const DiskRoom room_;
  std::mutex queue_mutex_;
  std::condition_variable queue_moved_;
  std::vector<PendingWrite*> queue_;
  bool writing_ = false;
  std::unique_ptr<Connection> writer_;  // of whoever has set writing_
  std::mutex readers_mutex_;
  std::vector<std::unique_ptr<Connection>> idle_readers_;
};

}  // namespace headrace::store
