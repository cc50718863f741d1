#include "jobs/machine/python.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

// An interpreter that prints what it is told.
std::string Script(const TemporaryDirectory& directory, const std::string& text) {
  const std::string path = directory / "python";
  std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(Python, IsWhatTheInterpreterSaysOfItself) {
  const TemporaryDirectory directory;
  const auto found = FindPython(Script(directory, "printf '/opt/py/bin/python3\\n/opt/py\\n/usr\\n'"));
  EXPECT_EQ(found.program, "/opt/py/bin/python3");
  EXPECT_THAT(found.paths, testing::ElementsAre("/opt/py"));
}

TEST(Python, IsNothingWhenItCannotRun) {
  const TemporaryDirectory directory;
  EXPECT_EQ(FindPython(Script(directory, "echo /usr/bin/python3; exit 1")).program, "");
  EXPECT_EQ(FindPython("/nowhere/python3").program, "");
}

}  // namespace
}  // namespace headrace::jobs
