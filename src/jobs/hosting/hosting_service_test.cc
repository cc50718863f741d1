// Endpoints of the service with real model server processes, as far as models that cannot be served go; what serves is
// tested from outside, in tests/clients/test_hosting.py.
#include "jobs/hosting/hosting_service.h"

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "jobs/archive/pack.h"
#include "jobs/hosting/deployment.h"
#include "jobs/hosting/model_files.h"
#include "jobs/machine/machine.h"
#include "store/meta/endpoints.h"
#include "store/meta/logs.h"
#include "store/objects/object_store.h"

namespace headrace::jobs {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::SizeIs;

constexpr const char* kOwner = "000000000001";

class HostingServiceTest : public testing::Test {
 protected:
  HostingServiceTest() {
    store::Bucket bucket;
    bucket.name = "bucket";
    bucket.owner = kOwner;
    ValueOrThrow(objects_->CreateBucket(bucket));
  }

  void Start() {
    HostingOptions options;
    options.database = database_.get();
    options.objects = objects_.get();
    options.clock = &clock_;
    options.data_dir = directory_.path();
    options.headrace_binary = HEADRACE_BINARY;
    options.machine = &machine_;
    service_ = std::make_unique<HostingService>(options);
    ValueOrThrow(service_->Start());
  }

  store::AccountObjects Objects(const std::string& account) {
    return store::ObjectAccess(objects_.get()).As({account, "", ""});
  }
  void PutObject(const std::string& key, const std::string& bytes) {
    auto blob = ValueOrThrow(objects_->NewBlob());
    ValueOrThrow(blob.Write(bytes));
    ValueOrThrow(objects_->Commit(std::move(blob), "bucket", key, {}));
  }
  // An archive of files that are no model.
  void PutArchive(const std::string& key, const std::vector<std::string>& names) {
    TemporaryDirectory source, target;
    for (const auto& name : names) {
      ValueOrThrow(MakeDirectories(fs::path(source / name).parent_path()));
      std::ofstream(source / name) << "text";
    }
    ValueOrThrow(PackDirectory(source.path(), target / "a.tar.gz"));
    PutObject(key, ValueOrThrow(ReadFile(target / "a.tar.gz")));
  }

  void Insert(const std::string& name, const std::string& key, const std::string& status = "Creating") {
    Deployment deployment;
    deployment.config_name = "c";
    Variant variant;
    variant.name = "v";
    variant.instance_type = "ml.m4.xlarge";
    variant.model.data = "s3://bucket/" + key;
    deployment.variants = {variant};
    store::Endpoint endpoint;
    endpoint.account_id = kOwner;
    endpoint.name = name;
    endpoint.arn = "arn/" + name;
    endpoint.status = status;
    endpoint.deployment = ToJson(deployment);
    ValueOrThrow(database_->Write([&](store::Connection& db) -> Status {
      HEADRACE_ASSIGN(const bool inserted, store::Endpoints::InsertIn(db, endpoint));
      EXPECT_TRUE(inserted);
      return {};
    }));
  }
  std::optional<store::Endpoint> Find(const std::string& name) {
    return ValueOrThrow(store::Endpoints(*database_).Find(kOwner, name));
  }
  // The row once it has that status; "" waits until there is none.
  std::optional<store::Endpoint> Await(const std::string& name, const std::string& status) {
    for (int i = 0; i < 3000; ++i) {
      auto row = Find(name);
      if (row ? row->status == status : status.empty()) return row;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ADD_FAILURE() << name << " is never '" << status << "'";
    return std::nullopt;
  }
  void Delete(const std::string& name) {
    ValueOrThrow(store::Endpoints(*database_).Update(kOwner, name, [](store::Endpoint& row) -> Status {
      row.status = "Deleting";
      return {};
    }));
    service_->Wake(kOwner, name);
    Await(name, "");
  }
  std::string Directory(const std::string& name) const {
    return directory_ / ("endpoints/" + std::string(kOwner) + "/" + name);
  }

  SystemClock clock_;
  Machine machine_{{}};
  TemporaryDirectory directory_;
  std::unique_ptr<store::Database> database_ = store::Database::Open(directory_ / "meta.db").value();
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  std::unique_ptr<HostingService> service_;
};

TEST_F(HostingServiceTest, WithoutAModelInTheArchiveTheEndpointFailsWithTheLastLines) {
  PutArchive("m.tar.gz", {"no/model"});
  Insert("e", "m.tar.gz");
  Start();
  const auto row = Await("e", "Failed");
  ASSERT_TRUE(row);
  EXPECT_THAT(row->failure_reason, HasSubstr("production variant v did not pass the ping health check"));
  EXPECT_THAT(row->failure_reason, HasSubstr("no directory NAME/NUMBER with a saved_model.pb"));
  EXPECT_EQ(service_->routes().Take(kOwner, "e").missing, EndpointRoutes::Missing::kEndpoint);
  EXPECT_TRUE(fs::exists(Directory("e")));
  store::Logs logs(*database_);
  std::optional<store::LogGroup> group;
  for (int i = 0; i < 500 && !group; ++i) {
    group = ValueOrThrow(logs.FindGroup(kOwner, "/aws/sagemaker/Endpoints/e"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  ASSERT_TRUE(group);
  EXPECT_THAT(ValueOrThrow(logs.ListStreams(*group, {.prefix = "v/i-"})), SizeIs(1));
  Delete("e");
  EXPECT_FALSE(fs::exists(Directory("e")));
}

TEST_F(HostingServiceTest, ModelDataThatCannotBeHadFails) {
  Insert("absent", "absent.tar.gz");
  PutObject("garbage.tar.gz", std::string(1000, 'x'));
  Insert("garbage", "garbage.tar.gz");
  PutArchive("script.tar.gz", {"code/inference.py"});
  Insert("script", "script.tar.gz");
  Start();
  EXPECT_THAT(Await("absent", "Failed")->failure_reason, HasSubstr("there is no object s3://bucket/absent.tar.gz"));
  EXPECT_THAT(Await("garbage", "Failed")->failure_reason, HasSubstr("not a readable tar archive"));
  EXPECT_THAT(Await("script", "Failed")->failure_reason, HasSubstr("code/inference.py"));
}

TEST_F(HostingServiceTest, AStartEndsDeletionsAndRemovesWhatIsLeft) {
  Insert("going", "m.tar.gz", "Deleting");
  ValueOrThrow(MakeDirectories(Directory("going") + "/g1"));
  ValueOrThrow(MakeDirectories(Directory("orphan") + "/g1"));
  Start();
  Await("going", "");
  EXPECT_FALSE(fs::exists(Directory("going")));
  EXPECT_FALSE(fs::exists(Directory("orphan")));
}

TEST_F(HostingServiceTest, ANameCanBeUsedAgain) {
  PutArchive("m.tar.gz", {"no/model"});
  Start();
  for (int round = 0; round < 3; ++round) {
    Insert("e", "m.tar.gz");
    service_->Wake(kOwner, "e");
    if (round > 0) Await("e", "Failed");
    Delete("e");
  }
  EXPECT_FALSE(Find("e"));
}

TEST_F(HostingServiceTest, AModelThatIsAPrefixIsCopied) {
  PutObject("model/1/saved_model.pb", "x");
  HostedModel model;
  model.data = "s3://bucket/model/";
  model.is_prefix = true;
  EXPECT_TRUE(CheckModelData(Objects(kOwner), model));
  const auto never = [] { return false; };
  ASSERT_TRUE(FetchModel(Objects(kOwner), model, directory_ / "fetched", never));
  EXPECT_EQ(ReadFile(directory_ / "fetched/1/saved_model.pb").value(), "x");
  model.data = "s3://bucket/nothing/";
  EXPECT_EQ(CheckModelData(Objects(kOwner), model).error().code(), ErrorCode::kNotFound);
  EXPECT_FALSE(CheckModelData(Objects("000000000002"), model));
}

TEST_F(HostingServiceTest, NobodyWaitsForAModelThatIsNotWantedAnyMore) {
  PutObject("model/1/saved_model.pb", std::string(1 << 20, 'x'));
  PutArchive("m.tar.gz", {"1/saved_model.pb"});
  for (const bool is_prefix : {true, false}) {
    HostedModel model;
    model.data = is_prefix ? "s3://bucket/model/" : "s3://bucket/m.tar.gz";
    model.is_prefix = is_prefix;
    const auto fetched = FetchModel(Objects(kOwner), model, directory_ / "fetched", [] { return true; });
    EXPECT_EQ(fetched.error().code(), ErrorCode::kUnavailable) << model.data;
    EXPECT_FALSE(std::filesystem::exists(directory_ / "fetched"));
  }
}

}  // namespace
}  // namespace headrace::jobs
