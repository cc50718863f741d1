#include "api/cloudwatch/search.h"

#include <gtest/gtest.h>

namespace headrace::api::cloudwatch {
namespace {

const store::MetricKey kLoss{
    "1", "/aws/sagemaker/TrainingJobs", "train:loss", {{"TrainingJobName", "cifar10-tf-2026"}}};
const store::MetricKey kCpu{"1", "/aws/sagemaker/TrainingJobs", "CPUUtilization", {{"Host", "cifar10-tf-2026/algo-1"}}};

bool Finds(const char* query, const store::MetricKey& key) { return SearchQuery::Parse(query).value().Matches(key); }

TEST(Search, BracesWantTheNamespaceAndExactlyTheDimensions) {
  EXPECT_TRUE(Finds("{/aws/sagemaker/TrainingJobs,TrainingJobName}", kLoss));
  EXPECT_TRUE(Finds("{ \"/aws/sagemaker/TrainingJobs\" , TrainingJobName }", kLoss));
  EXPECT_FALSE(Finds("{/aws/sagemaker/TrainingJobs,TrainingJobName}", kCpu));
  EXPECT_FALSE(Finds("{/aws/sagemaker/TrainingJobs,TrainingJobName,Host}", kLoss));
  EXPECT_FALSE(Finds("{/aws/sagemaker/TrainingJobs}", kLoss));
}

TEST(Search, WordsAreFoundWholeInAnyPart) {
  EXPECT_TRUE(Finds("train:loss", kLoss));
  EXPECT_TRUE(Finds("{/aws/sagemaker/TrainingJobs,TrainingJobName} cifar10-tf", kLoss));
  EXPECT_TRUE(Finds("LOSS sagemaker", kLoss));
  EXPECT_FALSE(Finds("train:accuracy", kLoss));
  EXPECT_FALSE(Finds("cifar", kLoss));
  EXPECT_TRUE(Finds("cpu utilization", kCpu));
  EXPECT_TRUE(Finds("CPUUtilization", kCpu));
}

TEST(Search, PropertiesAndOperators) {
  EXPECT_TRUE(Finds(R"(MetricName="train:loss")", kLoss));
  EXPECT_FALSE(Finds(R"(MetricName="loss")", kLoss));
  EXPECT_TRUE(Finds("MetricName=loss", kLoss));
  EXPECT_TRUE(Finds(R"(TrainingJobName = "cifar10-tf-2026")", kLoss));
  EXPECT_FALSE(Finds(R"(TrainingJobName="cifar10-tf-2026")", kCpu));
  EXPECT_TRUE(Finds("loss OR cpu", kCpu));
  EXPECT_FALSE(Finds("loss AND cpu", kCpu));
  EXPECT_TRUE(Finds("NOT loss", kCpu));
  EXPECT_TRUE(Finds("(loss OR cpu) NOT MetricName=memory", kCpu));
  EXPECT_FALSE(Finds("sagemaker NOT (cpu OR memory)", kCpu));
}

TEST(Search, NarrowsToWhatCanMatch) {
  store::Metrics::SeriesFilter filter;
  SearchQuery::Parse(R"({ns,Job} MetricName="loss" Job="a" other)").value().Narrow(filter);
  EXPECT_EQ(filter.name_space, "ns");
  EXPECT_EQ(filter.name, "loss");
  ASSERT_EQ(filter.dimensions.size(), 1U);
  EXPECT_EQ(filter.dimensions[0].value, "a");
  store::Metrics::SeriesFilter wide;
  SearchQuery::Parse(R"(MetricName="loss" OR MetricName="accuracy")").value().Narrow(wide);
  EXPECT_EQ(wide.name, "");
}

TEST(Search, SaysWhatIsWrong) {
  for (const char* query :
       {"", "{", "{a", "{a b}", "{a,}", "(a", "a )", "=x", "a=", "\"open", "a OR", "NOT", "...", "{a} ("}) {
    const auto parsed = SearchQuery::Parse(query);
    ASSERT_FALSE(parsed) << query;
    EXPECT_TRUE(parsed.error().message.starts_with("SEARCH: ")) << parsed.error().message;
  }
  EXPECT_FALSE(SearchQuery::Parse(std::string(5000, '(')));
}

}  // namespace
}  // namespace headrace::api::cloudwatch
