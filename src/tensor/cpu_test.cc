#include "tensor/cpu.h"

#include <cstdlib>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/error.h"

namespace headrace::tensor {
namespace {

class DetectIsaTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const char* value = std::getenv("HEADRACE_ISA")) before_ = value;
    unsetenv("HEADRACE_ISA");
  }
  void TearDown() override {
    unsetenv("HEADRACE_ISA");
    if (before_) setenv("HEADRACE_ISA", before_->c_str(), 1);
  }
  std::optional<std::string> before_;
};

TEST_F(DetectIsaTest, DefaultIsTheBest) { EXPECT_EQ(DetectIsa(), BestIsa()); }

TEST_F(DetectIsaTest, EnvironmentNamesEveryRunnableSet) {
  for (const Isa isa : RunnableIsas()) {
    setenv("HEADRACE_ISA", NameOf(isa), 1);
    EXPECT_EQ(DetectIsa(), isa);
  }
}

TEST_F(DetectIsaTest, UnknownNameIsAnError) {
  setenv("HEADRACE_ISA", "avx9", 1);
  try {
    DetectIsa();
    FAIL() << "accepted avx9";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_THAT(error.message(), ::testing::HasSubstr("avx9"));
  }
}

TEST(RunnableIsas, StartPortableAndEndWithTheBest) {
  const std::vector<Isa> isas = RunnableIsas();
  EXPECT_EQ(isas.front(), Isa::kPortable);
  EXPECT_EQ(isas.back(), BestIsa());
}

}  // namespace
}  // namespace headrace::tensor
