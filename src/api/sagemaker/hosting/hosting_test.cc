#include <gmock/gmock.h>

#include "api/sagemaker/sagemaker_service.h"
#include "api/testing/service_test.h"
#include "store/meta/endpoints.h"

namespace headrace::api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using testing::StartsWith;

constexpr const char* kImage = "763104351884.dkr.ecr.us-west-2.amazonaws.com/tensorflow-inference:1.15-cpu";
constexpr const char* kEndpointArn = "arn:aws:sagemaker:us-west-2:111111111111:endpoint/";

class HostingTest : public ServiceTest {
 protected:
  HostingTest() {
    SageMakerOptions options{*database_};
    options.objects = objects_.get();
    options.wake_endpoint = [this](const std::string& account, const std::string& name) {
      woken_.emplace_back(account, name);
    };
    service_ = SageMakerService(options);
    MakeBucket(*objects_, "bucket", kAccount, {"model.tar.gz"});
    MakeBucket(*objects_, "theirs", kOther, {"model.tar.gz"});
  }

  static Json Model(const std::string& name, const std::string& url = "s3://bucket/model.tar.gz") {
    return {{"ModelName", name},
            {"ExecutionRoleArn", "arn:aws:iam::111111111111:role/service-role/MyRole"},
            {"PrimaryContainer", {{"Image", kImage}, {"ModelDataUrl", url}, {"Environment", {{"A", "b"}}}}}};
  }
  static Json Config(const std::string& name, Json variant = Json::object()) {
    Json full{{"VariantName", "AllTraffic"},
              {"ModelName", "m"},
              {"InitialInstanceCount", 1},
              {"InstanceType", "ml.m4.xlarge"}};
    full.update(variant);
    return {{"EndpointConfigName", name}, {"ProductionVariants", Json::array({full})}};
  }
  void Make(const std::string& endpoint) {
    Do("CreateModel", Model("m"));
    Do("CreateEndpointConfig", Config("c"));
    Do("CreateEndpoint", {{"EndpointName", endpoint}, {"EndpointConfigName", "c"}});
  }
  void SetStatus(const std::string& endpoint, const std::string& status) {
    ASSERT_TRUE(store::Endpoints(*database_).Update(kAccount, endpoint, [&](store::Endpoint& row) -> Status {
      row.status = status;
      if (status == "InService") row.previous.clear();
      return {};
    }));
  }

  ManualClock clock_{kStart};
  std::unique_ptr<store::ObjectStore> objects_ =
      store::ObjectStore::Open(*database_, clock_, directory_ / "objects").value();
  std::vector<std::pair<std::string, std::string>> woken_;
};

TEST_F(HostingTest, AnEndpointKeepsWhatItNeeds) {
  Make("e");
  EXPECT_THAT(woken_, ElementsAre(Pair(kAccount, "e")));
  Do("DeleteEndpointConfig", {{"EndpointConfigName", "c"}});
  Do("DeleteModel", {{"ModelName", "m"}});
  SetStatus("e", "InService");
  const Json described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(described["EndpointArn"], std::string(kEndpointArn) + "e");
  EXPECT_EQ(described["EndpointConfigName"], "c");
  const Json& variant = described["ProductionVariants"][0];
  EXPECT_EQ(variant["CurrentWeight"], 1.0);
  EXPECT_EQ(variant["DesiredInstanceCount"], 1);
  EXPECT_EQ(variant["DeployedImages"][0]["SpecifiedImage"], kImage);
}

TEST_F(HostingTest, SaysWhatIsMissingAndWhatIsThere) {
  EXPECT_EQ(Refusal("DescribeEndpoint", {{"EndpointName", "Other"}}),
            "ValidationException: Could not find endpoint \"" + std::string(kEndpointArn) + "other\".");
  EXPECT_THAT(Refusal("DeleteModel", {{"ModelName", "x"}}),
              StartsWith("ValidationException: Could not find model \"arn"));
  EXPECT_THAT(Refusal("CreateEndpointConfig", Config("c")), HasSubstr("Could not find model"));
  EXPECT_THAT(Refusal("CreateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "c"}}),
              HasSubstr("Could not find endpoint configuration \"arn"));
  Make("e");
  EXPECT_THAT(Refusal("CreateModel", Model("m")), HasSubstr("Cannot create already existing model \"arn"));
  EXPECT_THAT(Refusal("CreateEndpointConfig", Config("c")),
              HasSubstr("Cannot create already existing endpoint configuration \"arn"));
  EXPECT_THAT(Refusal("CreateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "c"}}),
              HasSubstr("Cannot create already existing endpoint \"arn"));
  EXPECT_THAT(Refusal("DescribeEndpoint", {{"EndpointName", "e"}}, kOther), HasSubstr("Could not find endpoint"));
}

TEST_F(HostingTest, ModelDataMustBeTheCallers) {
  EXPECT_THAT(Refusal("CreateModel", Model("m", "s3://bucket/none.tar.gz")), HasSubstr("Could not find model data at"));
  EXPECT_THAT(Refusal("CreateModel", Model("m", "s3://theirs/model.tar.gz")), HasSubstr("denied"));
}

TEST_F(HostingTest, RefusesWhatItDoesNotOffer) {
  Json model = Model("m");
  model["PrimaryContainer"]["Mode"] = "MultiModel";
  model["PrimaryContainer"]["MultiModelConfig"] = {{"ModelCacheSetting", "Enabled"}};
  EXPECT_THAT(Refusal("CreateModel", model),
              AllOf(HasSubstr("2 validation errors"), HasSubstr("'primaryContainer.mode'"),
                    HasSubstr("'primaryContainer.multiModelConfig'")));
  Do("CreateModel", Model("m"));
  EXPECT_THAT(Refusal("CreateEndpointConfig", Config("c", {{"ServerlessConfig", {{"MemorySizeInMB", 1024}}}})),
              HasSubstr("'productionVariants.1.member.serverlessConfig'"));
  EXPECT_THAT(Refusal("CreateEndpointConfig", Config("c", {{"InitialVariantWeight", -1}})),
              HasSubstr("'productionVariants.1.member.initialVariantWeight'"));
  Json captured = Config("c");
  captured["DataCaptureConfig"] = Json::parse(R"({"EnableCapture": true, "InitialSamplingPercentage": 1,
      "DestinationS3Uri": "s3://b/k", "CaptureOptions": [{"CaptureMode": "Input"}]})");
  EXPECT_THAT(Refusal("CreateEndpointConfig", captured), HasSubstr("dataCaptureConfig.enableCapture"));
  captured["DataCaptureConfig"]["EnableCapture"] = false;
  Do("CreateEndpointConfig", captured);
  const Json canary = Json::parse(R"({"EndpointName": "e", "EndpointConfigName": "c", "DeploymentConfig":
      {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "CANARY"}}}})");
  EXPECT_THAT(Refusal("CreateEndpoint", canary), HasSubstr("trafficRoutingConfiguration.type"));
}

TEST_F(HostingTest, UpdatesKeepWhatServesUntilTheyAreThrough) {
  Make("e");
  Do("CreateEndpointConfig", Config("d", {{"InitialInstanceCount", 3}, {"InitialVariantWeight", 2}}));
  const Json update{{"EndpointName", "e"}, {"EndpointConfigName", "d"}};
  EXPECT_THAT(Refusal("UpdateEndpoint", update), HasSubstr("Cannot update in-progress endpoint"));
  SetStatus("e", "Failed");
  EXPECT_THAT(Refusal("UpdateEndpoint", update), HasSubstr("Cannot update endpoint"));
  SetStatus("e", "InService");
  Do("UpdateEndpoint", update);
  Json described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(described["EndpointStatus"], "Updating");
  EXPECT_EQ(described["ProductionVariants"][0]["CurrentInstanceCount"], 1);
  EXPECT_EQ(described["ProductionVariants"][0]["DesiredInstanceCount"], 3);
  SetStatus("e", "InService");
  Do("UpdateEndpoint",
     {{"EndpointName", "e"},
      {"EndpointConfigName", "c"},
      {"RetainAllVariantProperties", true},
      {"ExcludeRetainedVariantProperties", Json::array({{{"VariantPropertyType", "DesiredWeight"}}})}});
  described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(described["ProductionVariants"][0]["DesiredInstanceCount"], 3);
  EXPECT_EQ(described["ProductionVariants"][0]["DesiredWeight"], 1.0);
}

TEST_F(HostingTest, DescribesWhatIsPendingApartFromWhatServes) {
  Do("CreateModel", Model("m"));
  Do("CreateEndpointConfig", Config("c"));
  Json create{{"EndpointName", "e"}, {"EndpointConfigName", "c"}};
  create["DeploymentConfig"] = Json::parse(
      R"({"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}}})");
  Do("CreateEndpoint", create);
  Json described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_FALSE(described.contains("ProductionVariants"));
  EXPECT_EQ(described["PendingDeploymentSummary"]["EndpointConfigName"], "c");
  EXPECT_EQ(described["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"][0]["Status"], "Creating");
  EXPECT_EQ(described["LastDeploymentConfig"], create["DeploymentConfig"]);

  SetStatus("e", "InService");
  described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_FALSE(described.contains("PendingDeploymentSummary"));
  EXPECT_FALSE(described["ProductionVariants"][0].contains("VariantStatus"));
  Do("CreateEndpointConfig", Config("d", {{"VariantName", "Other"}, {"InitialInstanceCount", 2}}));
  Do("UpdateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "d"}, {"RetainDeploymentConfig", true}});
  described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(described["EndpointConfigName"], "c");
  ASSERT_EQ(described["ProductionVariants"].size(), 1);
  EXPECT_EQ(described["ProductionVariants"][0]["VariantName"], "AllTraffic");
  EXPECT_EQ(described["ProductionVariants"][0]["VariantStatus"][0]["Status"], "Updating");
  const Json& pending = described["PendingDeploymentSummary"];
  EXPECT_EQ(pending["EndpointConfigName"], "d");
  EXPECT_EQ(pending["ProductionVariants"][0]["VariantName"], "Other");
  EXPECT_EQ(pending["ProductionVariants"][0]["DesiredInstanceCount"], 2);
  EXPECT_EQ(pending["ProductionVariants"][0]["InstanceType"], "ml.m4.xlarge");
  EXPECT_EQ(described["LastDeploymentConfig"], create["DeploymentConfig"]);

  SetStatus("e", "InService");
  described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(described["EndpointConfigName"], "d");
  EXPECT_EQ(described["ProductionVariants"][0]["CurrentInstanceCount"], 2);
}

TEST_F(HostingTest, RoutingIsKeptAndShown) {
  Do("CreateModel", Model("m"));
  const auto with = [](const Json& routing) { return Config("c", {{"RoutingConfig", routing}}); };
  EXPECT_THAT(Refusal("CreateEndpointConfig", with({{"RoutingStrategy", "PREFIX_AWARE"}})),
              HasSubstr("at 'productionVariants.1.member.routingConfig.routingStrategy' failed to satisfy constraint: "
                        "Member must satisfy enum value set: [LEAST_OUTSTANDING_REQUESTS, RANDOM]"));
  EXPECT_THAT(Refusal("CreateEndpointConfig", with(Json::object())), HasSubstr("routingConfig.routingStrategy"));
  const Json random{{"RoutingStrategy", "RANDOM"}};
  Do("CreateEndpointConfig", with(random));
  EXPECT_EQ(Do("DescribeEndpointConfig", {{"EndpointConfigName", "c"}})["ProductionVariants"][0]["RoutingConfig"],
            random);
  Do("CreateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "c"}});
  Json described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_EQ(described["PendingDeploymentSummary"]["ProductionVariants"][0]["RoutingConfig"], random);
  SetStatus("e", "InService");
  EXPECT_EQ(Do("DescribeEndpoint", {{"EndpointName", "e"}})["ProductionVariants"][0]["RoutingConfig"], random);
  Do("CreateEndpointConfig", Config("d"));
  Do("UpdateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "d"}, {"RetainAllVariantProperties", true}});
  described = Do("DescribeEndpoint", {{"EndpointName", "e"}});
  EXPECT_FALSE(described["PendingDeploymentSummary"]["ProductionVariants"][0].contains("RoutingConfig"));
}

// Clients check types before they send; others need not.
TEST_F(HostingTest, WrongTypesAreRefusedOrLetBe) {
  Make("e");
  SetStatus("e", "InService");
  Json create = Json::parse(R"({"EndpointName": "f", "EndpointConfigName": "c", "Tags": [{"Key": "k", "Value": "v"}],
      "DeploymentConfig": {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE",
      "WaitIntervalInSeconds": 0}}, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}]},
      "RollingUpdatePolicy": {}}})");
  Json update = create;
  update["EndpointName"] = "e";
  update.update(Json::parse(R"({"RetainAllVariantProperties": true, "RetainDeploymentConfig": true,
      "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}]})"));
  Json config = Config("x");
  config.update(
      Json::parse(R"({"DataCaptureConfig": {"EnableCapture": true}, "AsyncInferenceConfig": {}, "KmsKeyId": "k"})"));
  config["ProductionVariants"][0].update(Json::parse(
      R"({"InitialVariantWeight": 1, "RoutingConfig": {"RoutingStrategy": "RANDOM"}, "ServerlessConfig": {}})"));
  Json model = Model("y");
  model["PrimaryContainer"]["ModelDataSource"] = Json::parse(
      R"({"S3DataSource": {"S3Uri": "s3://bucket/m/", "S3DataType": "S3Prefix", "CompressionType": "None"}})");
  model["Containers"] = Json::array({model["PrimaryContainer"]});
  const Json list{
      {"MaxResults", 1}, {"NextToken", "t"}, {"SortBy", "Name"}, {"CreationTimeAfter", 1}, {"NameContains", "a"}};
  const Json weights =
      Json::parse(R"({"EndpointName": "e", "DesiredWeightsAndCapacities": [{"VariantName": "AllTraffic",
      "DesiredWeight": 1, "DesiredInstanceCount": 1, "ServerlessUpdateConfig": {}}]})");
  const std::map<std::string, Json> requests{{"CreateModel", model},
                                             {"CreateEndpointConfig", config},
                                             {"CreateEndpoint", create},
                                             {"UpdateEndpoint", update},
                                             {"UpdateEndpointWeightsAndCapacities", weights},
                                             {"DescribeEndpoint", {{"EndpointName", "e"}}},
                                             {"DeleteModel", {{"ModelName", "none"}}},
                                             {"ListEndpoints", list},
                                             {"ListModels", list}};
  size_t asked = 0;
  for (const auto& [operation, request] : requests) {
    const Json flat = request.flatten();  // its keys are the paths of the leaves; what is above them is replaced too
    for (const auto& [leaf, ignored] : flat.items()) {
      for (Json::json_pointer path(leaf); !path.empty(); path = path.parent_pointer()) {
        for (const Json& wrong : {Json(5), Json("x"), Json(true), Json(-1.5), Json::array(), Json::object(),
                                  Json::array({5}), Json{{"a", 1}}}) {
          Json changed = request;
          changed[path] = wrong;
          const auto reply = Ask(operation, changed);
          EXPECT_LT(reply ? 200 : reply.error().status, 500) << operation << " " << changed.dump();
          ++asked;
        }
      }
    }
  }
  EXPECT_GT(asked, 500u);
}

TEST_F(HostingTest, WeightsAndCapacities) {
  Make("e");
  SetStatus("e", "InService");
  const auto change = [](Json variant) {
    return Json{{"EndpointName", "e"}, {"DesiredWeightsAndCapacities", Json::array({std::move(variant)})}};
  };
  EXPECT_THAT(Refusal("UpdateEndpointWeightsAndCapacities", change({{"VariantName", "x"}})),
              HasSubstr("name a variant"));
  EXPECT_THAT(Refusal("UpdateEndpointWeightsAndCapacities",
                      change({{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", 0}})),
              HasSubstr("greater than or equal to 1"));
  EXPECT_THAT(Refusal("UpdateEndpointWeightsAndCapacities",
                      change({{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", 21}})),
              HasSubstr("ResourceLimitExceeded"));
  Do("UpdateEndpointWeightsAndCapacities",
     change({{"VariantName", "AllTraffic"}, {"DesiredInstanceCount", 2}, {"DesiredWeight", 0.5}}));
  const Json variant = Do("DescribeEndpoint", {{"EndpointName", "e"}})["ProductionVariants"][0];
  EXPECT_EQ(variant["DesiredInstanceCount"], 2);
  EXPECT_EQ(variant["DesiredWeight"], 0.5);
}

TEST_F(HostingTest, DeletionWorksInEveryState) {
  Make("e");
  for (const char* status : {"Creating", "InService", "Updating", "Failed", "Deleting"}) {
    SetStatus("e", status);
    Do("DeleteEndpoint", {{"EndpointName", "e"}});
    EXPECT_EQ(Do("DescribeEndpoint", {{"EndpointName", "e"}})["EndpointStatus"], "Deleting");
  }
}

TEST_F(HostingTest, TagsOfAllThree) {
  Json model = Model("m");
  model["Tags"] = Json::array({{{"Key", "a"}, {"Value", "b"}}});
  const std::string arn = Do("CreateModel", model)["ModelArn"];
  EXPECT_EQ(Do("ListTags", {{"ResourceArn", arn}})["Tags"], model["Tags"]);
  EXPECT_FALSE(Do("DescribeModel", {{"ModelName", "m"}}).contains("Tags"));
  Do("CreateEndpointConfig", Config("c"));
  Do("CreateEndpoint", {{"EndpointName", "e"}, {"EndpointConfigName", "c"}});
  for (const char* kind : {"endpoint-config/c", "endpoint/e"}) {
    const std::string other = std::string("arn:aws:sagemaker:us-west-2:111111111111:") + kind;
    Do("AddTags", {{"ResourceArn", other}, {"Tags", model["Tags"]}});
    EXPECT_EQ(Do("ListTags", {{"ResourceArn", other}})["Tags"].size(), 1);
    EXPECT_THAT(Refusal("ListTags", {{"ResourceArn", other}}, kOther), HasSubstr("not found"));
  }
  Do("DeleteModel", {{"ModelName", "m"}});
  EXPECT_THAT(Refusal("ListTags", {{"ResourceArn", arn}}), HasSubstr("not found"));
}

// Models and configurations have neither a status nor a time of change.
TEST_F(HostingTest, ListingsLetFiltersBeThatTheyDoNotHave) {
  Make("e");
  const Json foreign{{"StatusEquals", "Failed"}, {"LastModifiedTimeAfter", 9e9}, {"LastModifiedTimeBefore", 1}};
  EXPECT_EQ(Do("ListModels", foreign)["Models"].size(), 1);
  EXPECT_EQ(Do("ListEndpointConfigs", foreign)["EndpointConfigs"].size(), 1);
  EXPECT_EQ(Do("ListModels", {{"StatusEquals", 5}})["Models"].size(), 1);
  EXPECT_EQ(Do("ListEndpoints", foreign)["Endpoints"].size(), 0);
}

TEST_F(HostingTest, ListingsGoOnWhereTheyEnded) {
  Make("e");
  for (const char* name : {"f", "g"}) Do("CreateEndpoint", {{"EndpointName", name}, {"EndpointConfigName", "c"}});
  const Json first = Do("ListEndpoints", {{"MaxResults", 2}, {"SortBy", "Name"}, {"SortOrder", "Ascending"}});
  ASSERT_EQ(first["Endpoints"].size(), 2);
  EXPECT_EQ(first["Endpoints"][1]["EndpointName"], "f");
  const Json second =
      Do("ListEndpoints",
         {{"MaxResults", 2}, {"SortBy", "Name"}, {"SortOrder", "Ascending"}, {"NextToken", first["NextToken"]}});
  ASSERT_EQ(second["Endpoints"].size(), 1);
  EXPECT_FALSE(second.contains("NextToken"));
  EXPECT_EQ(Do("ListEndpoints", {{"StatusEquals", "Failed"}})["Endpoints"].size(), 0);
  EXPECT_THAT(Refusal("ListModels", {{"NextToken", first["NextToken"]}}), HasSubstr("ValidationException"));
  EXPECT_EQ(Do("ListModels", Json::object())["Models"][0]["ModelName"], "m");
}

}  // namespace
}  // namespace headrace::api
