// A platform without HTTP: the training service with real supervisors, its stores, and what clients would ask them.
#pragma once

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/pack.h"
#include "jobs/training/local_executor.h"
#include "jobs/training/training_service.h"
#include "store/meta/logs.h"
#include "store/meta/metrics.h"
#include "store/meta/training_jobs.h"
#include "store/objects/object_store.h"

namespace headrace::jobs {

// A platform in a directory of its own, or in one that others have used before.
class Platform {
 public:
  static constexpr const char* kAccount = "000000000001";

  Platform() : Platform("") {}
  explicit Platform(const std::string& directory) : path_(directory.empty() ? temporary_.path() : directory) {
    database_ = ValueOrThrow(store::Database::Open(path_ + "/meta.db"));
    objects_ = ValueOrThrow(store::ObjectStore::Open(*database_, clock_, path_ + "/objects"));
    store::Bucket bucket;
    bucket.name = "bucket";
    bucket.owner = kAccount;
    bucket.region = "us-west-2";
    bucket.created = clock_.Now();
    if (!objects_->FindBucket("bucket")) ValueOrThrow(objects_->CreateBucket(bucket));
    options_.database = database_.get();
    options_.objects = objects_.get();
    options_.clock = &clock_;
    options_.data_dir = path_;
    executor_options_.data_dir = path_;
    executor_options_.headrace_binary = HEADRACE_BINARY;
    executor_options_.steady = &steady_;
    machine_options_.job_cores = 2;
    options_.region = "us-west-2";
    options_.environment = [](const store::TrainingJob&) -> Result<std::map<std::string, std::string>> {
      return std::map<std::string, std::string>{{"AWS_ENDPOINT_URL", "http://127.0.0.1:1"},
                                                {"AWS_SECRET_ACCESS_KEY", "hush"}};
    };
    options_.stop_grace_seconds = 20;
    options_.resource_sample_millis = 100;
    options_.poll_millis = 10;
    options_.checkpoint_sync_millis = 50;
  }

  TrainingOptions& options() { return options_; }
  LocalExecutorOptions& executor_options() { return executor_options_; }
  MachineOptions& machine_options() { return machine_options_; }
  store::ObjectStore& objects() { return *objects_; }
  store::AccountObjects account(const std::string& id = kAccount) {
    return ValueOrThrow(store::ObjectAccess(objects_.get()).Of(id));
  }
  TrainingService& service() { return *service_; }
  std::string JobPath(const std::string& name) const { return path_ + "/jobs/" + std::string(kAccount) + "/" + name; }

  void Start() {
    service_.reset();
    executor_.reset();
    machine_ = std::make_unique<Machine>(machine_options_);
    executor_options_.machine = machine_.get();
    executor_ = std::make_unique<LocalExecutor>(executor_options_);
    options_.executor = executor_.get();
    service_ = std::make_unique<TrainingService>(options_);
    ValueOrThrow(service_->Start());
  }
  void Stop() { service_.reset(); }

  void PutObject(const std::string& key, const std::string& bytes) {
    auto blob = ValueOrThrow(objects_->NewBlob());
    ValueOrThrow(blob.Write(bytes));
    store::ObjectInfo info;
    info.owner = kAccount;
    ValueOrThrow(objects_->Commit(std::move(blob), "bucket", key, info));
  }

  // An object's bytes; "" without one.
  std::string GetObject(const std::string& key) {
    const auto object = objects_->Find("bucket", key);
    return object ? ReadFile(objects_->BlobPath(*object)).value_or("") : "";
  }

  // A job that runs a shell script.
  static nlohmann::json Script(const std::string& script) {
    return {
        {"AlgorithmSpecification",
         {{"TrainingInputMode", "File"}, {"ContainerEntrypoint", {"/bin/sh", "-c"}}, {"ContainerArguments", {script}}}},
        {"OutputDataConfig", {{"S3OutputPath", "s3://bucket/out/"}}},
        {"ResourceConfig", {{"InstanceCount", 1}, {"InstanceType", "ml.m5.large"}, {"VolumeSizeInGB", 1}}},
        {"StoppingCondition", {{"MaxRuntimeInSeconds", 600}}}};
  }

  // A job whose entry point comes in sourcedir.tar.gz.
  nlohmann::json Source(const std::map<std::string, std::string>& files, const std::string& program,
                        nlohmann::json parameters = nlohmann::json::object()) {
    TemporaryDirectory source;
    for (const auto& [name, text] : files) {
      ValueOrThrow(MakeDirectories(std::filesystem::path(source / name).parent_path()));
      std::ofstream(source / name) << text;
    }
    TemporaryDirectory archive;
    ValueOrThrow(PackDirectory(source.path(), archive / "sourcedir.tar.gz"));
    PutObject("source/sourcedir.tar.gz", ValueOrThrow(ReadFile(archive / "sourcedir.tar.gz")));
    nlohmann::json request = Script("");
    request["AlgorithmSpecification"] = {{"TrainingInputMode", "File"}};
    parameters["sagemaker_program"] = nlohmann::json(program).dump();
    parameters["sagemaker_submit_directory"] = nlohmann::json("s3://bucket/source/sourcedir.tar.gz").dump();
    request["HyperParameters"] = parameters;
    return request;
  }

  void Create(const std::string& name, const nlohmann::json& request) {
    store::TrainingJob job;
    job.account_id = kAccount;
    job.name = name;
    job.arn = "arn:aws:sagemaker:us-west-2:" + std::string(kAccount) + ":training-job/" + name;
    job.request = request.dump();
    job.created = job.modified = clock_.Now();
    store::MoveTo(job, "Starting", "Starting the training job", clock_.Now());
    store::TrainingJobs rows(*database_);
    ASSERT_TRUE(ValueOrThrow(rows.Insert(job)));
    if (service_) service_->Submit(kAccount, name);
  }

  store::TrainingJob Find(const std::string& name) {
    store::TrainingJobs rows(*database_);
    return ValueOrThrow(rows.Find(kAccount, name)).value();
  }

  // Polls, as a client does, for two minutes at most.
  store::TrainingJob WaitFor(const std::string& name, const std::function<bool(const store::TrainingJob&)>& condition) {
    for (int i = 0; i < 12'000; ++i) {
      auto job = Find(name);
      if (condition(job)) return job;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << name << " is " << Find(name).status << "/" << Find(name).secondary_status;
    return Find(name);
  }
  store::TrainingJob WaitForEnd(const std::string& name) {
    return WaitFor(name, [](const store::TrainingJob& job) { return store::IsTerminal(job.status); });
  }
  void WaitForLine(const std::string& name, const std::string& line) {
    WaitFor(name, [&](const store::TrainingJob& job) {
      const auto lines = Log(name);
      return std::find(lines.begin(), lines.end(), line) != lines.end() || store::IsTerminal(job.status);
    });
  }

  std::vector<std::string> Log(const std::string& name, const std::string& host = "algo-1") {
    std::vector<std::string> lines;
    store::Logs logs(*database_);
    const auto group = ValueOrThrow(logs.FindGroup(kAccount, "/aws/sagemaker/TrainingJobs"));
    if (!group) return lines;
    for (const auto& stream : ValueOrThrow(logs.ListStreams(*group, {.prefix = name + "/" + host + "-"})))
      ValueOrThrow(logs.ReadForward(stream.id, {}, store::kBeforeFirstEvent, [&](store::LogEvent&& event) {
        lines.push_back(event.message);
        return true;
      }));
    return lines;
  }

  std::vector<double> Metric(const std::string& name, const store::Dimensions& dimensions) {
    std::vector<double> values;
    store::Metrics metrics(*database_);
    const auto series = ValueOrThrow(metrics.Find({kAccount, "/aws/sagemaker/TrainingJobs", name, dimensions}));
    if (series)
      ValueOrThrow(metrics.Read(series->id, 0, INT64_MAX,
                                [&](const store::MetricSample& sample) { values.push_back(sample.sum); }));
    return values;
  }

 private:
  TemporaryDirectory temporary_;
  const std::string path_;
  SystemClock clock_;
  std::unique_ptr<store::Database> database_;
  std::unique_ptr<store::ObjectStore> objects_;
  BootClock steady_;
  MachineOptions machine_options_;
  LocalExecutorOptions executor_options_;
  TrainingOptions options_;
  std::unique_ptr<Machine> machine_;
  std::unique_ptr<LocalExecutor> executor_;
  std::unique_ptr<TrainingService> service_;
};

}  // namespace headrace::jobs
