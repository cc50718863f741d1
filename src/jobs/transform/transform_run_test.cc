// Runs against a model server that this test plays.
#include "jobs/transform/transform_run.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "http/blocking.h"
#include "http/server.h"

namespace headrace::jobs {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class TransformRunTest : public testing::Test {
 protected:
  TransformRunTest() {
    store::Bucket bucket;
    bucket.name = "bucket";
    bucket.owner = "1";
    ValueOrThrow(objects_->CreateBucket(bucket));
    settings_.content_type = "text/plain";
    settings_.split = SplitType::kLine;
    settings_.many_records = false;
    settings_.lines = true;
    settings_.output_path = "s3://bucket/out/";
    settings_.payload_bytes = 1000;
    settings_.timeout = std::chrono::seconds(20);
  }

  void Put(const std::string& key, const std::string& bytes) {
    auto blob = ValueOrThrow(objects_->NewBlob());
    ValueOrThrow(blob.Write(bytes));
    const auto object = ValueOrThrow(objects_->Commit(std::move(blob), "bucket", key, {}));
    inputs_.push_back({"bucket", key, object.etag, key});
  }
  // "" without one.
  std::string Output(const std::string& key) {
    const auto object = objects_->Find("bucket", "out/" + key + ".out");
    return object ? ReadFile(objects_->BlobPath(*object)).value() : "";
  }

  // `answer` sees a body and gives status and text.
  using Answer = std::function<std::pair<int, std::string>(const std::string& body)>;
  void Serve(Answer answer) {
    server_ = ValueOrThrow(http::Server::Listen(
        {.listeners = {{.unix_socket = socket_}}, .threads = 4},
        [this, answer](http::Request& request) -> http::Task<http::Response> {
          const int now = ++in_flight_;
          int most = most_in_flight_;
          while (now > most && !most_in_flight_.compare_exchange_weak(most, now)) {
          }
          auto body = co_await http::ReadAll(*request.body, 1 << 20);
          co_await http::Sleep(std::chrono::milliseconds(body->size() % 7));  // answers overtake each other
          auto [status, text] = answer(*body);
          ++asked_;
          --in_flight_;
          co_return http::TextResponse(status, "text/plain", std::move(text));
        }));
    Publish();
  }
  void Publish() { routes_.Publish({}, {}, {{"v", 1, 1, {std::make_shared<Target>("i", socket_)}}}); }
  std::unique_ptr<TransformRun> Start() {
    TransformRunOptions options;
    options.settings = settings_;
    options.inputs = inputs_;
    options.done_file = directory_ / "done";
    options.objects = store::ObjectAccess(objects_.get()).As({"1", "", ""});
    options.client = &client_;
    options.routes = &routes_;
    options.say = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      said_.push_back(line);
    };
    options.wake = [] {};
    return std::make_unique<TransformRun>(std::move(options));
  }
  // To its end; its failure.
  std::string Run() {
    const auto run = Start();
    while (!run->ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return run->failure();
  }

  SystemClock clock_;
  TemporaryDirectory directory_;
  const std::string socket_ = directory_ / "model.sock";
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  TransformSettings settings_;
  std::vector<TransformInput> inputs_;
  EndpointRoutes routes_;
  http::Client client_;
  std::atomic<int> in_flight_ = 0, most_in_flight_ = 0, asked_ = 0;
  std::mutex mutex_;
  std::vector<std::string> said_;
  std::unique_ptr<http::Server> server_;
};

TEST_F(TransformRunTest, AnswersKeepTheOrderOfTheRecords) {
  std::string lines, wanted;
  for (int i = 0; i < 300; ++i) {
    lines += std::string(static_cast<size_t>(i * 7919 % 50), 'x') + std::to_string(i) + "\n";
    wanted += "<" + lines.substr(lines.rfind('\n', lines.size() - 2) + 1);
    wanted.insert(wanted.size() - 1, ">");
  }
  Put("a", lines);
  Put("empty", "");
  Put("b", lines);
  settings_.concurrent = 8;
  Serve([](const std::string& body) { return std::pair(200, "<" + body + ">"); });
  EXPECT_EQ(Run(), "");
  EXPECT_EQ(Output("a"), wanted);
  EXPECT_EQ(Output("b"), wanted);
  EXPECT_TRUE(objects_->Find("bucket", "out/empty.out"));
  EXPECT_EQ(asked_, 600);
  EXPECT_LE(most_in_flight_, 8);
  EXPECT_GT(most_in_flight_, 1);
  EXPECT_THAT(said_, ElementsAre("MaxConcurrentTransforms=8, MaxPayloadInMB=6, BatchStrategy=SINGLE_RECORD"));
}

TEST_F(TransformRunTest, FailuresAreNamedAndStopNoOtherObject) {
  for (int i = 0; i < 20; ++i) Put(fmt::format("o{:02}", i), i % 2 == 0 ? "good\nbad\ngood\ngood\n" : "good\ngood\n");
  settings_.concurrent = 2;
  Serve([](const std::string& body) { return std::pair(body == "bad" ? 400 : 200, body + "\nsaid"); });
  EXPECT_EQ(
      Run(),
      "ClientError: s3://bucket/o00: record 2: Bad HTTP status received from algorithm: 400: bad said (and 9 more "
      "objects failed)");
  EXPECT_EQ(Output("o00"), "");
  EXPECT_EQ(Output("o19"), "good\nsaid\ngood\nsaid\n");
  EXPECT_EQ(said_.size(), 11u);
  EXPECT_THAT(said_.back(),
              HasSubstr("ClientError: record 2: Bad HTTP status received from algorithm: 400: bad\nsaid"));
}

TEST_F(TransformRunTest, WhatMayPassIsAskedAgain) {
  Put("a", "x\n");
  std::atomic<int> times = 0;
  Serve([&](const std::string&) { return std::pair(++times < 3 ? 503 : 200, std::string("done")); });
  EXPECT_EQ(Run(), "");
  EXPECT_EQ(times, 3);
  EXPECT_EQ(Output("a"), "done\n");
}

TEST_F(TransformRunTest, ButNotForEver) {
  Put("a", "x\n");
  settings_.retries = 1;
  Serve([](const std::string&) { return std::pair(500, std::string("no")); });
  EXPECT_THAT(Run(),
              HasSubstr("AlgorithmError: s3://bucket/a: record 1: Bad HTTP status received from algorithm: 500"));
  EXPECT_EQ(asked_, 2);
}

TEST_F(TransformRunTest, WaitsForAModelServerThatIsStartedAgain) {
  Put("a", "x\n");
  Serve([](const std::string&) { return std::pair(200, std::string("here")); });
  routes_.Publish({}, {}, {{"v", 1, 1, {}}});
  const auto run = Start();
  std::this_thread::sleep_for(std::chrono::milliseconds(30));
  EXPECT_FALSE(run->ended());
  Publish();
  while (!run->ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(Output("a"), "here\n");
}

TEST_F(TransformRunTest, WhatIsThroughIsNotDoneTwice) {
  Put("a", "x\n");
  Serve([](const std::string&) { return std::pair(200, std::string("1")); });
  EXPECT_EQ(Run(), "");
  Put("b", "y\n");
  EXPECT_EQ(Run(), "");
  EXPECT_EQ(asked_, 2);
  EXPECT_EQ(Output("b"), "1\n");
  inputs_[0].etag = "another";  // its content has changed since
  EXPECT_EQ(Run(), "");
  EXPECT_EQ(asked_, 3);
}

TEST_F(TransformRunTest, AStopLeavesNoHalfOutput) {
  Put("a", "x\ny\nz\n");
  Serve([&](const std::string& body) {
    if (body == "y") routes_.Publish({}, {}, {{"v", 1, 1, {}}});  // nobody to ask any more
    return std::pair(200, body);
  });
  const auto run = Start();
  while (asked_ < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  run->Stop();
  while (!run->ended()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  EXPECT_EQ(Output("a"), "");
  EXPECT_EQ(run->failure(), "");
}

TEST_F(TransformRunTest, InputsThatAreGoneAndBucketsThatAreNotThere) {
  Put("a", "x\n");
  Put("b", "x\n");
  ValueOrThrow(objects_->Delete("bucket", "a"));
  Serve([](const std::string& body) { return std::pair(200, body); });
  EXPECT_THAT(Run(), HasSubstr("ClientError: s3://bucket/a: "));
  EXPECT_EQ(Output("b"), "x\n");
  settings_.output_path = "s3://none/";
  inputs_[1].etag = "new";
  EXPECT_THAT(Run(), HasSubstr("the bucket 'none' does not exist"));
}

}  // namespace
}  // namespace headrace::jobs
