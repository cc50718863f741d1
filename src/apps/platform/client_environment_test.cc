#include "apps/platform/client_environment.h"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "apps/platform/aws_data_path.h"
#include "apps/platform/listen_address.h"
#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

using testing::Contains;
using testing::Pair;

TEST(ClientEnvironmentTest, NamesWhatClientsNeed) {
  const ServerAddress address{"http://127.0.0.1:1", "https://localhost:2", "us-west-2", 3};
  const auto variables = ClientVariables(address, {"AKIA", "secret"}, {"/d/aws", "", "/d/sdk.yaml"});
  EXPECT_THAT(variables, Contains(Pair("AWS_ENDPOINT_URL", "http://127.0.0.1:1")));
  EXPECT_THAT(variables, Contains(Pair("AWS_SECRET_ACCESS_KEY", "secret")));
  EXPECT_THAT(variables, Contains(Pair("AWS_DATA_PATH", "/d/aws")));
  EXPECT_THAT(variables, Contains(Pair("SAGEMAKER_ADMIN_CONFIG_OVERRIDE", "/d/sdk.yaml")));
  EXPECT_THAT(variables, testing::Not(Contains(testing::Key("AWS_CA_BUNDLE"))));  // Go programs refuse to start with it
  EXPECT_THAT(ClientVariables(address, {}, {"", "/d/ca", ""}), Contains(Pair("AWS_CA_BUNDLE", "/d/ca")));
}

TEST(ClientEnvironmentTest, FindsWhatWouldLeadClientsElsewhere) {
  const char* const environment[] = {"PATH=/bin",
                                     "AWS_SESSION_TOKEN=t",
                                     "AWS_PROFILE=p",
                                     "AWS_ENDPOINT_URL_S3=https://elsewhere",
                                     "AWS_ENDPOINT_URL_$(reboot)=x",
                                     "AWS_ENDPOINT_URL=http://x",
                                     "AWS_CA_BUNDLE=/d/tls/ca.pem",
                                     nullptr};
  EXPECT_THAT(MisleadingVariables(environment),
              testing::ElementsAre("AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_CA_BUNDLE"));
}

// A shell's variables, by name.
GetVariable Shell(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
}

TEST(ClientEnvironmentTest, ProxiesDoNotGetOurRequests) {
  EXPECT_THAT(ProxyExceptions(Shell({}), "http://127.0.0.1:1"), testing::IsEmpty());
  EXPECT_THAT(ProxyExceptions(Shell({{"http_proxy", "http://p"}}), "http://127.0.0.1:1"),
              Contains(Pair("no_proxy", "127.0.0.1")));
  EXPECT_THAT(ProxyExceptions(Shell({{"HTTP_PROXY", "http://p"}, {"NO_PROXY", "a.b"}}), "http://[::1]:1"),
              Contains(Pair("NO_PROXY", "a.b,::1")));
  EXPECT_THAT(ProxyExceptions(Shell({{"HTTP_PROXY", "http://p"}, {"NO_PROXY", "127.0.0.1"}}), "http://127.0.0.1:1"),
              testing::IsEmpty());
}

TEST(ClientEnvironmentTest, TheSdksConfigurationTakesAPlaceThatIsFree) {
  TemporaryDirectory home;
  const std::map<std::string, std::string> free{{"XDG_CONFIG_DIRS", home / "site"}, {"XDG_CONFIG_HOME", home / "user"}};
  auto variables = free;
  EXPECT_EQ(SageMakerConfigVariable(Shell(variables), "/ours"), "SAGEMAKER_ADMIN_CONFIG_OVERRIDE");
  variables["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"] = "/ours";
  EXPECT_EQ(SageMakerConfigVariable(Shell(variables), "/ours"), "SAGEMAKER_ADMIN_CONFIG_OVERRIDE");
  variables["SAGEMAKER_ADMIN_CONFIG_OVERRIDE"] = "/theirs";
  EXPECT_EQ(SageMakerConfigVariable(Shell(variables), "/ours"), "SAGEMAKER_USER_CONFIG_OVERRIDE");
  ASSERT_TRUE(MakeDirectories(home / "user/sagemaker"));
  ASSERT_TRUE(WriteFileAtomically(home / "user/sagemaker/config.yaml", "SchemaVersion: '1.0'\n"));
  EXPECT_EQ(SageMakerConfigVariable(Shell(variables), "/ours"), "");
  EXPECT_EQ(SageMakerConfigVariable(Shell(free), "/ours"), "SAGEMAKER_ADMIN_CONFIG_OVERRIDE");
}

TEST(ClientEnvironmentTest, ValuesAreQuotedForTheShell) {
  EXPECT_EQ(ExportLine("A", "it's $HOME"), "export A='it'\\''s $HOME'");
}

TEST(AwsDataPathTest, StsIsAlwaysOurs) {
  const auto files = AwsDataFiles("http://127.0.0.1:1");
  const auto sts = nlohmann::json::parse(files.at("sts/2011-06-15/endpoint-rule-set-1.json"));
  ASSERT_EQ(sts["rules"].size(), 1U);
  EXPECT_EQ(sts["rules"][0]["endpoint"]["url"], "http://127.0.0.1:1");
  const auto iam = nlohmann::json::parse(files.at("iam/2010-05-08/endpoint-rule-set-1.json"));
  EXPECT_EQ(iam["rules"].size(), 2U);
}

TEST(ListenAddressTest, ReadsAddressesAndTellsLoopback) {
  EXPECT_TRUE(ParseListenAddress("l", "127.0.0.1:4567")->loopback());
  EXPECT_TRUE(ParseListenAddress("l", "[::1]:0")->loopback());
  EXPECT_EQ(ParseListenAddress("l", "localhost:80")->port, 80);
  EXPECT_FALSE(ParseListenAddress("l", "0.0.0.0:1")->loopback());
  for (const char* wrong : {"", "4567", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "host:1", "1.2.3.4:1x"})
    EXPECT_FALSE(ParseListenAddress("l", wrong)) << wrong;
  EXPECT_EQ(ReachableAt("0.0.0.0", 5), "127.0.0.1:5");
  EXPECT_EQ(ReachableAt("::1", 5), "[::1]:5");
}

}  // namespace
}  // namespace headrace::apps
