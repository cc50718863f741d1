#include "apps/run.h"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/error.h"

#include "apps/commands/env_command.h"

namespace headrace::apps {
namespace {

using ::testing::HasSubstr;

int last_count = 0;
OutputFormat last_format = OutputFormat::kText;

void AddCountCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("count", "Counts.");
  auto count = std::make_shared<int>(0);
  auto format = AddOutputOption(*command);
  command->add_option("--to", *count, "where to stop")->required();
  SetExample(*command, "headrace count --to 3");
  command->callback([count, format] {
    if (*count < 0) throw Error(ErrorCode::kInvalidArgument, "--to: found -1,\nwanted more");
    last_count = *count;
    last_format = *format;
  });
}

struct Outcome {
  int code;
  std::string out, err;
};

Outcome RunWith(std::vector<std::string> arguments) {
  std::ostringstream out, err;
  const int code = Run({AddCountCommand}, std::move(arguments), out, err);
  return {code, out.str(), err.str()};
}

TEST(Run, RunsTheNamedCommand) {
  const Outcome outcome = RunWith({"count", "--to", "7", "-o", "json"});
  EXPECT_EQ(outcome.code, kDone) << outcome.err;
  EXPECT_EQ(last_count, 7);
  EXPECT_EQ(last_format, OutputFormat::kJson);
}

TEST(Run, HelpShowsTheExampleAndSucceeds) {
  const Outcome outcome = RunWith({"count", "--help"});
  EXPECT_EQ(outcome.code, kDone);
  EXPECT_THAT(outcome.out, HasSubstr("headrace count --to 3"));
  EXPECT_EQ(outcome.err, "");
}

TEST(Run, WrongUsageOfEnvFailsInEvalToo) {
  for (const char* wrong : {"--no-such-option", "word"}) {
    std::ostringstream out, err;
    EXPECT_EQ(apps::Run({AddEnvCommand}, {"env", wrong}, out, err), kWrongUsage);
    EXPECT_THAT(out.str(), HasSubstr("export AWS_ENDPOINT_URL='http://127.0.0.1:1/headrace-env-failed'\n"));
    EXPECT_THAT(out.str(), ::testing::EndsWith("\nfalse\n"));
    EXPECT_THAT(err.str(), HasSubstr(wrong));
  }
  EXPECT_EQ(RunWith({"count"}).out, "");
}

TEST(Run, WrongUsageIsOneLineAndTwo) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {}, {"unknown"}, {"count"}, {"count", "--to", "x"}, {"count", "--to", "1", "-o", "xml"}}) {
    const Outcome outcome = RunWith(arguments);
    EXPECT_EQ(outcome.code, kWrongUsage);
    EXPECT_EQ(outcome.out, "");
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("headrace: "));
  }
  EXPECT_THAT(RunWith({"count"}).err, HasSubstr("--to is required (see headrace count --help)"));
}

TEST(Run, AFailureIsOneLineAndOne) {
  const Outcome outcome = RunWith({"count", "--to=-1"});
  EXPECT_EQ(outcome.code, kFailed);
  EXPECT_EQ(outcome.err, "headrace: --to: found -1, wanted more\n");
}

}  // namespace
}  // namespace headrace::apps
