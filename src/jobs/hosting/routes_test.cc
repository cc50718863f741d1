#include "jobs/hosting/routes.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "base/testing/temporary_directory.h"
#include "jobs/hosting/deployment.h"
#include "jobs/hosting/invocation_metrics.h"

namespace headrace::jobs {
namespace {

using Missing = EndpointRoutes::Missing;

std::shared_ptr<Target> T(const char* id) { return std::make_shared<Target>(id, "/s"); }

TEST(EndpointRoutes, SaysWhatIsMissing) {
  EndpointRoutes routes;
  EXPECT_EQ(routes.Take("1", "e").missing, Missing::kEndpoint);
  routes.Publish("1", "e", {{"a", 1, 1, {}}});
  EXPECT_EQ(routes.Take("1", "e").missing, Missing::kInstance);
  EXPECT_EQ(routes.Take("1", "e").variant, "a");
  EXPECT_EQ(routes.Take("1", "e", "b").missing, Missing::kVariant);
  EXPECT_EQ(routes.Take("2", "e").missing, Missing::kEndpoint);
  const auto target = T("i");
  routes.Publish("1", "e", {{"a", 1, 1, {target}}});
  EXPECT_EQ(routes.Take("1", "e", "a", target.get()).missing, Missing::kInstance);
  EXPECT_TRUE(routes.Take("1", "e", "a").lease);
  routes.Remove("1", "e");
  EXPECT_EQ(routes.Take("1", "e").missing, Missing::kEndpoint);
}

TEST(EndpointRoutes, TakesTheLeastBusyInstance) {
  EndpointRoutes routes;
  const auto a = T("a"), b = T("b"), c = T("c");
  routes.Publish("1", "e", {{"v", 1, 3, {a, b, c}}});
  std::vector<Lease> leases;
  for (int i = 0; i < 6; ++i) leases.push_back(std::move(*routes.Take("1", "e").lease));
  EXPECT_EQ(a->in_flight, 2);
  EXPECT_EQ(b->in_flight, 2);
  EXPECT_EQ(c->in_flight, 2);
  std::erase_if(leases, [&](const Lease& lease) { return lease.target() == b; });
  EXPECT_EQ(b->in_flight, 0);
  EXPECT_EQ(routes.Take("1", "e").lease->target(), b);
  leases.clear();
  EXPECT_EQ(a->in_flight + b->in_flight + c->in_flight, 0);
}

TEST(EndpointRoutes, AtRandomIsNotByLoad) {
  EndpointRoutes routes;
  const auto a = T("a"), b = T("b"), c = T("c");
  routes.Publish("1", "e", {{"v", 1, 3, {a, b, c}, true}});
  a->in_flight = 1000;  // by load it would never be asked
  std::map<std::string, int> counts;
  for (int i = 0; i < 3000; ++i) ++counts[routes.Take("1", "e").lease->target()->instance];
  for (const char* name : {"a", "b", "c"}) EXPECT_NEAR(counts[name], 1000, 150) << name;  // five standard deviations
  counts.clear();
  for (int i = 0; i < 3000; ++i) ++counts[routes.Take("1", "e", "", b.get()).lease->target()->instance];
  EXPECT_EQ(counts["b"], 0);
  EXPECT_NEAR(counts["a"], 1500, 150);
  routes.Publish("1", "e", {{"v", 1, 1, {b}, true}});
  EXPECT_EQ(routes.Take("1", "e", "", b.get()).missing, Missing::kInstance);
  routes.Publish("1", "e", {{"v", 1, 1, {}, true}});
  EXPECT_EQ(routes.Take("1", "e").missing, Missing::kInstance);
}

TEST(EndpointRoutes, SharesRequestsByWeight) {
  EndpointRoutes routes;
  routes.Publish("1", "e", {{"a", 3, 1, {T("a")}}, {"none", 0, 1, {T("n")}}, {"b", 1, 1, {T("b")}}});
  std::map<std::string, int> counts;
  for (int i = 0; i < 400; ++i) ++counts[routes.Take("1", "e").lease->variant()];
  EXPECT_NEAR(counts["a"], 300, 5);
  EXPECT_EQ(counts["none"], 0);
  EXPECT_EQ(routes.Take("1", "e", "none").lease->variant(), "none");
}

TEST(Deployment, ComesBackFromItsText) {
  Deployment deployment;
  deployment.id = 7;
  deployment.config_name = "c";
  Variant variant{"v", "ml.m4.xlarge", 2, 0.5, 60, "RANDOM", {"m", "image", "s3://b/k", true, {{"A", "b"}}}};
  deployment.variants = {variant};
  const auto back = ParseDeployment(ToJson(deployment)).value();
  EXPECT_EQ(ToJson(back), ToJson(deployment));
  EXPECT_EQ(back.Find("v")->model.environment.at("A"), "b");
  EXPECT_EQ(back.Find("v")->routing, "RANDOM");
  EXPECT_EQ(back.Find("w"), nullptr);
  auto older = nlohmann::json::parse(ToJson(deployment));  // of a server that did not know routing yet
  older["variants"][0].erase("routing");
  EXPECT_EQ(ParseDeployment(older.dump()).value().Find("v")->routing, "");
  EXPECT_EQ(ParseDeployment("{}").error().code(), ErrorCode::kDataLoss);
}

TEST(InvocationMetrics, AreCountedByVariantAndWrittenTogether) {
  const TemporaryDirectory directory;
  const auto database = store::Database::Open(directory / "meta.db").value();
  InvocationMetrics metrics;
  metrics.Record({"1", "e", "v", 2, 200, 1234.4, 10});
  metrics.Record({"1", "e", "v", 2, 200, 1234.9, 10});
  metrics.Record({"1", "e", "v", 2, 400, 5, 0});
  metrics.Record({"1", "e", "v", 2, 0, 60e6, 0});
  metrics.Record({"1", "e", "v", 2, 0, std::nullopt, 30e6});  // no instance to ask
  metrics.Record({"1", "e", "v", 2, 302, 5, 0});              // neither 4xx nor 5xx, and no success
  ASSERT_TRUE(metrics.Flush(*database, 1000));
  ASSERT_TRUE(metrics.Flush(*database, 2000));  // nothing new: nothing written
  store::Metrics stored(*database);
  const auto sum = [&](const char* name, bool count = false) {
    const auto series =
        stored.Find({"1", "AWS/SageMaker", name, {{"EndpointName", "e"}, {"VariantName", "v"}}}).value();
    double total = 0;
    EXPECT_TRUE(series);
    if (!series) return total;
    EXPECT_TRUE(stored.Read(series->id, 0, 3000,
                            [&](const store::MetricSample& sample) { total += count ? sample.count : sample.sum; }));
    return total;
  };
  EXPECT_EQ(sum("Invocations"), 6);
  EXPECT_EQ(sum("InvocationsPerInstance"), 3);
  EXPECT_EQ(sum("Invocation4XXErrors"), 1);
  EXPECT_EQ(sum("Invocation5XXErrors"), 2);
  EXPECT_EQ(sum("InvocationModelErrors"), 4);
  EXPECT_EQ(sum("OverheadLatency", true), 6);
  EXPECT_EQ(sum("OverheadLatency"), 10 + 10 + 30e6);
  EXPECT_EQ(sum("ModelLatency", true), 5);
  EXPECT_EQ(sum("ModelLatency"), 1230 + 1230 + 5 + 60e6 + 5);
}

}  // namespace
}  // namespace headrace::jobs
