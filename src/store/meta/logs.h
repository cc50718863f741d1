// CloudWatch Logs' store: groups, streams and events. Events are only ever appended; inside a stream they are ordered
// by (timestamp, sequence), so events of one millisecond keep the order they came in.
#pragma once

#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/meta/database.h"

namespace headrace::store {

struct LogGroup {
  int64_t id = 0;
  std::string name;
  UnixMillis created = 0;
  int64_t retention_days = 0;  // 0: for ever
  int64_t stored_bytes = 0;    // of listings; FindGroup adds nothing up
};

struct LogStream {
  int64_t id = 0, group_id = 0;
  std::string name;
  UnixMillis created = 0;
  UnixMillis first_event = 0, last_event = 0, last_ingestion = 0;  // 0: no events
  int64_t stored_bytes = 0;
};

// What goes in.
struct LogLineIn {
  UnixMillis time = 0;
  std::string_view message;
};

// Where an event stands in its stream.
struct LogPosition {
  UnixMillis time = 0;
  int64_t sequence = 0;
  auto operator<=>(const LogPosition&) const = default;
};
constexpr LogPosition kBeforeFirstEvent{std::numeric_limits<int64_t>::min(), 0};
constexpr LogPosition kBehindLastEvent{std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::max()};

// What comes out.
struct LogEvent {
  LogPosition position;
  int64_t stream_id = 0;
  UnixMillis ingestion = 0;
  std::string message;
};

enum class LogTimes {
  kAsGiven,
  kNeverDecreasing,  // an event older than the stream's last is stored at the last one's time: training streams
};

// [from, to) in milliseconds.
struct LogInterval {
  UnixMillis from = std::numeric_limits<int64_t>::min(), to = std::numeric_limits<int64_t>::max();
};

enum class LogStreamOrder { kName, kLastEventTime };

class Logs {
 public:
  explicit Logs(Database& database) : database_(database) {}

  // ---- groups; false when there is one already, or none to delete or change
  Result<bool> CreateGroup(const std::string& account_id, const std::string& name, UnixMillis now);
  Result<bool> DeleteGroup(const std::string& account_id, const std::string& name);
  Result<bool> SetRetention(const std::string& account_id, const std::string& name, int64_t days);
  Result<std::optional<LogGroup>> FindGroup(const std::string& account_id, const std::string& name);
  // Names that start with `prefix`, hold `part` and come behind `after`, in byte order.
  Result<std::vector<LogGroup>> ListGroups(const std::string& account_id, const std::string& prefix,
                                           const std::string& part, const std::string& after, size_t limit);

  // ---- streams
  Result<bool> CreateStream(const LogGroup& group, const std::string& name, UnixMillis now);
  Result<bool> DeleteStream(const LogGroup& group, const std::string& name);
  Result<std::optional<LogStream>> FindStream(const LogGroup& group, const std::string& name);
  struct StreamFilter {
    std::string prefix;
    LogStreamOrder order = LogStreamOrder::kName;
    bool descending = false;
    std::optional<LogStream> after;  // the last one shown; only name and last_event are looked at
    size_t limit = 0;                // 0: all
  };
  Result<std::vector<LogStream>> ListStreams(const LogGroup& group, const StreamFilter& filter);

  // ---- events
  // Appends; with `create`, group and stream are made where they are missing, else kNotFound. `now` is the ingestion
  // time. Returns the number of events.
  struct Target {
    std::string account_id, group, stream;
    bool create = false;
    LogTimes times = LogTimes::kAsGiven;
  };
  Status Append(const Target& target, std::span<const LogLineIn> lines, UnixMillis now);
  static Status AppendIn(Connection& db, const Target& target, std::span<const LogLineIn> lines, UnixMillis now);

  // Events of one stream inside `interval`, behind `after` in ascending order, or (ReadBackward) before `before` in
  // descending order, until `visit` returns false.
  using Visit = std::function<bool(LogEvent&&)>;
  Status ReadForward(int64_t stream_id, const LogInterval& interval, const LogPosition& after, const Visit& visit);
  Status ReadBackward(int64_t stream_id, const LogInterval& interval, const LogPosition& before, const Visit& visit);

  // Events of several streams, merged by (time, stream id, sequence); goes on behind `after` where that is given.
  struct MergedPosition {
    LogPosition position;
    int64_t stream_id = 0;
    auto operator<=>(const MergedPosition& other) const {
      if (const auto time = position.time <=> other.position.time; time != 0) return time;
      if (const auto stream = stream_id <=> other.stream_id; stream != 0) return stream;
      return position.sequence <=> other.position.sequence;
    }
    bool operator==(const MergedPosition&) const = default;
  };
  Status ReadMerged(std::span<const LogStream> streams, const LogInterval& interval,
                    const std::optional<MergedPosition>& after, const Visit& visit);

  // Deletes events that their group's retention has outlived, at most about `limit`; returns how many. For a timer.
  Result<int64_t> Expire(UnixMillis now, int64_t limit = 100'000);

 private:
  Result<bool> Changed(WriteKind kind, const std::function<bool(Connection&)>& work);

  Database& database_;
};

// The oldest event a group still shows.
UnixMillis RetainedSince(const LogGroup& group, UnixMillis now);

}  // namespace headrace::store
