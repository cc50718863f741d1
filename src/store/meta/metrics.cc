#include "store/meta/metrics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "store/meta/connection.h"

namespace headrace::store {
namespace {

using Json = nlohmann::json;

// One text for one dimension set: [["Host","a"],["Name","b"]], sorted by name.
std::string CanonicalText(const Dimensions& dimensions) {
  Json list = Json::array();
  for (const auto& [name, value] : dimensions) list.push_back({name, value});
  return list.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Dimensions ParseDimensions(const std::string& text) {
  Dimensions dimensions;
  for (const auto& item : Json::parse(text)) dimensions.emplace(item[0], item[1]);
  return dimensions;
}

constexpr const char* kColumns = "s.id, s.account_id, s.namespace, s.name, s.dimensions, s.first_ms, s.last_ms";

MetricSeries SeriesFromRow(Query& row) {
  MetricSeries series;
  series.id = row.getColumn(0).getInt64();
  series.key = {row.getColumn(1).getString(), row.getColumn(2).getString(), row.getColumn(3).getString(),
                ParseDimensions(row.getColumn(4).getString())};
  series.first = row.getColumn(5).getInt64();
  series.last = row.getColumn(6).getInt64();
  return series;
}

void InsertDimensions(Connection& db, int64_t series_id, const MetricKey& key) {
  Query insert(db, "INSERT INTO metric_dimensions (account_id, name, value, series_id) VALUES (?, ?, ?, ?)");
  for (const auto& [name, value] : key.dimensions) {
    insert.bind(1, key.account_id);
    insert.bind(2, name);
    insert.bind(3, value);
    insert.bind(4, series_id);
    insert.exec();
    insert.reset();
  }
}

bool IsFinite(const MetricSample& sample) {
  return std::isfinite(sample.count) && std::isfinite(sample.sum) && std::isfinite(sample.minimum) &&
         std::isfinite(sample.maximum);
}

// The series of one batch: found or made once each, brought up to date once each.
class SeriesOfBatch {
 public:
  explicit SeriesOfBatch(Connection& db)
      : db_(db),
        find_(db,
              "SELECT id, next_sequence, first_ms, last_ms FROM metric_series WHERE account_id = ? AND namespace = ? "
              "AND name = ? AND dimensions = ?") {}

  struct Entry {
    int64_t id = 0, next_sequence = 0;
    UnixMillis first = 0, last = 0;
  };

  Entry& For(const MetricKey& key, UnixMillis time) {
    auto [found, is_new] = entries_.try_emplace(key);
    Entry& entry = found->second;
    if (is_new) entry = FindOrInsert(key, time);
    entry.first = std::min(entry.first, time);
    entry.last = std::max(entry.last, time);
    return entry;
  }

  void Save() {
    Query update(db_, "UPDATE metric_series SET next_sequence = ?, first_ms = ?, last_ms = ? WHERE id = ?");
    for (const auto& [key, entry] : entries_) {
      update.bind(1, entry.next_sequence);
      update.bind(2, entry.first);
      update.bind(3, entry.last);
      update.bind(4, entry.id);
      update.exec();
      update.reset();
    }
  }

 private:
  Entry FindOrInsert(const MetricKey& key, UnixMillis time) {
    const std::string dimensions = CanonicalText(key.dimensions);
    find_.reset();
    find_.bind(1, key.account_id);
    find_.bind(2, key.name_space);
    find_.bind(3, key.name);
    find_.bind(4, dimensions);
    if (find_.executeStep()) {
      return {find_.getColumn(0).getInt64(), find_.getColumn(1).getInt64(), find_.getColumn(2).getInt64(),
              find_.getColumn(3).getInt64()};
    }
    Query insert(db_,
                 "INSERT INTO metric_series (account_id, namespace, name, dimensions, first_ms, last_ms) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?5)");
    insert.bind(1, key.account_id);
    insert.bind(2, key.name_space);
    insert.bind(3, key.name);
    insert.bind(4, dimensions);
    insert.bind(5, time);
    insert.exec();
    const int64_t id = db_.getLastInsertRowid();
    InsertDimensions(db_, id, key);
    return {id, 0, time, time};
  }

  Connection& db_;
  Query find_;
  std::map<MetricKey, Entry> entries_;
};

struct SampleRange {
  int64_t series_id = 0;
  UnixMillis from = 0, to = 0;  // [from, to)
};

// The samples of a series in order: rows of a time and `columns`.
template <typename VisitRow>
Status ReadSamples(Database& database, const char* columns, const SampleRange& range, const VisitRow& visit) {
  return database.Read([&](Connection& db) -> Status {
    Query select(db,
                 fmt::format("SELECT timestamp_ms, {} FROM metric_samples WHERE series_id = ? AND timestamp_ms >= ? "
                             "AND timestamp_ms < ? ORDER BY timestamp_ms, sequence",
                             columns));
    select.bind(1, range.series_id);
    select.bind(2, range.from);
    select.bind(3, range.to);
    while (select.executeStep()) visit(select);
    return {};
  });
}

}  // namespace

Status Metrics::Put(std::span<const MetricDatum> data) {
  if (data.empty()) return {};
  return database_.Write([&](Connection& db) { return PutIn(db, data); });
}

Status Metrics::PutIn(Connection& db, std::span<const MetricDatum> data) {
  if (data.empty()) return {};
  SeriesOfBatch series(db);
  Query insert(db,
               "INSERT INTO metric_samples (series_id, timestamp_ms, sequence, sample_count, sum, minimum, "
               "maximum, unit) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  for (const auto& [key, sample] : data) {
    if (!IsFinite(sample)) continue;
    auto& entry = series.For(key, sample.time);
    insert.bind(1, entry.id);
    insert.bind(2, sample.time);
    insert.bind(3, entry.next_sequence++);
    insert.bind(4, sample.count);
    insert.bind(5, sample.sum);
    insert.bind(6, sample.minimum);
    insert.bind(7, sample.maximum);
    insert.bind(8, sample.unit);
    insert.exec();
    insert.reset();
  }
  series.Save();
  return {};
}

Result<std::optional<MetricSeries>> Metrics::Find(const MetricKey& key) {
  std::optional<MetricSeries> series;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db, fmt::format("SELECT {} FROM metric_series s WHERE s.account_id = ? AND "
                                 "s.namespace = ? AND s.name = ? AND s.dimensions = ?",
                                 kColumns));
    select.bind(1, key.account_id);
    select.bind(2, key.name_space);
    select.bind(3, key.name);
    select.bind(4, CanonicalText(key.dimensions));
    if (select.executeStep()) series = SeriesFromRow(select);
    return {};
  }));
  return series;
}

Result<std::vector<MetricSeries>> Metrics::List(const SeriesFilter& filter) {
  std::vector<MetricSeries> found;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    std::vector<std::string> values{filter.account_id};
    std::string sql = fmt::format("SELECT {} FROM metric_series s WHERE s.account_id = ?", kColumns);
    const auto add = [&](const char* condition, const std::string& value) {
      sql += condition;
      values.push_back(value);
    };
    if (!filter.name_space.empty()) add(" AND s.namespace = ?", filter.name_space);
    if (!filter.name.empty()) add(" AND s.name = ?", filter.name);
    for (const auto& dimension : filter.dimensions) {
      add(" AND s.id IN (SELECT series_id FROM metric_dimensions WHERE account_id = ?", filter.account_id);
      add(" AND name = ?", dimension.name);
      if (dimension.value) add(" AND value = ?", *dimension.value);
      sql += ")";
    }
    sql += " AND s.last_ms >= ? AND s.id > ? ORDER BY s.id LIMIT ?";
    Query select(db, sql);
    int index = 0;
    for (const auto& value : values) select.bind(++index, value);
    select.bind(++index, filter.active_since);
    select.bind(++index, filter.after_id);
    select.bind(++index, filter.limit == 0 ? int64_t{-1} : static_cast<int64_t>(filter.limit));
    while (select.executeStep()) found.push_back(SeriesFromRow(select));
    return {};
  }));
  return found;
}

Status Metrics::Read(int64_t series_id, UnixMillis from, UnixMillis to, const Visit& visit) {
  return ReadSamples(database_, "sample_count, sum, minimum, maximum, unit", {series_id, from, to}, [&](Query& row) {
    visit({row.getColumn(0).getInt64(), row.getColumn(1).getDouble(), row.getColumn(2).getDouble(),
           row.getColumn(3).getDouble(), row.getColumn(4).getDouble(), row.getColumn(5).getString()});
  });
}

Status Metrics::ReadValues(int64_t series_id, UnixMillis from, UnixMillis to, const VisitValue& visit) {
  constexpr const char* kMean = "CASE WHEN sample_count > 0 THEN sum / sample_count ELSE sum END, minimum, maximum";
  return ReadSamples(database_, kMean, {series_id, from, to}, [&](Query& row) {
    visit({row.getColumn(0).getInt64(), row.getColumn(1).getDouble(), row.getColumn(2).getDouble(),
           row.getColumn(3).getDouble()});
  });
}

Result<int64_t> Metrics::Expire(UnixMillis horizon, int64_t limit) {
  int64_t deleted = 0;
  HEADRACE_TRY(database_.Write(WriteKind::kFrees, [&](Connection& db) -> Status {
    std::vector<int64_t> outdated;
    {
      Query select(db, "SELECT id FROM metric_series WHERE first_ms < ?");
      select.bind(1, horizon);
      while (select.executeStep()) outdated.push_back(select.getColumn(0).getInt64());
    }
    for (const int64_t id : outdated) {
      if (deleted >= limit) break;
      Query remove(db, "DELETE FROM metric_samples WHERE series_id = ? AND timestamp_ms < ?");
      remove.bind(1, id);
      remove.bind(2, horizon);
      deleted += remove.exec();
      Query empty(db, "DELETE FROM metric_series WHERE id = ?1 AND last_ms < ?2");
      empty.bind(1, id);
      empty.bind(2, horizon);
      if (empty.exec() > 0) continue;
      Query update(db,
                   "UPDATE metric_series SET first_ms = (SELECT min(timestamp_ms) FROM metric_samples "
                   "WHERE series_id = ?1) WHERE id = ?1");
      update.bind(1, id);
      update.exec();
    }
    return {};
  }));
  return deleted;
}

}  // namespace headrace::store
