#include "jobs/hosting/endpoint_status.h"

#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

TEST(EndpointStatus, TextsAndStatusesAreTheSame) {
  for (const char* text : {"Creating", "InService", "Updating", "Failed", "Deleting"}) {
    const auto status = EndpointStatusOf(text);
    ASSERT_TRUE(status) << text;
    EXPECT_EQ(Text(*status), text);
  }
  EXPECT_EQ(Text(EndpointStatus::kCreating), "Creating");
  EXPECT_EQ(Text(EndpointStatus::kDeleting), "Deleting");
  EXPECT_FALSE(EndpointStatusOf(""));
}

}  // namespace
}  // namespace headrace::jobs
