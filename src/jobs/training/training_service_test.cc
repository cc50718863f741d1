// Whole jobs: the service, real supervisors, small programs; no HTTP.
#include "jobs/training/training_service.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/unpack.h"
#include "jobs/directory/job_directory.h"
#include "jobs/process/process_tree.h"
#include "jobs/training/testing/platform.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::vector<std::string> Statuses(const store::TrainingJob& job) {
  std::vector<std::string> statuses;
  for (const auto& transition : job.transitions) statuses.push_back(transition.status);
  return statuses;
}

// Both kinds of isolation, where the first works at all.
class TrainingService_ : public ::testing::TestWithParam<bool> {
 protected:
  TrainingService_() {
    platform.machine_options().sandbox = GetParam();
    platform.Start();
  }
  Platform platform;
};
INSTANTIATE_TEST_SUITE_P(SandboxAndPlain, TrainingService_, ::testing::Bool(),
                         [](const auto& parameter) { return parameter.param ? "Sandbox" : "Plain"; });

TEST_P(TrainingService_, RunsAJobFromInputToArtifacts) {
  platform.PutObject("data/train/a/x.txt", "hello");
  platform.PutObject("data/train/y.txt", "world");
  auto request = Platform::Script(
      "cat $SM_CHANNEL_TRAIN/a/x.txt $SM_CHANNEL_TRAIN/y.txt; echo; echo more >> $SM_CHANNEL_TRAIN/y.txt; echo "
      "to-stderr >&2; "
      "echo weights > $SM_MODEL_DIR/weights; echo report > $SM_OUTPUT_DATA_DIR/report; echo loss=0.5; echo "
      "\"$TRAINING_JOB_NAME $AWS_REGION\"");
  request["InputDataConfig"] = {
      {{"ChannelName", "train"},
       {"DataSource", {{"S3DataSource", {{"S3DataType", "S3Prefix"}, {"S3Uri", "s3://bucket/data/train"}}}}}}};
  request["AlgorithmSpecification"]["MetricDefinitions"] = {{{"Name", "loss"}, {"Regex", "loss=(.*)"}},
                                                            {{"Name", "nothing"}, {"Regex", "never (.*)"}},
                                                            {{"Name", "words"}, {"Regex", "loss(=)"}}};
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(Statuses(job), ElementsAre("Starting", "Downloading", "Training", "Uploading", "Completed"));
  EXPECT_EQ(job.model_artifacts, "s3://bucket/out/job/output/model.tar.gz");
  EXPECT_GT(job.training_end, job.training_start);
  const auto log = platform.Log("job");
  EXPECT_THAT(log, Contains("helloworld"));
  EXPECT_THAT(log, Contains("to-stderr"));
  EXPECT_THAT(log, Contains("job us-west-2"));
  EXPECT_THAT(log, Contains(StartsWith("[headrace] phases: Downloading ")));
  EXPECT_THAT(log, Contains("[headrace] metric loss: 1 values"));
  EXPECT_THAT(log,
              Contains("[headrace] warning: metric nothing: its regex matched no line: never (.*) (try others with "
                       "headrace metrics job --definitions FILE)"));
  EXPECT_THAT(log, Contains(StartsWith("[headrace] warning: metric words: its regex matched 1 lines, but its first "
                                       "group never held a number: loss(=)")));
  EXPECT_THAT(platform.Metric("loss", {{"TrainingJobName", "job"}}), ElementsAre(0.5));
  ASSERT_EQ(job.final_metrics.size(), 1u);
  EXPECT_EQ(job.final_metrics[0].value, 0.5);
  EXPECT_EQ(platform.GetObject("data/train/y.txt"), "world");  // the job had a copy

  TemporaryDirectory unpacked;
  std::ofstream(unpacked / "model.tar.gz") << platform.GetObject("out/job/output/model.tar.gz");
  ValueOrThrow(UnpackArchive(unpacked / "model.tar.gz", unpacked / "model"));
  EXPECT_EQ(ValueOrThrow(ReadFile(unpacked / "model/weights")), "weights\n");
  EXPECT_NE(platform.GetObject("out/job/output/output.tar.gz"), "");
  platform.Stop();  // waits for the cleaning up
  EXPECT_FALSE(std::filesystem::exists(platform.JobPath("job") + "/hosts/algo-1/files"));
  EXPECT_THAT(ValueOrThrow(ReadFile(platform.JobPath("job") + "/hosts/algo-1/attempt-0/log.raw")),
              HasSubstr("loss=0.5"));
}

TEST_P(TrainingService_, FailsWithTheFailureFileAndTheExitCode) {
  platform.Create(
      "job", Platform::Script(
                 "printf 'no such luck\\n' > $SM_OUTPUT_DIR/failure; echo partial > $SM_OUTPUT_DATA_DIR/x; exit 3"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("AlgorithmError: no such luck, exit code: 3"));
  EXPECT_EQ(job.model_artifacts, "");
  EXPECT_NE(platform.GetObject("out/job/output/output.tar.gz"), "");
}

TEST_P(TrainingService_, FailsWithTheLastLinesWithoutAFailureFile) {
  platform.Create("job", Platform::Script("echo fine; echo 'ValueError: what is wrong' >&2; exit 1"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("AlgorithmError: exit code: 1, peak memory "));
  EXPECT_THAT(job.failure_reason, HasSubstr("ValueError: what is wrong"));
}

TEST_P(TrainingService_, NamesTheSignal) {
  platform.Create("job", Platform::Script("kill -SEGV $$"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, HasSubstr("killed by SIGSEGV, exit code: 139"));
}

TEST_P(TrainingService_, StopReachesTheProgramAndKeepsItsWork) {
  // The outer shell dies of SIGTERM at once; the inner one saves its work first.
  platform.Create(
      "job",
      Platform::Script("sh -c \"trap 'sleep 0.3; echo saved > $SM_MODEL_DIR/m; echo saved; exit 0' TERM; echo ready; "
                       "while :; do sleep 0.05; done\"; true"));
  platform.WaitForLine("job", "ready");
  ValueOrThrow(platform.service().RequestStop(Platform::kAccount, "job"));
  EXPECT_EQ(platform.Find("job").status, "Stopping");
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Stopped");
  EXPECT_EQ(job.secondary_status, "Stopped");
  EXPECT_THAT(platform.Log("job"), Contains("saved"));
  EXPECT_NE(platform.GetObject("out/job/output/model.tar.gz"), "");
  EXPECT_EQ(platform.service().RequestStop(Platform::kAccount, "job").error().code(), ErrorCode::kFailedPrecondition);
  EXPECT_EQ(platform.service().RequestStop(Platform::kAccount, "other").error().code(), ErrorCode::kNotFound);
}

TEST_P(TrainingService_, CarriageReturnsAreResolvedBeforeMetrics) {
  auto request = Platform::Script("printf '1/2 loss: 9\\r2/2 loss: 1.5\\nloss: 3.0\\b\\b\\b2.5\\n'");
  request["AlgorithmSpecification"]["MetricDefinitions"] = {{{"Name", "loss"}, {"Regex", "loss: ([0-9\\.]+)"}}};
  platform.Create("job", request);
  platform.WaitForEnd("job");
  EXPECT_THAT(platform.Log("job"), Contains("2/2 loss: 1.5"));
  EXPECT_THAT(platform.Metric("loss", {{"TrainingJobName", "job"}}), ElementsAre(1.5, 2.5));
}

TEST_P(TrainingService_, RunsPythonWithArgumentsAndConfiguration) {
  platform.Create(
      "job", platform.Source(
                 {{"train.py",
                   "import json, os, sys\n"
                   "print(sys.argv[1:])\n"
                   "print(json.load(open(os.environ['SM_INPUT_CONFIG_DIR'] + '/hyperparameters.json'))['epochs'])\n"
                   "import helper\n"},
                  {"helper.py", "print('helped')\n"}},
                 "train.py", {{"epochs", "10"}, {"name", "\"x y\""}}));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("['--epochs', '10', '--name', 'x y']"));
  EXPECT_THAT(platform.Log("job"), Contains("helped"));
}

TEST_P(TrainingService_, CompilesAProgramOnce) {
  const std::map<std::string, std::string> source = {
      {"train.cpp",
       "#include <cstdio>\n#include \"part.h\"\nint main(int argc, char** argv) { std::printf(\"%s %s %d\\n\", "
       "argv[1], argv[2], kPart); }\n"},
      {"part.h", "constexpr int kPart = 7;\n"}};
  for (const char* name : {"first", "second"}) {
    platform.Create(name, platform.Source(source, "train.cpp", {{"epochs", "3"}}));
    const auto job = platform.WaitForEnd(name);
    EXPECT_EQ(job.status, "Completed") << job.failure_reason;
    EXPECT_THAT(platform.Log(name), Contains("--epochs 3 7"));
  }
  EXPECT_THAT(platform.Log("first"), Contains(StartsWith("[headrace] train.cpp compiled in ")));
  EXPECT_THAT(platform.Log("second"), Contains(StartsWith("[headrace] train.cpp compiled before, found")));
}

TEST_P(TrainingService_, CompileErrorsAreTheFailureReason) {
  platform.Create("job", platform.Source({{"train.cpp", "int main() { return missing; }\n"}}, "train.cpp"));
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("AlgorithmError: train.cpp does not compile"));
  EXPECT_THAT(job.failure_reason, HasSubstr("'missing' was not declared"));
}

TEST_P(TrainingService_, CheckpointsAreRestoredAndSynced) {
  platform.PutObject("ckpt/old", "1");
  platform.PutObject("ckpt/gone", "2");
  const auto blob_of = [&](const char* key) {
    return platform.objects().BlobPath(platform.objects().Find("bucket", key).value());
  };
  const auto old = blob_of("ckpt/old");
  // What a process has left that was killed while it wrote a file.
  const std::string half = "best.h5.17.headrace-tmp";
  ASSERT_TRUE(IsUnfinishedFile(half));
  auto request =
      Platform::Script("cd $SM_MODEL_DIR/../checkpoints; echo half > " + half +
                       "; cat old; rm gone; echo new > sub; ln -s /etc/hostname link; "
                       "while [ ! -e stop ]; do sleep 0.05; [ $((i=i+1)) -gt 60 ] && break; done; echo late > late");
  request["CheckpointConfig"] = {{"S3Uri", "s3://bucket/ckpt"}};
  platform.Create("job", request);
  platform.WaitFor("job", [&](const store::TrainingJob& job) {
    return platform.GetObject("ckpt/sub") == "new\n" || store::IsTerminal(job.status);
  });
  EXPECT_EQ(platform.GetObject("ckpt/sub"), "new\n");
  EXPECT_FALSE(store::IsTerminal(platform.Find("job").status));
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed");
  EXPECT_THAT(platform.Log("job"), Contains("1"));
  EXPECT_EQ(platform.GetObject("ckpt/late"), "late\n");
  EXPECT_EQ(blob_of("ckpt/old"), old) << "stored again";
  EXPECT_FALSE(platform.objects().Find("bucket", "ckpt/gone"));
  EXPECT_FALSE(platform.objects().Find("bucket", "ckpt/link"));
  EXPECT_FALSE(platform.objects().Find("bucket", "ckpt/" + half));
}

TEST(TrainingService, StopsAtMaxRuntimeAndKillsWhatDoesNotListen) {
  Platform platform;
  platform.options().stop_grace_seconds = 1;
  platform.Start();
  auto request = Platform::Script("trap '' TERM; echo kept > $SM_MODEL_DIR/m; while :; do sleep 0.05; done");
  request["StoppingCondition"]["MaxRuntimeInSeconds"] = 3;  // of which a busy machine needs one to start it
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Stopped");
  EXPECT_EQ(job.secondary_status, "MaxRuntimeExceeded");
  EXPECT_NE(platform.GetObject("out/job/output/model.tar.gz"), "");
  EXPECT_THAT(platform.Log("job"), Contains(HasSubstr("was killed")));
}

TEST(TrainingService, TheSandboxHidesThePlatformAndOtherProcesses) {
  Platform platform;
  platform.Start();
  const auto data = platform.options().data_dir;
  platform.Create(
      "job",
      Platform::Script("ls " + data +
                       " 2>&1; cat /etc/shadow | wc -c; ls /proc | grep -c '^[0-9]'; hostname; touch /usr/x 2>&1; "
                       "echo $AWS_SECRET_ACCESS_KEY; touch /tmp/mine && echo tmp-works"));
  platform.WaitForEnd("job");
  const auto log = platform.Log("job");
  if (std::any_of(log.begin(), log.end(),
                  [](const std::string& line) { return line.find("plain process") != std::string::npos; }))
    GTEST_SKIP() << "no sandbox on this machine";
  EXPECT_THAT(log, Not(Contains("meta.db")));
  EXPECT_THAT(log, Contains("0"));
  EXPECT_THAT(log, Contains("algo-1"));
  EXPECT_THAT(log, Contains(HasSubstr("Read-only file system")));
  EXPECT_THAT(log, Contains("hush"));
  EXPECT_THAT(log, Contains("tmp-works"));
}

TEST(TrainingService, SaysWhatIsMissing) {
  Platform platform;
  platform.Start();
  auto no_input = Platform::Script("true");
  no_input["InputDataConfig"] = {
      {{"ChannelName", "train"},
       {"DataSource", {{"S3DataSource", {{"S3DataType", "S3Prefix"}, {"S3Uri", "s3://bucket/nothing"}}}}}}};
  platform.Create("input", no_input);
  auto no_bucket = Platform::Script("true");
  no_bucket["OutputDataConfig"]["S3OutputPath"] = "s3://other/x";
  platform.Create("output", no_bucket);
  platform.Create("program", platform.Source({{"a.py", ""}}, "b.py"));
  auto nothing = Platform::Script("");
  nothing["AlgorithmSpecification"] = {{"TrainingInputMode", "File"}};
  platform.Create("nothing", nothing);
  EXPECT_THAT(platform.WaitForEnd("input").failure_reason,
              StartsWith("ClientError: No S3 objects found under S3 URL \"s3://bucket/nothing\""));
  EXPECT_THAT(platform.WaitForEnd("output").failure_reason,
              StartsWith("ClientError: the bucket 'other' does not exist"));
  EXPECT_THAT(platform.WaitForEnd("program").failure_reason,
              StartsWith("ClientError: sagemaker_program: there is no 'b.py' in the source; there is: a.py"));
  EXPECT_THAT(platform.WaitForEnd("nothing").failure_reason, StartsWith("ClientError: there is nothing to run"));
}

TEST(TrainingService, JobsWaitTheirTurn) {
  Platform platform;
  platform.Start();
  platform.Create("first", Platform::Script("echo ready; while [ ! -e /tmp/never ]; do sleep 0.05; done"));
  platform.WaitForLine("first", "ready");
  platform.Create("second", Platform::Script("echo two"));
  platform.Create("third", Platform::Script("echo three"));
  platform.WaitFor("second", [](const store::TrainingJob& job) { return job.secondary_status == "Pending"; });
  ValueOrThrow(platform.service().RequestStop(Platform::kAccount, "third"));
  EXPECT_EQ(platform.Find("third").status, "Stopped");
  ValueOrThrow(platform.service().RequestStop(Platform::kAccount, "first"));
  EXPECT_EQ(platform.WaitForEnd("second").status, "Completed");
  EXPECT_THAT(Statuses(platform.Find("second")),
              ElementsAre("Starting", "Pending", "Starting", "Downloading", "Training", "Uploading", "Completed"));
}

TEST_P(TrainingService_, MeasuresWhatTheHostUses) {
  platform.Create("job", Platform::Script("end=$(($(date +%s) + 2)); while [ $(date +%s) -lt $end ]; do :; done"));
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed");
  const store::Dimensions host = {{"Host", "job/algo-1"}};
  EXPECT_THAT(platform.Metric("CPUUtilization", host), Contains(::testing::Gt(0.0)));
  EXPECT_THAT(platform.Metric("MemoryUtilization", host), Contains(::testing::Gt(0.0)));
  EXPECT_THAT(platform.Metric("DiskUtilization", host), Contains(::testing::Gt(0.0)));
}

TEST(TrainingService, FindsRunningJobsAgain) {
  Platform platform;
  platform.Start();
  platform.Create(
      "job",
      Platform::Script(
          "echo one; while [ ! -e $SM_OUTPUT_DIR/go ]; do sleep 0.05; done; echo two; echo m > $SM_MODEL_DIR/m"));
  platform.WaitForLine("job", "one");
  platform.Stop();
  std::ofstream(platform.JobPath("job") + "/hosts/algo-1/files/ml/output/go") << "";
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  platform.Start();
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  const auto log = platform.Log("job");
  EXPECT_EQ(std::count(log.begin(), log.end(), "one"), 1);
  EXPECT_EQ(std::count(log.begin(), log.end(), "two"), 1);
}

pid_t SupervisorOf(const std::string& path) {
  return std::stoi(ValueOrThrow(ReadFile(path + "/hosts/algo-1/supervisor.lock")));
}

TEST(TrainingService, ADeadSupervisorFailsTheJobAndLeavesNoProcess) {
  Platform platform;
  platform.Start();
  platform.Create("job", Platform::Script("echo ready; exec sleep 1000"));
  platform.WaitForLine("job", "ready");
  const auto supervisor = SupervisorOf(platform.JobPath("job"));
  const auto processes = Descendants(supervisor);
  EXPECT_FALSE(processes.empty());
  ::kill(supervisor, SIGKILL);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Failed");
  EXPECT_THAT(job.failure_reason, StartsWith("InternalServerError: the job's supervisor process ended unexpectedly"));
  for (int i = 0; i < 500 && UsageOf(processes).resident_bytes > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(UsageOf(processes).resident_bytes, 0u);
}

TEST(TrainingService, ARetriedJobBeginsAgain) {
  Platform platform;
  platform.Start();
  auto request = Platform::Script(
      "echo attempt; [ -e $SM_MODEL_DIR/m ] && echo dirty; echo m > $SM_MODEL_DIR/m; "
      "while [ ! -e $SM_OUTPUT_DIR/go ]; do sleep 0.05; done");
  request["RetryStrategy"] = {{"MaximumRetryAttempts", 1}};
  platform.Create("job", request);
  platform.WaitForLine("job", "attempt");
  ::kill(SupervisorOf(platform.JobPath("job")), SIGKILL);
  platform.WaitFor("job", [&](const store::TrainingJob&) {
    const auto log = platform.Log("job");
    return std::count(log.begin(), log.end(), "attempt") == 2;
  });
  std::ofstream(platform.JobPath("job") + "/hosts/algo-1/files/ml/output/go") << "";
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  EXPECT_THAT(Statuses(job), Contains("Restarting"));
  EXPECT_THAT(platform.Log("job"), Not(Contains("dirty")));
}

// The server dies again and again, at any moment: jobs go on, and everything is taken in exactly once.
TEST(TrainingService, KillingThePlatformLosesAndRepeatsNothing) {
  TemporaryDirectory directory;
  const std::vector<std::string> names = {"one", "two", "three"};
  std::vector<std::string> wanted;
  std::string script = "for i in";
  for (int i = 1; i <= 30; ++i) {
    wanted.push_back("loss=" + std::to_string(i));
    script += " " + std::to_string(i);
  }
  script += "; do echo loss=$i; sleep 0.02; done; echo m > $SM_MODEL_DIR/m";
  {
    Platform platform(directory.path());
    auto request = Platform::Script(script);
    request["AlgorithmSpecification"]["MetricDefinitions"] = {{{"Name", "loss"}, {"Regex", "loss=(.*)"}}};
    for (const auto& name : names) platform.Create(name, request);
  }
  for (int round = 0; round < 12; ++round) {
    const pid_t server = ::fork();
    if (server == 0) {
      try {
        Platform platform(directory.path());
        platform.Start();
        while (true) ::pause();
      } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        ::_exit(1);
      }
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(37 + 71 * round % 400));
    ::kill(server, SIGKILL);
    int status = 0;
    ::waitpid(server, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "the server ended by itself";
  }
  Platform platform(directory.path());
  platform.Start();
  for (const auto& name : names) {
    const auto job = platform.WaitForEnd(name);
    EXPECT_EQ(job.status, "Completed") << job.failure_reason;
    auto lines = platform.Log(name);
    std::erase_if(lines, [](const std::string& line) { return !line.starts_with("loss="); });
    EXPECT_EQ(lines, wanted);
    EXPECT_EQ(platform.Metric("loss", {{"TrainingJobName", name}}).size(), wanted.size());
    EXPECT_NE(platform.GetObject("out/" + name + "/output/model.tar.gz"), "");
  }
  platform.Stop();
  for (const auto& name : names) EXPECT_FALSE(JobDirectory(platform.JobPath(name)).Host("algo-1").SupervisorAlive());
}

TEST(TrainingService, AFeederStreamsPipeChannels) {
  Platform platform;
  platform.Start();
  platform.PutObject("data/a", "1\n");
  platform.PutObject("data/b", "2\n");
  auto request = Platform::Script(
      "cat $SM_CHANNEL_TRAIN\"_0\"; cat $SM_CHANNEL_TRAIN\"_1\" | tr 12 34; echo lazy: $(cat $SM_CHANNEL_FAST/a); "
      "echo x > $SM_CHANNEL_FAST/a || echo refused");
  request["AlgorithmSpecification"]["TrainingInputMode"] = "Pipe";
  const json source = {{"S3DataSource", {{"S3DataType", "S3Prefix"}, {"S3Uri", "s3://bucket/data/"}}}};
  request["InputDataConfig"] = {{{"ChannelName", "train"}, {"DataSource", source}},
                                {{"ChannelName", "fast"}, {"InputMode", "FastFile"}, {"DataSource", source}}};
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  const auto log = platform.Log("job");
  for (const char* line : {"1", "2", "3", "4", "lazy: 1"}) EXPECT_THAT(log, Contains(line));
  EXPECT_THAT(log, Contains(HasSubstr("channel train: 2 epochs streamed")));
  EXPECT_EQ(platform.GetObject("data/a"), "1\n");
}

// ---- Pipe mode and FastFile

json Channel(const std::string& name, const std::string& uri, json more = json::object(),
             json source = json::object()) {
  source["S3Uri"] = uri;
  if (!source.contains("S3DataType")) source["S3DataType"] = "S3Prefix";
  more["ChannelName"] = name;
  more["DataSource"] = {{"S3DataSource", std::move(source)}};
  return more;
}

TEST_P(TrainingService_, StreamsChannelsInPipeModeEpochByEpoch) {
  const std::string large(300'000, 'x');
  platform.PutObject("data/train/1", "one,");
  platform.PutObject("data/train/2", large);
  platform.PutObject("data/train/3", ",three");
  platform.PutObject("data/eval", "evaluate");
  auto request = Platform::Script(
      "cd $SM_INPUT_DIR/data; cat train_0 | wc -c; head -c 4 train_1; echo; cat train_2 | tail -c 6; echo; cat eval_0; "
      "echo; echo files: $(cat files/eval)");
  request["AlgorithmSpecification"]["TrainingInputMode"] = "Pipe";
  request["InputDataConfig"] =
      json::array({Channel("train", "s3://bucket/data/train"), Channel("eval", "s3://bucket/data/eval"),
                   Channel("files", "s3://bucket/data/eval", {{"InputMode", "File"}})});
  platform.Create("job", request);
  const auto job = platform.WaitForEnd("job");
  EXPECT_EQ(job.status, "Completed") << job.failure_reason;
  const auto log = platform.Log("job");
  EXPECT_THAT(log, Contains("one,"));
  EXPECT_THAT(log, Contains(std::to_string(large.size() + 10)));
  EXPECT_THAT(log, Contains(",three"));
  EXPECT_THAT(log, Contains("evaluate"));
  EXPECT_THAT(log, Contains("files: evaluate"));
  EXPECT_THAT(log, Contains(HasSubstr("channel train: 3 epochs streamed")));
  EXPECT_THAT(log, Contains(HasSubstr("channel eval: 1 epochs streamed (0 closed early)")));
  const auto status =
      json::parse(ValueOrThrow(ReadFile(platform.JobPath("job") + "/hosts/algo-1/attempt-0/pipes.json")));
  EXPECT_EQ(status["channels"].size(), 2u);
}

TEST_P(TrainingService_, PythonReadsPipesWithOpen) {
  platform.PutObject("data/train", "four records");
  auto request = platform.Source({{"train.py", R"(
import json, os
folder = os.environ["SM_INPUT_DIR"]
mode = json.load(open(folder + "/config/inputdataconfig.json"))["train"]["TrainingInputMode"]
total = 0
for epoch in range(300):
    with open(f"{folder}/data/train_{epoch}", "rb") as stream:
        total += len(stream.read())
print(mode, total)
)"}},
                                 "train.py");
  request["AlgorithmSpecification"]["TrainingInputMode"] = "Pipe";
  request["InputDataConfig"] = json::array({Channel("train", "s3://bucket/data/train")});
  platform.Create("job", request);
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed") << platform.Find("job").failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("Pipe 3600"));
}

TEST_P(TrainingService_, WrapsManifestsAndShufflesInPipeMode) {
  platform.PutObject("m/a", "AAAA");
  platform.PutObject("m/b", "BB");
  platform.PutObject("m/list", R"([{"prefix": "s3://bucket/m/"}, "b", "a"])");
  platform.PutObject("m/lines",
                     "{\"image-ref\": \"s3://bucket/m/a\", \"class\": 7, \"other\": 1}\n"
                     "{\"image-ref\": \"s3://bucket/m/b\", \"class\": 8}\n");
  auto request = Platform::Script(
      "cd $SM_INPUT_DIR/data; cat list_0; echo; od -An -tx1 wrapped_0 | tr -d ' \\n'; echo; cat lines_0; echo; "
      "for i in 0 1 2 3 4 5 6 7; do cat mixed_$i; echo; done");
  request["AlgorithmSpecification"]["TrainingInputMode"] = "Pipe";
  request["InputDataConfig"] = {
      Channel("list", "s3://bucket/m/list", json::object(), {{"S3DataType", "ManifestFile"}}),
      Channel("wrapped", "s3://bucket/m/b", {{"RecordWrapperType", "RecordIO"}}),
      Channel("lines", "s3://bucket/m/lines", json::object(),
              {{"S3DataType", "AugmentedManifestFile"}, {"AttributeNames", {"image-ref", "class"}}}),
      Channel("mixed", "s3://bucket/m/list", {{"ShuffleConfig", {{"Seed", 3}}}}, {{"S3DataType", "ManifestFile"}})};
  platform.Create("job", request);
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed") << platform.Find("job").failure_reason;
  const auto log = platform.Log("job");
  EXPECT_THAT(log, Contains("BBAAAA"));
  EXPECT_THAT(log, Contains("0a23d7ce0200000042420000"));
  EXPECT_THAT(log, Contains("AAAA7BB8"));
  EXPECT_THAT(log, Contains("AAAABB"));  // some of the eight epochs' orders
}

TEST_P(TrainingService_, FastFileShowsObjectsAsFilesThatCannotBeChanged) {
  platform.PutObject("data/a/x", "hello");
  platform.PutObject("data/y", "world");
  auto request =
      Platform::Script("cd $SM_CHANNEL_TRAIN; cat a/x y; echo; (echo more > y) 2>/dev/null && echo written; true");
  request["AlgorithmSpecification"]["TrainingInputMode"] = "FastFile";
  request["InputDataConfig"] = json::array({Channel("train", "s3://bucket/data/")});
  platform.Create("job", request);
  EXPECT_EQ(platform.WaitForEnd("job").status, "Completed") << platform.Find("job").failure_reason;
  EXPECT_THAT(platform.Log("job"), Contains("helloworld"));
  if (GetParam()) {
    EXPECT_THAT(platform.Log("job"), Not(Contains("written")));
  }
  EXPECT_EQ(platform.GetObject("data/y"), "world");
}

}  // namespace
}  // namespace headrace::jobs
