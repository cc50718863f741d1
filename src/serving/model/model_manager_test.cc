#include "serving/model/model_manager.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "serving/model/servable_testing.h"

namespace headrace::serving {
namespace {

using ::testing::HasSubstr;

class ModelManagerTest : public ::testing::Test {
 protected:
  void SetUp() override { Configure({}); }
  void Configure(VersionPolicy policy) {
    ModelConfig config;
    config.name = "m";
    config.base_path = directory_ / "m";
    config.policy = std::move(policy);
    config.labels = {{"stable", 1}, {"next", 2}};
    manager_.SetConfigs({config});
  }
  void AddVersion(int version, const std::string& content = "good") {
    const std::string path = directory_ / "m/" + std::to_string(version);
    ASSERT_TRUE(MakeDirectories(path));
    ASSERT_TRUE(WriteFileAtomically(path + "/saved_model.pb", content));
  }
  int64_t Serving(const VersionChoice& choice = {}) const {
    const auto found = manager_.Find("m", choice);
    return found ? found->version : -1;
  }

  TemporaryDirectory directory_;
  int loads_ = 0;
  std::function<void()> while_loading_ = [] {};
  ModelManager manager_{[this](const std::string& path) -> Result<std::shared_ptr<Servable>> {
    ++loads_;
    while_loading_();
    if (ReadFile(path + "/saved_model.pb").value() != "good") return Fail(ErrorCode::kDataLoss, "{}: bad", path);
    return std::shared_ptr<Servable>(std::make_shared<testing::Doubler>());
  }};
};

TEST_F(ModelManagerTest, TheNewVersionServesBeforeTheOldOneGoes) {
  AddVersion(1);
  manager_.Step();
  EXPECT_EQ(Serving(), 1);
  AddVersion(2);
  while_loading_ = [&] { EXPECT_EQ(Serving(), 1); };
  manager_.Step();
  EXPECT_EQ(Serving(), 2);
  EXPECT_EQ(Serving({1, ""}), -1);
  const auto statuses = manager_.Status("m", {});
  ASSERT_EQ(statuses->size(), 2u);
  EXPECT_EQ((*statuses)[0].state, VersionState::kAvailable);
  EXPECT_EQ((*statuses)[1].state, VersionState::kEnd);
  // Taking the newest directory away rolls back.
  std::filesystem::remove_all(directory_ / "m/2");
  while_loading_ = [] {};
  manager_.Step();
  EXPECT_EQ(Serving(), 1);
}

TEST_F(ModelManagerTest, AVersionThatCannotBeLoadedLeavesTheOldOne) {
  AddVersion(1);
  manager_.Step();
  AddVersion(2, "bad");
  manager_.Step();
  EXPECT_EQ(Serving(), 1);
  EXPECT_THAT(manager_.Status("m", {2, ""})->front().error, HasSubstr("bad"));
  const int loads = loads_;
  manager_.Step();
  EXPECT_EQ(loads_, loads) << "it is not tried again while it is the same";
}

TEST_F(ModelManagerTest, LabelsAndVersions) {
  Configure({VersionPolicy::Kind::kAll, 1, {}});
  AddVersion(1);
  AddVersion(2);
  manager_.Step();
  EXPECT_EQ(Serving(), 2);
  EXPECT_EQ(Serving({1, ""}), 1);
  EXPECT_EQ(Serving({std::nullopt, "stable"}), 1);
  EXPECT_EQ(manager_.Find("m", {std::nullopt, "beta"}).error().message(), "Unrecognized servable version label: beta");
  EXPECT_EQ(manager_.Find("m", {7, ""}).error().message(), "Servable not found for request: Specific(m, 7)");
  EXPECT_EQ(manager_.Find("n", {}).error().message(), "Servable not found for request: Latest(n)");
  EXPECT_EQ(manager_.Status("n", {}).error().message(), "Could not find any versions of model n");
  EXPECT_EQ(manager_.Status("m", {7, ""}).error().message(), "Could not find version 7 of model m");
}

TEST_F(ModelManagerTest, EndedVersionsDoNotPileUp) {
  for (int version = 1; version <= 40; ++version) {
    AddVersion(version);
    manager_.Step();
  }
  EXPECT_EQ(Serving(), 40);
  EXPECT_LE(manager_.Status("m", {})->size(), 10u);
}

TEST_F(ModelManagerTest, AModelThatIsNoLongerConfiguredGoes) {
  AddVersion(1);
  manager_.Step();
  EXPECT_TRUE(manager_.AllAvailable());
  manager_.SetConfigs({});
  EXPECT_EQ(Serving(), -1);
}

}  // namespace
}  // namespace headrace::serving
