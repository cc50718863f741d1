// Jobs of the service with real model server processes, as far as models that cannot be served go; what serves is
// tested from outside, in tests/clients/test_transform.py.
#include "jobs/transform/transform_service.h"

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/pack.h"
#include "jobs/hosting/generation.h"
#include "store/meta/logs.h"
#include "store/meta/transform_jobs.h"
#include "store/objects/object_store.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kTransformOwner = "000000000001";

class TransformServiceTest : public testing::Test {
 protected:
  TransformServiceTest() {
    store::Bucket bucket;
    bucket.name = "bucket";
    bucket.owner = kTransformOwner;
    ValueOrThrow(objects_->CreateBucket(bucket));
    machine_.options.database = database_.get();
    machine_.options.objects = objects_.get();
    machine_.options.clock = &clock_;
    machine_.options.data_dir = directory_.path();
    machine_.options.headrace_binary = HEADRACE_BINARY;
    machine_.options.machine = &this_machine_;
    TemporaryDirectory source, target;
    ValueOrThrow(WriteFileAtomically(source / "no_model", "text"));
    ValueOrThrow(PackDirectory(source.path(), target / "a.tar.gz"));
    Put("model.tar.gz", ValueOrThrow(ReadFile(target / "a.tar.gz")));
    Put("in/a", "x");
  }

  void Put(const std::string& key, const std::string& bytes) {
    auto blob = ValueOrThrow(objects_->NewBlob());
    ValueOrThrow(blob.Write(bytes));
    ValueOrThrow(objects_->Commit(std::move(blob), "bucket", key, {}));
  }
  void Insert(const std::string& name, const std::string& model, const std::string& status = "InProgress",
              const std::string& prefix = "in/") {
    Variant variant;
    variant.name = name;
    variant.instance_type = "ml.m4.xlarge";
    variant.model.data = "s3://bucket/" + model;
    Deployment deployment;
    deployment.variants = {variant};
    store::TransformJob job;
    job.account_id = kTransformOwner;
    job.name = name;
    job.status = status;
    job.deployment = ToJson(deployment);
    job.request = R"({"TransformInput": {"DataSource": {"S3DataSource": {"S3DataType": "S3Prefix",
        "S3Uri": "s3://bucket/)" +
                  prefix + R"("}}}, "TransformOutput": {"S3OutputPath": "s3://bucket/out"},
        "TransformResources": {"InstanceCount": 1, "InstanceType": "ml.m4.xlarge"}})";
    ValueOrThrow(database_->Write([&](store::Connection& db) -> Status {
      HEADRACE_ASSIGN(const bool inserted, store::TransformJobs::InsertIn(db, job));
      EXPECT_TRUE(inserted);
      return {};
    }));
  }
  store::TransformJob AwaitEnd(const std::string& name) {
    store::TransformJob row;
    for (int i = 0; i < 3000; ++i) {
      row = ValueOrThrow(store::TransformJobs(*database_).Find(kTransformOwner, name)).value();
      if (row.status != "InProgress" && row.status != "Stopping") return row;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << name << " is still " << row.status;
    return row;
  }
  std::string Directory(const std::string& name) const {
    return directory_ / ("transforms/" + std::string(kTransformOwner) + "/" + name);
  }

  SystemClock clock_;
  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  Machine this_machine_{{}};
  HostingMachine machine_;
};

TEST_F(TransformServiceTest, AModelThatCannotBeServedFailsTheJobWithItsLastLines) {
  Insert("j", "model.tar.gz");
  Insert("none", "none.tar.gz");
  Insert("empty", "model.tar.gz", "InProgress", "nothing/");
  {
    TransformService service(machine_);
    ValueOrThrow(service.Start());
    const auto job = AwaitEnd("j");
    EXPECT_EQ(job.status, "Failed");
    EXPECT_THAT(job.failure_reason, StartsWith("AlgorithmError: The model server ended: exit code 1."));
    EXPECT_THAT(job.failure_reason, HasSubstr("no directory NAME/NUMBER with a saved_model.pb"));
    EXPECT_GT(job.transform_start, 0);
    EXPECT_GE(job.transform_end, job.transform_start);
    EXPECT_THAT(AwaitEnd("none").failure_reason, HasSubstr("there is no object s3://bucket/none.tar.gz"));
    EXPECT_THAT(AwaitEnd("empty").failure_reason, StartsWith("ClientError: No S3 objects found"));
  }
  for (const char* name : {"j", "none", "empty"}) EXPECT_FALSE(fs::exists(Directory(name))) << name;
  store::Logs logs(*database_);
  const auto group = ValueOrThrow(logs.FindGroup(kTransformOwner, "/aws/sagemaker/TransformJobs"));
  ASSERT_TRUE(group);
  EXPECT_EQ(ValueOrThrow(logs.ListStreams(*group, {.prefix = "j/i-0"})).size(), 1u);
}

TEST_F(TransformServiceTest, AStartEndsWhatWasToBeStoppedAndRemovesWhatIsLeft) {
  Insert("stopping", "model.tar.gz", "Stopping");
  Insert("ended", "model.tar.gz", "Completed");
  ValueOrThrow(MakeDirectories(Directory("ended")));
  ValueOrThrow(MakeDirectories(Directory("unknown")));
  TransformService service(machine_);
  ValueOrThrow(service.Start());
  EXPECT_EQ(AwaitEnd("stopping").status, "Stopped");
  EXPECT_FALSE(fs::exists(Directory("ended")));
  EXPECT_FALSE(fs::exists(Directory("unknown")));
  service.Wake(kTransformOwner, "ended");  // too late: nothing happens
  service.Stop();
  EXPECT_EQ(AwaitEnd("ended").status, "Completed");
}

}  // namespace
}  // namespace headrace::jobs
