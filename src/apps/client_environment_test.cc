#include "apps/client_environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "apps/aws_data_path.h"
#include "apps/listen_address.h"

namespace headrace::apps {
namespace {

using testing::Contains;
using testing::Pair;

TEST(ClientEnvironmentTest, NamesWhatClientsNeed) {
  const auto variables = ClientVariables({"http://127.0.0.1:1", "https://localhost:2", "us-west-2", 3},
                                         {"AKIA", "secret"}, "/d/aws", "/d/ca");
  EXPECT_THAT(variables, Contains(Pair("AWS_ENDPOINT_URL", "http://127.0.0.1:1")));
  EXPECT_THAT(variables, Contains(Pair("AWS_SECRET_ACCESS_KEY", "secret")));
  EXPECT_THAT(variables, Contains(Pair("AWS_DATA_PATH", "/d/aws")));
  EXPECT_THAT(variables, Contains(Pair("AWS_CA_BUNDLE", "/d/ca")));
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
