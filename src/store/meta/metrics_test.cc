#include "store/meta/metrics.h"

#include <cmath>

#include <gmock/gmock.h>

#include "base/testing/temporary_directory.h"

namespace headrace::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kAccount = "111111111111";

class MetricsTest : public testing::Test {
 protected:
  void Put(const std::string& name, const Dimensions& dimensions, const MetricSample& sample) {
    const MetricDatum datum{{kAccount, "ns", name, dimensions}, sample};
    ASSERT_TRUE(metrics_.Put({&datum, 1}));
  }
  std::vector<MetricSample> Read(const MetricSeries& series, UnixMillis from, UnixMillis to) {
    std::vector<MetricSample> samples;
    EXPECT_TRUE(metrics_.Read(series.id, from, to, [&](const MetricSample& sample) { samples.push_back(sample); }));
    return samples;
  }
  std::vector<std::string> Names(Metrics::SeriesFilter filter) {
    filter.account_id = kAccount;
    std::vector<std::string> names;
    const auto found = metrics_.List(filter).value();
    for (const auto& series : found) names.push_back(series.key.name);
    return names;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Database> database_ = Database::Open(directory_ / "meta.db").value();
  Metrics metrics_{*database_};
};

TEST_F(MetricsTest, KeepsEverySampleAndMatchesDimensionsExactly) {
  const MetricKey key{kAccount, "ns", "loss", {{"A", "1"}, {"B", "2"}}};
  const std::vector<MetricDatum> data{{key, MetricSample::Of(5, 0.5)},
                                      {key, MetricSample::Of(5, 0.25)},
                                      {key, {7, 3, 6, 1, 3, "Seconds"}},
                                      {{kAccount, "ns", "loss", {{"A", "1"}}}, MetricSample::Of(6, 9)}};
  ASSERT_TRUE(metrics_.Put(data));
  ASSERT_TRUE(metrics_.Put({data.data(), 1}));
  const auto series = metrics_.Find(key).value();
  ASSERT_TRUE(series);
  EXPECT_EQ(series->first, 5);
  EXPECT_EQ(series->last, 7);
  EXPECT_THAT(Read(*series, 5, 8), ElementsAre(data[0].sample, data[1].sample, data[0].sample, data[2].sample));
  EXPECT_THAT(Read(*series, 6, 7), IsEmpty());
  EXPECT_FALSE(metrics_.Find({kAccount, "ns", "loss", {}}).value());
  EXPECT_FALSE(metrics_.Find({"222222222222", "ns", "loss", key.dimensions}).value());
}

TEST_F(MetricsTest, LeavesOutWhatIsNoNumber) {
  Put("loss", {}, MetricSample::Of(1, std::nan("")));
  Put("loss", {}, MetricSample::Of(2, INFINITY));
  EXPECT_THAT(Names({}), IsEmpty());
}

TEST_F(MetricsTest, ListsBySubsetOfDimensions) {
  Put("a", {{"Job", "x"}}, MetricSample::Of(1, 1));
  Put("b", {{"Job", "x"}, {"Host", "h"}}, MetricSample::Of(50, 1));
  Put("c", {{"Job", "y"}}, MetricSample::Of(1, 1));
  EXPECT_THAT(Names({}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Names({.name = "c"}), ElementsAre("c"));
  EXPECT_THAT(Names({.name_space = "other"}), IsEmpty());
  EXPECT_THAT(Names({.dimensions = {{"Job", "x"}}}), ElementsAre("a", "b"));
  EXPECT_THAT(Names({.dimensions = {{"Job", std::nullopt}, {"Host", "h"}}}), ElementsAre("b"));
  EXPECT_THAT(Names({.active_since = 2}), ElementsAre("b"));
  EXPECT_THAT(Names({.after_id = 1, .limit = 1}), ElementsAre("b"));
}

TEST_F(MetricsTest, ExpiresSamplesAndEmptySeries) {
  Put("a", {{"Job", "x"}}, MetricSample::Of(1, 1));
  Put("a", {{"Job", "x"}}, MetricSample::Of(10, 2));
  Put("b", {{"Job", "x"}}, MetricSample::Of(1, 1));
  EXPECT_EQ(metrics_.Expire(5).value(), 2);
  EXPECT_THAT(Names({}), ElementsAre("a"));
  EXPECT_THAT(Names({.dimensions = {{"Job", "x"}}}), ElementsAre("a"));
  EXPECT_EQ(metrics_.Find({kAccount, "ns", "a", {{"Job", "x"}}}).value()->first, 10);
  EXPECT_EQ(metrics_.Expire(5).value(), 0);
}

}  // namespace
}  // namespace headrace::store
