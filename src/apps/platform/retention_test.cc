#include "apps/platform/retention.h"

#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"
#include "store/meta/logs.h"
#include "store/meta/metrics.h"

namespace headrace::apps {
namespace {

constexpr int64_t kDay = 86'400'000;

class RetentionTest : public testing::Test {
 protected:
  RetentionTest() {
    logs_.CreateGroup("1", "short", 0).value();
    logs_.CreateGroup("1", "endless", 0).value();
    logs_.SetRetention("1", "short", 1).value();
    for (const char* group : {"short", "endless"})
      ValueOrThrow(logs_.Append({"1", group, "s", true}, std::vector<store::LogLineIn>{{0, "a"}, {2 * kDay, "b"}}, 0));
    ValueOrThrow(metrics_.Put(std::vector<store::MetricDatum>{{key_, store::MetricSample::Of(0, 1)},
                                                              {key_, store::MetricSample::Of(2 * kDay, 2)}}));
  }
  int64_t Events(const std::string& group) {
    int64_t count = 0;
    const auto found = logs_.FindGroup("1", group).value().value();
    const auto stream = logs_.FindStream(found, "s").value().value();
    ValueOrThrow(
        logs_.ReadForward(stream.id, {}, store::kBeforeFirstEvent, [&](store::LogEvent&&) { return ++count > 0; }));
    return count;
  }
  int64_t Samples() {
    int64_t count = 0;
    if (const auto series = metrics_.Find(key_).value())
      ValueOrThrow(metrics_.Read(series->id, 0, 100 * kDay, [&](const store::MetricSample&) { ++count; }));
    return count;
  }

  TemporaryDirectory directory_;
  ManualClock clock_{2 * kDay + 1};
  std::unique_ptr<store::Database> database_ = ValueOrThrow(store::Database::Open(directory_ / "meta.db"));
  store::Logs logs_{*database_};
  store::Metrics metrics_{*database_};
  const store::MetricKey key_{"1", "n", "loss", {}};
};

TEST_F(RetentionTest, APassDeletesWhatIsTooOld) {
  Retention retention(*database_, clock_, {.metric_days = 1});
  EXPECT_EQ(ValueOrThrow(retention.Pass()), 2);
  EXPECT_EQ(Events("short"), 1);
  EXPECT_EQ(Events("endless"), 2);
  EXPECT_EQ(Samples(), 1);
  EXPECT_EQ(ValueOrThrow(retention.Pass()), 0);
}

TEST_F(RetentionTest, MetricsCanStayForEver) {
  clock_.Advance(10'000 * kDay);
  Retention retention(*database_, clock_, {.metric_days = 0});
  EXPECT_EQ(ValueOrThrow(retention.Pass()), 2);  // the events of one group
  EXPECT_EQ(Samples(), 2);
}

TEST_F(RetentionTest, TheTimerPasses) {
  Retention retention(*database_, clock_, {.metric_days = 1, .interval = std::chrono::milliseconds(5)});
  retention.Start();
  for (int i = 0; i < 1000 && (Samples() > 1 || Events("short") > 1); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(Samples(), 1);
  EXPECT_EQ(Events("short"), 1);
  retention.Stop();
}

}  // namespace
}  // namespace headrace::apps
