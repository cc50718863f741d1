#include "apps/platform/tenant_processes.h"

#include <gtest/gtest.h>

namespace headrace::apps {
namespace {

TEST(TenantProcesses, AreToldByThePlaceOfTheirJobOrEndpoint) {
  const auto subject = [](const std::vector<std::string>& words) {
    const TenantProcess found = SubjectOf(words, "/data", "000000000001");
    return found.kind + " " + found.name;
  };
  EXPECT_EQ(subject({"/bin/headrace-supervise", "/data/jobs/000000000001/my-job", "algo-1"}), "TrainingJob my-job");
  EXPECT_EQ(subject({"bwrap", "--bind", "/data/endpoints/000000000001/e/models/1", "/model"}), "Endpoint e");
  EXPECT_EQ(subject({"bwrap", "/data/transforms/000000000001/t"}), "TransformJob t");
  EXPECT_EQ(subject({"bwrap", "/data/endpoints/000000000002/e"}), " ");
  EXPECT_EQ(subject({"/data/jobs/0000000000012/x", "/other/data/jobs/000000000001/y", ""}), " ");
  EXPECT_EQ(subject({}), " ");
}

}  // namespace
}  // namespace headrace::apps
