#include "store/meta/metric_blocks.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/connection.h"
#include "store/meta/database.h"
#include "store/meta/metrics.h"
#include "store/meta/migrations.h"

namespace headrace::store {
namespace {

using Samples = std::vector<MetricSample>;

Samples InOrder(Samples samples) {
  std::stable_sort(samples.begin(), samples.end(),
                   [](const MetricSample& a, const MetricSample& b) { return a.time < b.time; });
  return samples;
}

class MetricBlocksTest : public testing::Test {
 protected:
  void Add(const Samples& samples) {
    std::vector<MetricDatum> data;
    for (const MetricSample& sample : samples) data.push_back({key_, sample});
    ASSERT_TRUE(metrics_->Put(data));
    all_.insert(all_.end(), samples.begin(), samples.end());
  }
  MetricSeries Series() { return *metrics_->Find(key_).value(); }
  Samples ReadTimes(UnixMillis from, UnixMillis to) {
    Samples samples;
    EXPECT_TRUE(metrics_->Read(Series().id, from, to, [&](const MetricSample& sample) { samples.push_back(sample); }));
    return samples;
  }
  Samples ReadNumbers(int64_t from, int64_t to) {
    Samples samples;
    EXPECT_TRUE(
        metrics_->ReadNumbers(Series().id, from, to, [&](const MetricSample& sample) { samples.push_back(sample); }));
    return samples;
  }
  int64_t Number(const std::string& sql) {
    int64_t number = -1;
    EXPECT_TRUE(database_->Read([&](Connection& db) -> Status {
      number = db.execAndGet(sql).getInt64();
      return {};
    }));
    return number;
  }
  // All that has been added, by time and arrival, and each part of it.
  void ExpectAll(std::mt19937& random) {
    const Samples wanted = InOrder(all_);
    ASSERT_EQ(ReadTimes(INT64_MIN, INT64_MAX), wanted);
    const MetricSeries series = Series();
    ASSERT_EQ(series.samples, static_cast<int64_t>(wanted.size()));
    ASSERT_EQ(series.first, wanted.front().time);
    ASSERT_EQ(series.last, wanted.back().time);
    for (int i = 0; i < 5; ++i) {
      const auto at = [&] { return wanted[random() % wanted.size()].time; };
      const UnixMillis from = at(), to = at() + 1;
      Samples some;
      std::copy_if(wanted.begin(), wanted.end(), std::back_inserter(some),
                   [&](const MetricSample& sample) { return sample.time >= from && sample.time < to; });
      ASSERT_EQ(ReadTimes(from, to), some) << from << " " << to;
      const auto size = static_cast<int64_t>(wanted.size());
      const int64_t first = static_cast<int64_t>(random()) % size, end = first + static_cast<int64_t>(random()) % size;
      ASSERT_EQ(ReadNumbers(first, end), Samples(wanted.begin() + first, wanted.begin() + std::min(end, size)));
    }
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  std::unique_ptr<Metrics> metrics_ = std::make_unique<Metrics>(*database_);
  const MetricKey key_{"111111111111", "ns", "loss", {}};
  Samples all_;
};

TEST_F(MetricBlocksTest, WhatIsAppendedFillsBlocks) {
  constexpr int kSamples = 100'000;
  for (int i = 0; i < kSamples; i += 100) {
    Samples samples;
    for (int j = i; j < i + 100; ++j) samples.push_back(MetricSample::Of(1000 * j, j));
    Add(samples);
  }
  std::mt19937 random(1);
  ExpectAll(random);
  EXPECT_LE(Number("SELECT count(*) FROM metric_blocks"), kSamples / 380);
  EXPECT_LE(Number("SELECT max(length(bytes)) FROM metric_blocks"), 4000);  // a page's
  EXPECT_LE(Number("PRAGMA page_count") * Number("PRAGMA page_size"), kSamples * 15);
}

// Batches of any length and order: many of a time, many of a moment, times that come before all, statistic sets.
TEST_F(MetricBlocksTest, WhateverComesWheneverIsReadInOrder) {
  for (const UnixMillis span : {1, 40, 5'000, 10'000'000}) {
    SCOPED_TRACE(span);
    std::mt19937 random(static_cast<unsigned>(span));
    database_ = Database::Open(directory_ / fmt::format("{}.db", span)).value();
    metrics_ = std::make_unique<Metrics>(*database_);
    all_.clear();
    int value = 0;
    while (all_.size() < 6'000) {
      Samples samples(1 + random() % (random() % 4 == 0 ? 1'000 : 10));
      for (MetricSample& sample : samples) {
        const UnixMillis time = static_cast<int64_t>(random() % static_cast<unsigned>(span)) - 20;
        sample = random() % 8 == 0 ? MetricSample{time, 2, 3.0 * value, 1.0 * value, 2.0 * value, "Count"}
                                   : MetricSample::Of(time, value);
        ++value;
      }
      Add(samples);
    }
    ExpectAll(random);
    EXPECT_LE(Number("SELECT max(length(bytes)) FROM metric_blocks"), 2 * 4000);
    EXPECT_LE(Number("SELECT count(*) FROM metric_blocks"), 100);  // of samples of all kinds, half full or better
  }
}

TEST_F(MetricBlocksTest, SamplesExpireOneByOne) {
  std::mt19937 random(3);
  Samples samples;
  for (int i = 0; i < 3'000; ++i) samples.push_back(MetricSample::Of(i / 3, i));
  Add(samples);
  for (const UnixMillis horizon : {1, 2, 150, 400, 999}) {
    const auto before = all_.size();
    std::erase_if(all_, [&](const MetricSample& sample) { return sample.time < horizon; });
    EXPECT_EQ(metrics_->Expire(horizon).value(), static_cast<int64_t>(before - all_.size()));
    ExpectAll(random);
    Add({MetricSample::Of(horizon - 1, -1), MetricSample::Of(horizon, -2)});
    ExpectAll(random);
  }
  EXPECT_EQ(metrics_->Expire(2'000).value(), static_cast<int64_t>(all_.size()));
  EXPECT_FALSE(metrics_->Find(key_).value());
  EXPECT_EQ(Number("SELECT count(*) FROM metric_blocks"), 0);
}

TEST_F(MetricBlocksTest, ABlockThatCannotBeReadIsAnErrorThatNamesIt) {
  Add({MetricSample::Of(77, 1)});
  ASSERT_TRUE(database_->Write([](Connection& db) -> Status {
    db.exec("UPDATE metric_blocks SET bytes = X'FF'");
    return {};
  }));
  const Status read = metrics_->Read(Series().id, 0, 100, [](const MetricSample&) {});
  ASSERT_FALSE(read);
  EXPECT_NE(read.error().message().find("77"), std::string::npos) << read.error().message();
  const MetricDatum more{key_, MetricSample::Of(78, 1)};
  EXPECT_FALSE(metrics_->Put({&more, 1}));
}

// A database of the time when samples were rows.
TEST_F(MetricBlocksTest, RowsOfAnEarlierSchemaArePacked) {
  const std::string path = directory_ / "old.db";
  std::mt19937 random(4);
  {
    Connection db(path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    int version = 0;
    for (const Migration& migration : Migrations()) {
      if (migration.name == std::string("metric samples in blocks")) break;
      db.exec(migration.sql);
      ++version;
    }
    db.exec(fmt::format("PRAGMA user_version = {}", version));
    db.exec(
        "INSERT INTO metric_series (id, account_id, namespace, name, dimensions, first_ms, last_ms, next_sequence) "
        "VALUES (1, '1', 'ns', 'empty', '[]', 0, 0, 0), (7, '111111111111', 'ns', 'loss', '[]', 0, 24999, 30000)");
    SQLite::Transaction transaction(db);
    SQLite::Statement insert(db, "INSERT INTO metric_samples VALUES (7, ?, ?, ?, ?, ?, ?, ?)");
    for (int i = 0; i < 25'000; ++i) {  // the first 5,000 have expired
      const UnixMillis time = i == 0 ? 0 : i == 1 ? 24'999 : static_cast<int64_t>(random() % 25'000);
      const MetricSample sample = i % 9 == 0 ? MetricSample{time, 2, 3.0 * i, 1.0 * i, 2.0 * i, "Seconds"}
                                             : MetricSample::Of(time, i / 7.0, i % 2 ? "None" : "Percent");
      all_.push_back(sample);
      insert.bind(1, sample.time);
      insert.bind(2, 5'000 + i);
      insert.bind(3, sample.count);
      insert.bind(4, sample.sum);
      insert.bind(5, sample.minimum);
      insert.bind(6, sample.maximum);
      insert.bind(7, sample.unit);
      insert.exec();
      insert.reset();
    }
    transaction.commit();
  }
  database_ = Database::Open(path).value();
  metrics_ = std::make_unique<Metrics>(*database_);
  ExpectAll(random);
  Add({MetricSample::Of(25'000, 1), MetricSample::Of(12, 2)});
  ExpectAll(random);
  EXPECT_EQ(Number("SELECT count(*) FROM sqlite_master WHERE name = 'metric_samples'"), 0);
}

}  // namespace
}  // namespace headrace::store
