#include "apps/platform/data_directory.h"

#include <cstdlib>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

using testing::HasSubstr;

std::filesystem::perms Mode(const std::string& path) { return std::filesystem::status(path).permissions(); }

TEST(DataDirectoryTest, IsForItsOwnerOnly) {
  const TemporaryDirectory parent;
  DataDirectory directory(parent / "data");
  ASSERT_TRUE(directory.Claim());
  EXPECT_EQ(Mode(directory.path()), std::filesystem::perms::owner_all);
  ASSERT_TRUE(directory.WriteKeys({"AKIA", "secret"}));
  EXPECT_EQ(Mode(directory / "keys"), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  EXPECT_EQ(directory.ReadKeys()->secret_access_key, "secret");
}

TEST(DataDirectoryTest, TakesOneServer) {
  const TemporaryDirectory parent;
  DataDirectory first(parent.path()), second(parent.path());
  ASSERT_TRUE(first.Claim());
  const auto refused = second.Claim();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message(), HasSubstr("runs here already"));
}

TEST(DataDirectoryTest, TellsWhereTheServerIs) {
  const TemporaryDirectory parent;
  const DataDirectory directory(parent.path());
  EXPECT_THAT(directory.ReadAddress().error().message(), HasSubstr("headrace serve"));
  ASSERT_TRUE(directory.WriteAddress({"http://127.0.0.1:1", "https://localhost:2", "eu-west-1", 3}));
  const auto address = directory.ReadAddress();
  ASSERT_TRUE(address);
  EXPECT_EQ(address->tls_endpoint, "https://localhost:2");
  EXPECT_EQ(address->pid, 3);
}

TEST(DataDirectoryTest, AStartForgetsTheLastServersAddress) {
  const TemporaryDirectory parent;
  const DataDirectory client(parent.path());
  {
    DataDirectory last(parent.path());
    ASSERT_TRUE(last.Claim());
    ASSERT_TRUE(last.WriteAddress({"http://127.0.0.1:1", "", "eu-west-1", 3}));
    EXPECT_TRUE(client.Claimed());
  }
  EXPECT_FALSE(client.Claimed());
  EXPECT_TRUE(client.ReadAddress());
  DataDirectory next(parent.path());
  ASSERT_TRUE(next.Claim());
  EXPECT_TRUE(client.Claimed());
  EXPECT_FALSE(client.ReadAddress());
}

TEST(DataDirectoryTest, TheBundleHoldsTheSystemsAuthoritiesAndOurs) {
  const TemporaryDirectory parent;
  DataDirectory directory(parent.path());
  ASSERT_TRUE(directory.Claim());
  ASSERT_TRUE(directory.EnsureCertificates());
  ASSERT_TRUE(WriteFileAtomically(directory / "system.pem", "the system's"));
  ::setenv("SSL_CERT_FILE", (directory / "system.pem").c_str(), 1);
  ASSERT_TRUE(directory.EnsureBundle());
  ::unsetenv("SSL_CERT_FILE");
  EXPECT_EQ(*ReadFile(directory / "tls/bundle.pem"), "the system's\n" + *ReadFile(directory / "tls/ca.pem"));
}

TEST(DataDirectoryTest, CertificatesAreMadeOnce) {
  const TemporaryDirectory parent;
  DataDirectory directory(parent.path());
  ASSERT_TRUE(directory.Claim());
  ASSERT_TRUE(directory.EnsureCertificates());
  const std::string first = *ReadFile(directory / "tls/ca.pem");
  std::filesystem::remove(directory / "tls/server.pem");
  ASSERT_TRUE(directory.EnsureCertificates());
  EXPECT_EQ(*ReadFile(directory / "tls/ca.pem"), first);
  EXPECT_TRUE(std::filesystem::exists(directory / "tls/server.pem"));
  EXPECT_EQ(Mode(directory / "tls/ca-key.pem"),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace headrace::apps
