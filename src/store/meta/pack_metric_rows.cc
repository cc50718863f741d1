#include "store/meta/pack_metric_rows.h"

#include <vector>

#include "store/meta/connection.h"
#include "store/meta/metric_blocks.h"

namespace headrace::store {
namespace {

constexpr size_t kAtOnce = 10'000;

// What is read of one series and not yet packed.
class Packing {
 public:
  Packing(Connection& db, int64_t series) : db_(db), series_(series) {}

  Status Add(MetricSample sample) {
    samples_.push_back(std::move(sample));
    return samples_.size() < kAtOnce ? Status() : Flush();
  }
  Status End() {
    HEADRACE_TRY(Flush());
    Query update(db_, "UPDATE metric_series SET samples = ? WHERE id = ?");
    update.bind(1, packed_);
    update.bind(2, series_);
    update.exec();
    return {};
  }

 private:
  Status Flush() {
    std::vector<const MetricSample*> samples;
    for (const MetricSample& sample : samples_) samples.push_back(&sample);
    HEADRACE_TRY(MetricBlocks(db_, series_).Add(samples));
    packed_ += static_cast<int64_t>(samples_.size());
    samples_.clear();
    return {};
  }

  Connection& db_;
  const int64_t series_;
  int64_t packed_ = 0;
  std::vector<MetricSample> samples_;
};

Status PackSeries(Connection& db, int64_t series) {
  Packing packing(db, series);
  Query select(db,
               "SELECT timestamp_ms, sample_count, sum, minimum, maximum, unit FROM metric_samples "
               "WHERE series_id = ? ORDER BY timestamp_ms, sequence");
  select.bind(1, series);
  while (select.executeStep())
    HEADRACE_TRY(packing.Add({select.getColumn(0).getInt64(), select.getColumn(1).getDouble(),
                              select.getColumn(2).getDouble(), select.getColumn(3).getDouble(),
                              select.getColumn(4).getDouble(), select.getColumn(5).getString()}));
  return packing.End();
}

}  // namespace

Status PackMetricRows(Connection& db) {
  std::vector<int64_t> all;
  {
    Query select(db, "SELECT id FROM metric_series");
    while (select.executeStep()) all.push_back(select.getColumn(0).getInt64());
  }
  for (const int64_t series : all) HEADRACE_TRY(PackSeries(db, series));
  db.exec("DROP TABLE metric_samples");
  return {};
}

}  // namespace headrace::store
