#include "jobs/python/program_check.h"

#include <filesystem>
#include <fstream>
#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/pack.h"
#include "jobs/archive/unpack.h"

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;

TEST(ImportsOf, TellsWhatIsImportedWhateverHappens) {
  EXPECT_THAT(ImportsOf("\"\"\"Trains.\n\nimport torch\n\"\"\"\n"
                        "import os, sys as system\r\nimport tensorflow.keras as keras  # the layers\n"
                        "from numpy import array\nfrom . import parts\n"
                        "try:\n  import horovod\nexcept ImportError:\n    pass\n"
                        "'''one line''' ; import not_at_the_beginning\nimportant = 1\nimport xgboost;x = 1\nimport"),
              ElementsAre("numpy", "os", "sys", "tensorflow", "xgboost"));
  EXPECT_THAT(ImportsOf(""), ElementsAre());
}

class ProgramCheckTest : public ::testing::Test {
 protected:
  Status Checked(const std::map<std::string, std::string>& files, const std::string& image,
                 const std::string& program = "train.py") {
    TemporaryDirectory source;
    for (const auto& [name, text] : files) {
      std::filesystem::create_directories(std::filesystem::path(source / name).parent_path());
      std::ofstream(source / name) << text;
    }
    ValueOrThrow(PackDirectory(source.path(), directory_ / "source.tar.gz"));
    return Checked(ValueOrThrow(OpenArchive(directory_ / "source.tar.gz")), image, program);
  }
  Status Checked(Descriptor archive, const std::string& image, const std::string& program = "train.py") {
    const auto request = ValueOrThrow(
        DecodeTrainingRequest({{"AlgorithmSpecification", {{"TrainingImage", image}, {"TrainingInputMode", "File"}}},
                               {"HyperParameters", {{"sagemaker_program", program}}}}));
    return CheckProgram(interpreters_, request, std::move(archive));
  }
  const TemporaryDirectory directory_;
  Interpreters interpreters_{"/nowhere/python3", ""};
};

constexpr const char* kTensorFlow = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-training:2.14.1-cpu-py310";

TEST_F(ProgramCheckTest, AnImportThatNobodyCanServeIsRefused) {
  const std::map<std::string, std::string> source = {{"train.py", "import tensorflow as tf\n"}, {"lib/a.py", ""}};
  EXPECT_EQ(Checked(source, kTensorFlow).error().message(),
            "HyperParameters.sagemaker_program: train.py imports tensorflow, and no Python of this machine has it. The "
            "owner of this machine can add one: headrace python add tensorflow==2.14. Or the job brings it: name it in "
            "requirements.txt beside train.py.");
  EXPECT_EQ(Checked({{"src/go.py", "import torch\n"}}, "pytorch-training:2.3", "src/go.py").error().code(),
            ErrorCode::kFailedPrecondition);
}

TEST_F(ProgramCheckTest, WhatMayRunIsTaken) {
  const std::string importing = "import tensorflow\n";
  EXPECT_TRUE(Checked({{"train.py", "print(1)\n"}}, kTensorFlow));
  EXPECT_TRUE(Checked({{"train.py", "try:\n  import tensorflow\nexcept ImportError:\n  pass\n"}}, kTensorFlow));
  EXPECT_TRUE(Checked({{"train.py", importing}, {"requirements.txt", "tensorflow\n"}}, kTensorFlow));
  EXPECT_TRUE(Checked({{"train.py", importing}, {"tensorflow/__init__.py", ""}}, kTensorFlow));
  EXPECT_TRUE(Checked({{"train.py", importing}}, "headrace"));
  EXPECT_TRUE(Checked({{"train.cpp", "#include <cstdio>\n"}}, kTensorFlow, "train.cpp"));
}

TEST_F(ProgramCheckTest, ASourceThatCannotBeReadIsTheJobsToComplainOf) {
  EXPECT_TRUE(Checked({{"other.py", "import tensorflow\n"}}, kTensorFlow));
  std::ofstream(directory_ / "broken") << "no archive";
  EXPECT_TRUE(Checked(ValueOrThrow(OpenArchive(directory_ / "broken")), kTensorFlow));
  std::ofstream(directory_ / "large.py") << "import tensorflow\n" << std::string(size_t{17} << 20, '#');
  EXPECT_TRUE(Checked({{"train.py", ValueOrThrow(ReadFile(directory_ / "large.py"))}}, kTensorFlow));
}

}  // namespace
}  // namespace headrace::jobs
