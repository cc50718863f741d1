#include "jobs/python/interpreters.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/testing/temporary_directory.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Interpreters that answer what they are told to, and count how often they are asked.
class InterpretersTest : public ::testing::Test {
 protected:
  std::string Make(const std::string& name, const std::string& modules) {
    const auto path =
        Script(name, "echo asked >>'" + (directory / name) + ".asked'; cat '" + (directory / name) + ".json'");
    std::filesystem::create_directories(directory / (name + "-packages"));
    std::ofstream(directory / (name + ".json"))
        << R"({"program": ")" << path << R"(", "version": "3.11.2", "paths": ["/usr", "/usr/local", "/opt/)" << name
        << R"(", "/opt/)" << name << R"("], "places": ["", ")" << directory / (name + "-packages")
        << R"("], "modules": )" << modules << "}\n";
    return path;
  }
  std::string Script(const std::string& name, const std::string& text) {
    const auto path = directory / name;
    std::ofstream(path) << "#!/bin/sh\n" << text << "\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return path;
  }
  size_t Asked(const std::string& name) {
    std::ifstream file(directory / (name + ".asked"));
    return static_cast<size_t>(std::count(std::istreambuf_iterator<char>(file), {}, '\n'));
  }
  void Register(const std::vector<PythonEnvironment>& environments) {
    const auto lock = ValueOrThrow(registry.Lock());
    ValueOrThrow(registry.Write(environments));
  }

  const TemporaryDirectory directory, data;
  const PythonEnvironments registry{data.path()};
};

constexpr const char* kImage = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:";

TEST_F(InterpretersTest, AnInterpreterSaysWhatItIs) {
  const auto found = ValueOrThrow(ProbeInterpreter(Make("python", R"({"torch": "2.3.0", "horovod": ""})")));
  EXPECT_EQ(found.program, directory / "python");
  EXPECT_EQ(found.version, "3.11.2");
  EXPECT_THAT(found.paths, ElementsAre("/opt/python"));
  EXPECT_TRUE(found.Has("torch") && found.Has("horovod") && !found.Has("tensorflow"));
  EXPECT_EQ(found.VersionOf("torch"), "2.3.0");
}

TEST_F(InterpretersTest, WhatIsNoneIsToldApart) {
  const auto error = [](const std::string& program) { return ProbeInterpreter(program).error().message(); };
  EXPECT_EQ(ProbeInterpreter("/nowhere/python3").error().code(), ErrorCode::kNotFound);
  EXPECT_THAT(error(Script("old", "echo 'ImportError: No module named util' >&2; exit 1")),
              HasSubstr("does not run as Python 3.5 or later: ImportError: No module named util"));
  EXPECT_THAT(error(Script("other", "echo hello")), HasSubstr("is no Python interpreter: it answers 'hello'"));
}

TEST_F(InterpretersTest, TheRealOneAnswers) {
  const auto found = ValueOrThrow(ProbeInterpreter("/usr/bin/python3"));
  EXPECT_THAT(found.version, testing::MatchesRegex("3\\.[0-9]+\\.[0-9]+"));
  EXPECT_FALSE(found.places.empty());
  EXPECT_THAT(found.paths, IsEmpty());
}

TEST_F(InterpretersTest, TheNearestVersionRuns) {
  Register({{"old", "tensorflow", Make("old", R"({"tensorflow": "1.15.5"})"), false},
            {"new", "tensorflow", Make("new", R"({"tensorflow": "2.21.0", "keras": "3.15.1"})"), true},
            {"torch", "pytorch", Make("torch", R"({"torch": "2.3.0"})"), false}});
  Interpreters interpreters(Make("plain", "{}"), data.path());
  const auto chosen = [&](const std::string& tag) { return interpreters.For(kImage + tag); };
  EXPECT_EQ(chosen("1.15.2-gpu-py3").environment, "old");
  EXPECT_EQ(chosen("1.15.2-gpu-py3").remark, "");
  EXPECT_EQ(chosen("2.14.1-cpu-py310").environment, "new");
  EXPECT_EQ(chosen("2.14.1-cpu-py310").remark,
            "the image asks for tensorflow 2.14.1; the nearest version of this machine is 2.21.0");
  EXPECT_EQ(Described(chosen("2.21")),
            "Python 3.11.2 (" + (directory / "new") + ", environment new): tensorflow 2.21.0, keras 3.15.1");
  EXPECT_EQ(interpreters.For("pytorch-training:2.3-cpu-py311").environment, "torch");
  EXPECT_EQ(interpreters.For("headrace").environment, "default");
  EXPECT_EQ(interpreters.For("headrace").remark, "");
}

TEST_F(InterpretersTest, WhereNoneHasTheFrameworkTheRemedyIsTold) {
  Interpreters interpreters(Make("plain", "{}"), data.path());
  const auto chosen = interpreters.For(std::string(kImage) + "2.14.1-cpu-py310");
  EXPECT_EQ(chosen.environment, "default");
  EXPECT_FALSE(chosen.has_framework);
  EXPECT_EQ(
      chosen.remark,
      "the image asks for tensorflow 2.14.1, and no Python of this machine has tensorflow (its owner can add one: "
      "headrace python add tensorflow==2.14)");
}

TEST_F(InterpretersTest, TheDefaultOneCountsForWhatItHas) {
  Register({{"new", "tensorflow", Make("new", R"({"tensorflow": "2.21.0"})"), true}});
  Interpreters interpreters(Make("mine", R"({"tensorflow": "1.15.5"})"), data.path());
  EXPECT_EQ(interpreters.For(std::string(kImage) + "1.15.2-cpu-py3").environment, "default");
  EXPECT_EQ(interpreters.For(std::string(kImage) + "2.3-cpu-py3").environment, "new");
}

TEST_F(InterpretersTest, AnInterpreterIsAskedOnceUntilPackagesAreInstalled) {
  Interpreters interpreters(Make("plain", "{}"), "");
  for (int i = 0; i < 3; ++i) interpreters.For("headrace");
  EXPECT_EQ(Asked("plain"), 1U);
  Make("plain", R"({"xgboost": "2.1.0"})");
  std::filesystem::create_directory(directory / "plain-packages/xgboost");
  EXPECT_EQ(interpreters.For("sagemaker-xgboost:1.7-1").remark,
            "the image asks for xgboost 1.7; the nearest version of this machine is 2.1.0");
}

TEST_F(InterpretersTest, ARegistrationIsSeenByTheNextJob) {
  Interpreters interpreters(Make("plain", "{}"), data.path());
  EXPECT_FALSE(interpreters.For("pytorch-training:2.3").has_framework);
  Register({{"torch", "pytorch", Make("torch", R"({"torch": "2.3.0"})"), false}});
  EXPECT_EQ(interpreters.For("pytorch-training:2.3").environment, "torch");
  Register({});
  EXPECT_FALSE(interpreters.For("pytorch-training:2.3").has_framework);
}

TEST_F(InterpretersTest, ARegisteredOneThatIsGoneIsLeftOut) {
  Register({{"gone", "tensorflow", "/nowhere/python3", false},
            {"empty", "tensorflow", Make("empty", "{}"), false},
            {"good", "tensorflow", Make("good", R"({"tensorflow": "2.21.0"})"), false}});
  Interpreters interpreters(Make("plain", "{}"), data.path());
  EXPECT_EQ(interpreters.For(std::string(kImage) + "1.15.2-cpu-py3").environment, "good");
}

TEST_F(InterpretersTest, ARegistryThatOthersMayWriteIsNotBelieved) {
  Register({{"torch", "pytorch", Make("torch", R"({"torch": "2.3.0"})"), false}});
  Interpreters interpreters(Make("plain", "{}"), data.path());
  EXPECT_TRUE(interpreters.For("pytorch-training:2.3").has_framework);
  ::chmod((data / "python/environments.json").c_str(), 0666);
  EXPECT_THAT(registry.Read().error().message(), HasSubstr("not believed"));
  EXPECT_FALSE(interpreters.For("pytorch-training:2.3").has_framework);
}

TEST_F(InterpretersTest, OneProcessAtATimeChangesTheRegistry) {
  const auto lock = ValueOrThrow(registry.Lock());
  EXPECT_THAT(registry.Lock().error().message(), HasSubstr("another process changes"));
}

}  // namespace
}  // namespace headrace::jobs
