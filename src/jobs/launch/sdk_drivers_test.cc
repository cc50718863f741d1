// What the SDK's own driver does with it: tests/clients/test_sdk3.py.
#include "jobs/launch/sdk_drivers.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using ::testing::HasSubstr;

class SdkDriversTest : public ::testing::Test {
 protected:
  void Stage(const std::string& script, const std::string& settings) {
    std::filesystem::create_directories(dir_ / "input/data/sm_drivers/distributed_drivers");
    std::ofstream(dir_ / "input/data/sm_drivers/sm_train.sh") << script;
    std::ofstream(dir_ / "input/data/sm_drivers/distributed.json") << settings;
    std::ofstream(dir_ / "input/data/sm_drivers/distributed_drivers/mpi_utils.py") << "import paramiko\n";
  }
  HeldDirectory Ml() const { return ValueOrThrow(HeldDirectory::Open(dir_.path())); }

  static constexpr const char* kMpi = "$SM_PYTHON_CMD …/distributed_drivers/mpi_driver.py";
  TemporaryDirectory dir_;
};

TEST_F(SdkDriversTest, WhatTheyAreToStart) {
  EXPECT_FALSE(ValueOrThrow(MpiOfSdkDrivers(Ml(), 2)));
  Stage(kMpi, R"({"process_count_per_node": 3, "mpi_additional_options": ["-x", "A=it's 1"]})");
  EXPECT_EQ(ValueOrThrow(MpiOfSdkDrivers(Ml(), 2)).value(), (MpiDistribution{3, 6, "'-x' 'A=it'\\''s 1'"}));
  Stage(kMpi, R"({"process_count_per_node": null, "mpi_additional_options": null})");
  EXPECT_EQ(ValueOrThrow(MpiOfSdkDrivers(Ml(), 2)).value(), (MpiDistribution{1, 2, ""}));
  Stage("$SM_PYTHON_CMD …/distributed_drivers/torchrun_driver.py", R"({"process_count_per_node": 2})");
  EXPECT_FALSE(ValueOrThrow(MpiOfSdkDrivers(Ml(), 2)));
}

TEST_F(SdkDriversTest, WhatCannotBeIsNamed) {
  for (const char* settings : {"[]", "{", R"({"process_count_per_node": "2"})", R"({"process_count_per_node": -1})",
                               R"({"process_count_per_node": 60000})", R"({"mpi_additional_options": "-x A"})",
                               R"({"mpi_additional_options": [1]})"}) {
    Stage(kMpi, settings);
    const auto found = MpiOfSdkDrivers(Ml(), 2);
    ASSERT_FALSE(found) << settings;
    EXPECT_THAT(found.error().message(), HasSubstr("sm_drivers/distributed.json"));
  }
}

TEST_F(SdkDriversTest, TheirLauncherGivesWay) {
  Stage(kMpi, "{}");
  ValueOrThrow(TakeOverSdkDrivers(Ml()));
  const auto text = ValueOrThrow(ReadFile(dir_ / "input/data/sm_drivers/distributed_drivers/mpi_utils.py"));
  EXPECT_THAT(text, HasSubstr(kSdkLaunchVariable));
  for (const char* name : {"start_sshd_daemon", "bootstrap_master_node", "bootstrap_worker_node", "get_mpirun_command",
                           "write_status_file_to_workers", "write_env_vars_to_file"})
    EXPECT_THAT(text, HasSubstr(std::string("def ") + name + "("));
}

TEST_F(SdkDriversTest, LinesThatAreCutInsideOfACharacterArePassedOn) {
  Stage(kMpi, "{}");
  ValueOrThrow(TakeOverSdkDrivers(Ml()));
  const std::string drivers = dir_ / "input/data/sm_drivers";
  std::filesystem::create_directories(drivers + "/common");
  std::ofstream(drivers + "/common/utils.py") << "";
  const std::string command =
      "cd " + drivers + " && HEADRACE_MPI_LAUNCH='{}' PYTHONPATH=.:distributed_drivers python3 -c '" +
      R"(import io, common.utils, mpi_utils; common.utils.log_subprocess_output(io.BytesIO(b"caf\xc3\n\xa9\n")))" +
      "' >out";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(ValueOrThrow(ReadFile(drivers + "/out")), "caf\xc3\n\xa9\n");
}

TEST_F(SdkDriversTest, JobsMeetAtPortsOfTheirOwn) {
  Stage(kMpi, "{}");
  ValueOrThrow(MoveSdkPort(Ml(), 20001));  // other versions may have no such script
  const std::string path = dir_ / "input/data/sm_drivers/scripts/environment.py";
  std::filesystem::create_directories(dir_ / "input/data/sm_drivers/scripts");
  for (const auto& [before, after] :
       {std::pair{"A = 1\nSM_MASTER_PORT = 7777\nB = 7777\n", "A = 1\nSM_MASTER_PORT = 20001\nB = 7777\n"},
        std::pair{"PORT = 7777\n", "PORT = 7777\n"}}) {
    std::ofstream(path) << before;
    ValueOrThrow(MoveSdkPort(Ml(), 20001));
    EXPECT_EQ(ValueOrThrow(ReadFile(path)), after);
  }
}

}  // namespace
}  // namespace headrace::jobs
