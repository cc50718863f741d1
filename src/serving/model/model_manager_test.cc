#include "serving/model/model_manager.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

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
  ModelManager::Clock::time_point now_{};
  ModelManager manager_{[this](const std::string& path) -> Result<std::shared_ptr<Servable>> {
                          ++loads_;
                          while_loading_();
                          if (ReadFile(path + "/saved_model.pb").value() != "good")
                            return Fail(ErrorCode::kDataLoss, "{}: bad", path);
                          return std::shared_ptr<Servable>(std::make_shared<testing::Doubler>());
                        },
                        LoadRetries{2, std::chrono::seconds(60)}, [this] { return now_; }};
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

TEST_F(ModelManagerTest, AVersionThatIsStillCopiedIsTriedWhenItsFilesAreQuiet) {
  AddVersion(1);
  manager_.Step();
  AddVersion(2, "half");
  manager_.Step();
  EXPECT_EQ(Serving(), 1);
  ASSERT_TRUE(MakeDirectories(directory_ / "m/2/variables"));
  ASSERT_TRUE(WriteFileAtomically(directory_ / "m/2/variables/data", "1"));
  int loads = loads_;
  manager_.Step();
  EXPECT_EQ(loads_, loads) << "somebody writes it now";
  AddVersion(2, "good");
  manager_.Step();
  EXPECT_EQ(loads_, loads) << "somebody writes it now";
  manager_.Step();
  EXPECT_EQ(loads_, loads + 1);
  EXPECT_EQ(Serving(), 2);
}

TEST_F(ModelManagerTest, AVersionThatCannotBeLoadedIsTriedAFewTimesMore) {
  AddVersion(1, "bad");
  manager_.Step();
  for (int i = 0; i < 10; ++i) {
    now_ += std::chrono::seconds(30);
    manager_.Step();
  }
  EXPECT_EQ(loads_, 3);
  // New files, new tries.
  AddVersion(1, "worse");
  manager_.Step();
  manager_.Step();
  EXPECT_EQ(loads_, 4);
  now_ += std::chrono::seconds(60);
  manager_.Step();
  EXPECT_EQ(loads_, 5);
}

TEST_F(ModelManagerTest, TakingTheNewestAwayFallsBackPastOneThatCannotBeLoaded) {
  AddVersion(1);
  AddVersion(3);
  manager_.Step();
  EXPECT_EQ(Serving(), 3);
  AddVersion(2, "bad");
  std::filesystem::remove_all(directory_ / "m/3");
  manager_.Step();
  EXPECT_EQ(Serving(), 1);
  EXPECT_EQ(Serving({3, ""}), -1);
}

TEST_F(ModelManagerTest, NothingButAnOrdinaryFileIsAModel) {
  ASSERT_TRUE(MakeDirectories(directory_ / "m/1"));
  ASSERT_TRUE(MakeDirectories(directory_ / "m/2"));
  ASSERT_EQ(::mkfifo((directory_ / "m/1/saved_model.pb").c_str(), 0600), 0);
  std::filesystem::create_symlink("saved_model.pb", directory_ / "m/2/saved_model.pb");
  AddVersion(3, "bad");
  ASSERT_EQ(::mkfifo((directory_ / "m/3/fifo").c_str(), 0600), 0);
  std::filesystem::create_directory_symlink("..", directory_ / "m/3/loop");
  manager_.Step();
  manager_.Step();
  EXPECT_EQ(loads_, 1);
}

TEST_F(ModelManagerTest, LabelsOfAbsentVersions) {
  AddVersion(1);
  manager_.Step();
  const auto refused = manager_.CheckLabels(AbsentLabels::kRefused, {});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_THAT(refused.error().message(), HasSubstr("Request to assign label to version 2 of model m, which is not "
                                                   "currently available for inference"));
  EXPECT_TRUE(manager_.CheckLabels(AbsentLabels::kNewOnes, {}));
  EXPECT_FALSE(manager_.CheckLabels(AbsentLabels::kNewOnes, {{"m", {{"next", 1}}}}));
  EXPECT_TRUE(manager_.CheckLabels(AbsentLabels::kAll, {{"m", {{"next", 1}}}}));
  manager_.SetLabels({{"m", {{"next", 1}}}});
  EXPECT_TRUE(manager_.CheckLabels(AbsentLabels::kRefused, {}));
  EXPECT_EQ(Serving({std::nullopt, "next"}), 1);
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
