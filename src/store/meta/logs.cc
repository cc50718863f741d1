#include "store/meta/logs.h"

#include <algorithm>
#include <memory>
#include <queue>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

constexpr int64_t kDayMs = 24 * 3600 * 1000LL;
// What AWS counts for an event besides its text.
constexpr int64_t kEventOverhead = 26;
constexpr const char* kGroupColumns =
    "id, name, created_ms, retention_days, (SELECT coalesce(sum(stored_bytes), 0) FROM log_streams WHERE group_id = "
    "log_groups.id)";
constexpr const char* kStreamColumns =
    "id, group_id, name, created_ms, first_event_ms, last_event_ms, last_ingestion_ms, stored_bytes";

LogGroup GroupFromRow(Query& row) {
  return {row.getColumn(0).getInt64(), row.getColumn(1).getString(), row.getColumn(2).getInt64(),
          row.getColumn(3).getInt64(), row.getColumn(4).getInt64()};
}

LogStream StreamFromRow(Query& row) {
  return {row.getColumn(0).getInt64(), row.getColumn(1).getInt64(), row.getColumn(2).getString(),
          row.getColumn(3).getInt64(), row.getColumn(4).getInt64(), row.getColumn(5).getInt64(),
          row.getColumn(6).getInt64(), row.getColumn(7).getInt64()};
}

// The smallest text behind every text that starts with `prefix`; empty when there is none (all bytes 0xff, or no
// prefix).
std::string BehindPrefix(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

void InsertGroup(Connection& db, const std::string& account_id, const std::string& name, UnixMillis now) {
  Query insert(db,
               "INSERT INTO log_groups (account_id, name, created_ms) VALUES (?, ?, ?) "
               "ON CONFLICT DO NOTHING");
  insert.bind(1, account_id);
  insert.bind(2, name);
  insert.bind(3, now);
  insert.exec();
}

bool InsertStream(Connection& db, int64_t group_id, const std::string& name, UnixMillis now) {
  Query insert(db,
               "INSERT INTO log_streams (group_id, name, created_ms) VALUES (?, ?, ?) "
               "ON CONFLICT DO NOTHING");
  insert.bind(1, group_id);
  insert.bind(2, name);
  insert.bind(3, now);
  return insert.exec() > 0;
}

// What appending needs to know of a stream.
struct Tail {
  int64_t stream_id = 0, next_sequence = 0;
  UnixMillis first_event = 0, last_event = 0;
};

std::optional<Tail> FindTail(Connection& db, const Logs::Target& target) {
  Query select(db,
               "SELECT s.id, s.next_sequence, s.first_event_ms, s.last_event_ms FROM log_streams s "
               "JOIN log_groups g ON g.id = s.group_id "
               "WHERE g.account_id = ? AND g.name = ? AND s.name = ?");
  select.bind(1, target.account_id);
  select.bind(2, target.group);
  select.bind(3, target.stream);
  if (!select.executeStep()) return std::nullopt;
  return Tail{select.getColumn(0).getInt64(), select.getColumn(1).getInt64(), select.getColumn(2).getInt64(),
              select.getColumn(3).getInt64()};
}

Result<Tail> TailFor(Connection& db, const Logs::Target& target, UnixMillis now) {
  auto tail = FindTail(db, target);
  if (!tail && target.create) {
    InsertGroup(db, target.account_id, target.group, now);
    Query select(db, "SELECT id FROM log_groups WHERE account_id = ? AND name = ?");
    select.bind(1, target.account_id);
    select.bind(2, target.group);
    select.executeStep();
    InsertStream(db, select.getColumn(0).getInt64(), target.stream, now);
    tail = FindTail(db, target);
  }
  if (!tail) return Fail(ErrorCode::kNotFound, "log stream {} of group {}: there is none", target.stream, target.group);
  return *tail;
}

LogEvent EventFromRow(Query& row, int64_t stream_id) {
  return {{row.getColumn(0).getInt64(), row.getColumn(1).getInt64()},
          stream_id,
          row.getColumn(2).getInt64(),
          row.getColumn(3).getString()};
}

// A forward read of one stream that can be held open beside others.
std::unique_ptr<Query> OpenForward(Connection& db, int64_t stream_id, const LogInterval& interval,
                                   const LogPosition& after) {
  auto select = std::make_unique<Query>(
      db,
      "SELECT timestamp_ms, sequence, ingestion_ms, message FROM log_events WHERE stream_id = ? "
      "AND timestamp_ms >= ? AND timestamp_ms < ? AND (timestamp_ms, sequence) > (?, ?) "
      "ORDER BY timestamp_ms, sequence");
  select->bind(1, stream_id);
  // The lower bound repeated as a plain column comparison: it is what the index seeks by.
  select->bind(2, std::max(interval.from, after.time));
  select->bind(3, interval.to);
  select->bind(4, after.time);
  select->bind(5, after.sequence);
  return select;
}

}  // namespace

UnixMillis RetainedSince(const LogGroup& group, UnixMillis now) {
  return group.retention_days == 0 ? std::numeric_limits<int64_t>::min() : now - group.retention_days * kDayMs;
}

Result<bool> Logs::Changed(WriteKind kind, const std::function<bool(Connection&)>& work) {
  bool changed = false;
  HEADRACE_TRY(database_.Write(kind, [&](Connection& db) -> Status {
    changed = work(db);
    return {};
  }));
  return changed;
}

Result<bool> Logs::CreateGroup(const std::string& account_id, const std::string& name, UnixMillis now) {
  return Changed(WriteKind::kGrows, [&](Connection& db) {
    InsertGroup(db, account_id, name, now);
    return db.getChanges() > 0;
  });
}

Result<bool> Logs::DeleteGroup(const std::string& account_id, const std::string& name) {
  return Changed(WriteKind::kFrees, [&](Connection& db) {
    Query statement(db, "DELETE FROM log_groups WHERE account_id = ? AND name = ?");
    statement.bind(1, account_id);
    statement.bind(2, name);
    return statement.exec() > 0;
  });
}

Result<bool> Logs::SetRetention(const std::string& account_id, const std::string& name, int64_t days) {
  return Changed(WriteKind::kFrees, [&](Connection& db) {
    Query statement(db, "UPDATE log_groups SET retention_days = ? WHERE account_id = ? AND name = ?");
    statement.bind(1, days);
    statement.bind(2, account_id);
    statement.bind(3, name);
    return statement.exec() > 0;
  });
}

Result<std::optional<LogGroup>> Logs::FindGroup(const std::string& account_id, const std::string& name) {
  std::optional<LogGroup> group;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db,
                 "SELECT id, name, created_ms, retention_days, 0 FROM log_groups WHERE account_id = ? AND name = ?");
    select.bind(1, account_id);
    select.bind(2, name);
    if (select.executeStep()) group = GroupFromRow(select);
    return {};
  }));
  return group;
}

Result<std::vector<LogGroup>> Logs::ListGroups(const std::string& account_id, const std::string& prefix,
                                               const std::string& part, const std::string& after, size_t limit) {
  std::vector<LogGroup> groups;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db, fmt::format("SELECT {} FROM log_groups WHERE account_id = ?1 AND name >= ?2 "
                                 "AND (?3 = '' OR name < ?3) AND name > ?4 AND (?5 = '' OR instr(name, "
                                 "?5) > 0) ORDER BY name LIMIT ?6",
                                 kGroupColumns));
    select.bind(1, account_id);
    select.bind(2, prefix);
    select.bind(3, BehindPrefix(prefix));
    select.bind(4, after);
    select.bind(5, part);
    select.bind(6, limit == 0 ? int64_t{-1} : static_cast<int64_t>(limit));
    while (select.executeStep()) groups.push_back(GroupFromRow(select));
    return {};
  }));
  return groups;
}

Result<bool> Logs::CreateStream(const LogGroup& group, const std::string& name, UnixMillis now) {
  return Changed(WriteKind::kGrows, [&](Connection& db) { return InsertStream(db, group.id, name, now); });
}

Result<bool> Logs::DeleteStream(const LogGroup& group, const std::string& name) {
  return Changed(WriteKind::kFrees, [&](Connection& db) {
    Query statement(db, "DELETE FROM log_streams WHERE group_id = ? AND name = ?");
    statement.bind(1, group.id);
    statement.bind(2, name);
    return statement.exec() > 0;
  });
}

Result<std::optional<LogStream>> Logs::FindStream(const LogGroup& group, const std::string& name) {
  std::optional<LogStream> stream;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db, fmt::format("SELECT {} FROM log_streams WHERE group_id = ? AND name = ?", kStreamColumns));
    select.bind(1, group.id);
    select.bind(2, name);
    if (select.executeStep()) stream = StreamFromRow(select);
    return {};
  }));
  return stream;
}

Result<std::vector<LogStream>> Logs::ListStreams(const LogGroup& group, const StreamFilter& filter) {
  std::vector<LogStream> streams;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    const bool by_name = filter.order == LogStreamOrder::kName;
    const char* order = by_name ? "name" : "last_event_ms";
    const char* direction = filter.descending ? "DESC" : "ASC";
    // The plus keeps SQLite from sorting all streams that a prefix leaves: by time, that is all of them.
    std::string sql =
        fmt::format("SELECT {} FROM log_streams WHERE group_id = ?1 AND {}name >= ?2 AND (?3 = '' OR {}name < ?3)",
                    kStreamColumns, by_name ? "" : "+", by_name ? "" : "+");
    if (filter.after) {
      const char* comparison = filter.descending ? "<" : ">";
      sql += by_name ? fmt::format(" AND name {} ?4", comparison)
                     : fmt::format(" AND (last_event_ms, name) {} (?5, ?4)", comparison);
    }
    sql += fmt::format(" ORDER BY {} {}, name {} LIMIT ?6", order, direction, direction);
    Query select(db, sql);
    select.bind(1, group.id);
    select.bind(2, filter.prefix);
    select.bind(3, BehindPrefix(filter.prefix));
    if (filter.after) {
      select.bind(4, filter.after->name);
      if (!by_name) select.bind(5, filter.after->last_event);
    }
    select.bind(6, filter.limit == 0 ? int64_t{-1} : static_cast<int64_t>(filter.limit));
    while (select.executeStep()) streams.push_back(StreamFromRow(select));
    return {};
  }));
  return streams;
}

Status Logs::Append(const Target& target, std::span<const LogLineIn> lines, UnixMillis now) {
  return database_.Write([&](Connection& db) { return AppendIn(db, target, lines, now); });
}

Status Logs::AppendIn(Connection& db, const Target& target, std::span<const LogLineIn> lines, UnixMillis now) {
  HEADRACE_ASSIGN(Tail tail, TailFor(db, target, now));
  if (lines.empty()) return {};
  const bool had_events = tail.next_sequence > 0;
  UnixMillis first = had_events ? tail.first_event : std::numeric_limits<int64_t>::max();
  UnixMillis last = had_events ? tail.last_event : std::numeric_limits<int64_t>::min();
  int64_t bytes = 0;
  Query insert(db,
               "INSERT INTO log_events (stream_id, timestamp_ms, sequence, ingestion_ms, message) "
               "VALUES (?, ?, ?, ?, ?)");
  insert.bind(1, tail.stream_id);
  insert.bind(4, now);
  for (const auto& line : lines) {
    const UnixMillis time = target.times == LogTimes::kNeverDecreasing ? std::max(line.time, last) : line.time;
    first = std::min(first, time);
    last = std::max(last, time);
    bytes += static_cast<int64_t>(line.message.size()) + kEventOverhead;
    insert.bind(2, time);
    insert.bind(3, tail.next_sequence++);
    insert.bind(5, std::string(line.message));
    insert.exec();
    insert.reset();
  }
  Query update(db,
               "UPDATE log_streams SET next_sequence = ?, first_event_ms = ?, last_event_ms = ?, "
               "last_ingestion_ms = ?, stored_bytes = stored_bytes + ? WHERE id = ?");
  update.bind(1, tail.next_sequence);
  update.bind(2, first);
  update.bind(3, last);
  update.bind(4, now);
  update.bind(5, bytes);
  update.bind(6, tail.stream_id);
  update.exec();
  return {};
}

Status Logs::ReadForward(int64_t stream_id, const LogInterval& interval, const LogPosition& after, const Visit& visit) {
  return database_.Read([&](Connection& db) -> Status {
    const auto select = OpenForward(db, stream_id, interval, after);
    while (select->executeStep() && visit(EventFromRow(*select, stream_id))) {
    }
    return {};
  });
}

Status Logs::ReadBackward(int64_t stream_id, const LogInterval& interval, const LogPosition& before,
                          const Visit& visit) {
  return database_.Read([&](Connection& db) -> Status {
    Query select(db,
                 "SELECT timestamp_ms, sequence, ingestion_ms, message FROM log_events WHERE stream_id = ? "
                 "AND timestamp_ms >= ? AND timestamp_ms < ? AND timestamp_ms <= ? "
                 "AND (timestamp_ms, sequence) < (?, ?) ORDER BY timestamp_ms DESC, sequence DESC");
    select.bind(1, stream_id);
    select.bind(2, interval.from);
    select.bind(3, interval.to);
    select.bind(4, before.time);
    select.bind(5, before.time);
    select.bind(6, before.sequence);
    while (select.executeStep() && visit(EventFromRow(select, stream_id))) {
    }
    return {};
  });
}

Status Logs::ReadMerged(std::span<const LogStream> streams, const LogInterval& interval,
                        const std::optional<MergedPosition>& after, const Visit& visit) {
  return database_.Read([&](Connection& db) -> Status {
    struct Source {
      MergedPosition head;
      LogEvent event;
      std::unique_ptr<Query> rows;
    };
    const auto later = [](const Source* a, const Source* b) { return a->head > b->head; };
    std::vector<std::unique_ptr<Source>> sources;
    std::priority_queue<Source*, std::vector<Source*>, decltype(later)> queue(later);
    const auto advance = [&](Source& source, int64_t stream_id) {
      if (!source.rows->executeStep()) return;
      source.event = EventFromRow(*source.rows, stream_id);
      source.head = {source.event.position, stream_id};
      queue.push(&source);
    };
    for (const auto& stream : streams) {
      // A stream outside the interval costs nothing.
      if (stream.last_ingestion == 0 || stream.last_event < interval.from || stream.first_event >= interval.to)
        continue;
      LogPosition from = kBeforeFirstEvent;
      if (after && stream.id == after->stream_id) {
        from = after->position;
      } else if (after) {
        // Streams before the token's have shown that millisecond entirely, those behind it not at all.
        const bool shown = stream.id < after->stream_id;
        from = shown ? LogPosition{after->position.time, kBehindLastEvent.sequence}
                     : LogPosition{after->position.time, -1};
      }
      sources.push_back(std::make_unique<Source>());
      sources.back()->rows = OpenForward(db, stream.id, interval, from);
      advance(*sources.back(), stream.id);
    }
    while (!queue.empty()) {
      Source* source = queue.top();
      queue.pop();
      const int64_t stream_id = source->head.stream_id;
      if (!visit(std::move(source->event))) break;
      advance(*source, stream_id);
    }
    return {};
  });
}

Result<int64_t> Logs::Expire(UnixMillis now, int64_t limit) {
  int64_t deleted = 0;
  HEADRACE_TRY(database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    std::vector<std::pair<int64_t, UnixMillis>> outdated;  // stream, horizon
    {
      Query select(db,
                   "SELECT s.id, ?1 - g.retention_days * ?2 FROM log_streams s JOIN log_groups g "
                   "ON g.id = s.group_id WHERE g.retention_days > 0 AND s.next_sequence > 0 "
                   "AND s.first_event_ms < ?1 - g.retention_days * ?2");
      select.bind(1, now);
      select.bind(2, kDayMs);
      while (select.executeStep())
        outdated.emplace_back(select.getColumn(0).getInt64(), select.getColumn(1).getInt64());
    }
    for (const auto& [stream_id, horizon] : outdated) {
      if (deleted >= limit) break;
      Query size(db,
                 "SELECT coalesce(sum(length(CAST(message AS BLOB)) + ?), 0) FROM log_events "
                 "WHERE stream_id = ? AND timestamp_ms < ?");
      size.bind(1, kEventOverhead);
      size.bind(2, stream_id);
      size.bind(3, horizon);
      size.executeStep();
      const int64_t bytes = size.getColumn(0).getInt64();
      Query remove(db, "DELETE FROM log_events WHERE stream_id = ? AND timestamp_ms < ?");
      remove.bind(1, stream_id);
      remove.bind(2, horizon);
      deleted += remove.exec();
      Query update(db,
                   "UPDATE log_streams SET stored_bytes = stored_bytes - ?1, first_event_ms = coalesce("
                   "(SELECT min(timestamp_ms) FROM log_events WHERE stream_id = ?2), last_event_ms) "
                   "WHERE id = ?2");
      update.bind(1, bytes);
      update.bind(2, stream_id);
      update.exec();
    }
    return {};
  }));
  return deleted;
}

}  // namespace headrace::store
