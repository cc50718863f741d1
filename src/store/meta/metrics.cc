#include "store/meta/metrics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "store/meta/connection.h"
#include "store/meta/metric_blocks.h"

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

constexpr const char* kColumns =
    "s.id, s.account_id, s.namespace, s.name, s.dimensions, s.first_ms, s.last_ms, s.samples";

MetricSeries SeriesFromRow(Query& row) {
  MetricSeries series;
  series.id = row.getColumn(0).getInt64();
  series.key = {row.getColumn(1).getString(), row.getColumn(2).getString(), row.getColumn(3).getString(),
                ParseDimensions(row.getColumn(4).getString())};
  series.first = row.getColumn(5).getInt64();
  series.last = row.getColumn(6).getInt64();
  series.samples = row.getColumn(7).getInt64();
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

// A series, and what one batch puts into it, in order of arrival.
struct SeriesInBatch {
  int64_t id = 0, samples = 0;
  UnixMillis first = 0, last = 0;
  std::vector<const MetricSample*> more;
};

// By key; `order` has them as they came up, which is the order in which new ones are made.
struct MetricBatch {
  explicit MetricBatch(std::span<const MetricDatum> data) {
    for (const auto& [key, sample] : data) {
      if (!IsFinite(sample)) continue;
      const auto [found, is_new] = series.try_emplace(&key);
      if (is_new) order.push_back(found);
      found->second.more.push_back(&sample);
    }
    for (auto& [key, one] : series)
      std::stable_sort(one.more.begin(), one.more.end(),
                       [](const MetricSample* a, const MetricSample* b) { return a->time < b->time; });
  }

  struct ByKey {
    bool operator()(const MetricKey* a, const MetricKey* b) const { return *a < *b; }
  };
  std::map<const MetricKey*, SeriesInBatch, ByKey> series;
  std::vector<decltype(series)::iterator> order;
};

// The four columns that name a series, as the first four parameters of a statement.
void BindKey(Query& query, const MetricKey& key) {
  query.bind(1, key.account_id);
  query.bind(2, key.name_space);
  query.bind(3, key.name);
  query.bind(4, CanonicalText(key.dimensions));
}

bool FindSeries(Connection& db, const MetricKey& key, SeriesInBatch& series) {
  Query find(db,
             "SELECT id, samples, first_ms, last_ms FROM metric_series WHERE account_id = ? AND namespace = ? "
             "AND name = ? AND dimensions = ?");
  BindKey(find, key);
  if (!find.executeStep()) return false;
  series.id = find.getColumn(0).getInt64();
  series.samples = find.getColumn(1).getInt64();
  series.first = find.getColumn(2).getInt64();
  series.last = find.getColumn(3).getInt64();
  return true;
}

void InsertSeries(Connection& db, const MetricKey& key, SeriesInBatch& series) {
  series.first = series.more.front()->time;
  series.last = series.more.back()->time;
  Query insert(db,
               "INSERT INTO metric_series (account_id, namespace, name, dimensions, first_ms, last_ms) "
               "VALUES (?, ?, ?, ?, ?, ?)");
  BindKey(insert, key);
  insert.bind(5, series.first);
  insert.bind(6, series.last);
  insert.exec();
  series.id = db.getLastInsertRowid();
  InsertDimensions(db, series.id, key);
}

void UpdateSeries(Connection& db, const SeriesInBatch& series) {
  Query update(db, "UPDATE metric_series SET samples = ?, first_ms = ?, last_ms = ? WHERE id = ?");
  update.bind(1, series.samples + static_cast<int64_t>(series.more.size()));
  update.bind(2, std::min(series.first, series.more.front()->time));
  update.bind(3, std::max(series.last, series.more.back()->time));
  update.bind(4, series.id);
  update.exec();
}

}  // namespace

Status Metrics::Put(std::span<const MetricDatum> data) {
  if (data.empty()) return {};
  return database_.Write([&](Connection& db) { return PutIn(db, data); });
}

Status Metrics::PutIn(Connection& db, std::span<const MetricDatum> data) {
  MetricBatch batch(data);
  for (const auto& entry : batch.order) {
    const MetricKey& key = *entry->first;
    SeriesInBatch& series = entry->second;
    if (!FindSeries(db, key, series)) InsertSeries(db, key, series);
    HEADRACE_TRY(MetricBlocks(db, series.id).Add(series.more));
    UpdateSeries(db, series);
  }
  return {};
}

Result<std::optional<MetricSeries>> Metrics::Find(const MetricKey& key) {
  std::optional<MetricSeries> series;
  HEADRACE_TRY(database_.Read([&](Connection& db) -> Status {
    Query select(db, fmt::format("SELECT {} FROM metric_series s WHERE s.account_id = ? AND "
                                 "s.namespace = ? AND s.name = ? AND s.dimensions = ?",
                                 kColumns));
    BindKey(select, key);
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
  return database_.Read([&](Connection& db) { return MetricBlocks(db, series_id).ReadTimes(from, to, visit); });
}

Status Metrics::ReadNumbers(int64_t series_id, int64_t from, int64_t to, const Visit& visit) {
  return database_.Read([&](Connection& db) { return MetricBlocks(db, series_id).ReadNumbers(from, to, visit); });
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
      UnixMillis first = horizon;
      HEADRACE_ASSIGN(const int64_t gone, MetricBlocks(db, id).Expire(horizon, first));
      deleted += gone;
      Query empty(db, "DELETE FROM metric_series WHERE id = ?1 AND last_ms < ?2");
      empty.bind(1, id);
      empty.bind(2, horizon);
      if (empty.exec() > 0) continue;
      Query update(db, "UPDATE metric_series SET first_ms = ?, samples = samples - ? WHERE id = ?");
      update.bind(1, first);
      update.bind(2, gone);
      update.bind(3, id);
      update.exec();
    }
    return {};
  }));
  return deleted;
}

}  // namespace headrace::store
