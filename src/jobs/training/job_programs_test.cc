// Whole jobs: the ways in which a source directory becomes a program.
#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

[[maybe_unused]] constexpr const char* kSanitized =
    "a sanitized tree is no package for a compiler without the sanitizers";

// A wheel of one module, which pip installs without building anything.
std::string Wheel(const std::string& package, const std::string& module_text) {
  const std::string info = package + "-1.0.dist-info/";
  const std::map<std::string, std::string> files = {
      {package + ".py", module_text},
      {info + "METADATA", "Metadata-Version: 2.1\nName: " + package + "\nVersion: 1.0\n"},
      {info + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
      {info + "RECORD", package + ".py,,\n" + info + "METADATA,,\n" + info + "WHEEL,,\n" + info + "RECORD,,\n"}};
  TemporaryDirectory directory;
  archive* writer = archive_write_new();
  archive_write_set_format_zip(writer);
  archive_write_open_filename(writer, (directory / "wheel").c_str());
  for (const auto& [name, text] : files) {
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, name.c_str());
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_size(entry, static_cast<int64_t>(text.size()));
    archive_write_header(writer, entry);
    archive_write_data(writer, text.data(), text.size());
    archive_entry_free(entry);
  }
  archive_write_close(writer);
  archive_write_free(writer);
  return ValueOrThrow(ReadFile(directory / "wheel"));
}

// In the sandbox and as a plain process.
class JobProgramsTest : public ::testing::TestWithParam<bool> {
 protected:
  JobProgramsTest() {
    platform.machine_options().python = "/usr/bin/python3";  // the one with pip, setuptools and wheel of scripts/setup
    platform.machine_options().sandbox = GetParam();
    platform.Start();
  }
  Platform platform;
};
INSTANTIATE_TEST_SUITE_P(SandboxAndPlain, JobProgramsTest, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "Sandbox" : "Plain"; });

TEST_P(JobProgramsTest, RequirementsAreInstalledForTheJobAlone) {
  const std::map<std::string, std::string> source = {
      {"train.py", "import headrace_greeter\nprint(headrace_greeter.TEXT)\n"},
      {"wheels/headrace_greeter-1.0-py3-none-any.whl", Wheel("headrace_greeter", "TEXT = 'from the wheel'\n")},
      {"requirements.txt", "--no-index\n--find-links wheels\nheadrace_greeter==1.0\n"}};
  platform.Create("job", platform.Source(source, "train.py"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("from the wheel"));

  auto without = source;
  without.erase("requirements.txt");
  platform.Create("other", platform.Source(without, "train.py"));
  EXPECT_THAT(platform.WaitForEnd("other").failure_reason, HasSubstr("No module named 'headrace_greeter'"));
}

TEST_P(JobProgramsTest, AnUnreachablePackageIndexIsNamed) {
  auto request =
      platform.Source({{"train.py", "print('ran')\n"}, {"requirements.txt", "headrace_greeter==1.0\n"}}, "train.py");
  request["Environment"] = {{"PIP_INDEX_URL", "http://127.0.0.1:1/simple"}, {"PIP_RETRIES", "1"}};
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(
      job.failure_reason,
      StartsWith("AlgorithmError: pip install -r requirements.txt failed: the package index cannot be reached"));
  EXPECT_THAT(job.failure_reason, HasSubstr("headrace_greeter==1.0"));
  EXPECT_THAT(platform.Log("job"), Not(Contains("ran")));
}

TEST_P(JobProgramsTest, ASetupPyMakesTheSourceAPackage) {
  platform.Create(
      "job", platform.Source({{"train.py", "import sys\nfrom parts import answer\nprint(answer.VALUE, sys.argv[1:])\n"},
                              {"parts/__init__.py", ""},
                              {"parts/answer.py", "VALUE = 42\n"},
                              {"setup.py",
                               "from setuptools import setup\n"
                               "setup(name='parts', version='1.0', packages=['parts'], py_modules=['train'])\n"}},
                             "train.py", {{"epochs", "3"}}));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("42 ['--epochs', '3']"));
  EXPECT_THAT(platform.Log("job"), Contains(HasSubstr("Successfully installed parts-1.0")));
}

TEST_P(JobProgramsTest, ACMakeProjectIsBuiltAndItsExecutableRun) {
  const std::map<std::string, std::string> source = {
      {"CMakeLists.txt",
       "cmake_minimum_required(VERSION 3.20)\nproject(demo CXX)\nadd_subdirectory(part)\n"
       "add_executable(train train.cpp)\ntarget_link_libraries(train part)\n"},
      {"part/CMakeLists.txt", "add_library(part STATIC part.cpp)\ntarget_include_directories(part PUBLIC .)\n"},
      {"part/part.h", "int Part();\n"},
      {"part/part.cpp", "#include \"part.h\"\nint Part() { return 7; }\n"},
      {"train.cpp",
       "#include <cstdio>\n#include \"part.h\"\nint main(int argc, char** argv) { std::printf(\"%s %d\\n\", argv[2], "
       "Part()); }\n"}};
  platform.Create("first", platform.Source(source, "train.cpp", {{"epochs", "3"}}));
  const auto first = platform.WaitForEnd("first");
  EXPECT_EQ(first.status, "Completed") << first.failure_reason;
  EXPECT_THAT(platform.Log("first"), Contains("3 7"));
  platform.Create("second", platform.Source(source, "train.cpp", {{"epochs", "4"}}));
  EXPECT_EQ(platform.WaitForEnd("second").status, "Completed");
  EXPECT_THAT(platform.Log("second"), Contains("4 7"));
  EXPECT_THAT(platform.Log("second"), Contains(StartsWith("[headrace] train.cpp compiled before, found")));

  auto unnamed = source;
  unnamed["CMakeLists.txt"] =
      "cmake_minimum_required(VERSION 3.20)\nproject(demo CXX)\nadd_executable(other train.cpp)\n"
      "target_include_directories(other PRIVATE part)\ntarget_sources(other PRIVATE part/part.cpp)\n";
  platform.Create("third", platform.Source(unnamed, "train.cpp"));
  EXPECT_THAT(platform.WaitForEnd("third").failure_reason,
              HasSubstr("CMakeLists.txt builds no executable named 'train', after the entry point train.cpp"));
}

TEST(JobProgramsTest_, ACMakeProjectFindsHeadrace) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << kSanitized;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << kSanitized;
#endif
#endif
  Platform platform;
  platform.Start();
  platform.Create(
      "job",
      platform.Source({{"CMakeLists.txt",
                        "cmake_minimum_required(VERSION 3.20)\nproject(demo C CXX)\nfind_package(Headrace REQUIRED)\n"
                        "add_executable(train train.cpp)\ntarget_compile_features(train PRIVATE cxx_std_20)\n"
                        "target_link_libraries(train headrace::data)\n"},
                       {"train.cpp",
                        "#include <cstdio>\n#include \"headrace/data.h\"\nint main() {\n"
                        "  try {\n    headrace::data::Dataset::TFRecord({\"absent\"}).MakeIterator().Next();\n"
                        "  } catch (const headrace::Error& error) {\n    std::printf(\"found: %s\\n\", error.what());\n"
                        "  }\n}\n"}},
                      "train.cpp"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains(StartsWith("found: ")));
}

}  // namespace
}  // namespace headrace::jobs
