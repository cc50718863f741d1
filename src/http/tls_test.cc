#include "http/tls.h"

#include <cstdio>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/testing/temporary_directory.h"
#include "http/certificates.h"
#include "http/server.h"

namespace headrace::http {
namespace {

using testing::HasSubstr;

class TlsTest : public testing::Test {
 protected:
  void SetUp() override {
    const Certificate authority = ValueOrThrow(MakeAuthority("Test authority", 10));
    const Certificate leaf = ValueOrThrow(MakeServerCertificate(authority, {"localhost", "127.0.0.1"}, 5));
    ASSERT_TRUE(WriteFileAtomically(directory_ / "ca.pem", authority.certificate));
    ASSERT_TRUE(WriteFileAtomically(directory_ / "server.pem", leaf.certificate));
    ASSERT_TRUE(WriteFileAtomically(directory_ / "key.pem", leaf.key));
    auto tls = TlsContext::Load(directory_ / "server.pem", directory_ / "key.pem");
    ASSERT_TRUE(tls) << tls.error().message();
    auto server = Server::Listen({.listeners = {{"127.0.0.1", 0, *tls}}}, [](Request& request) -> Task<Response> {
      auto body = co_await ReadAll(*request.body, 10 << 20);
      co_return TextResponse(200, "text/plain",
                             fmt::format("secure={} {} {}\n", request.secure, request.path, body->size()));
    });
    ASSERT_TRUE(server) << server.error().message();
    server_ = std::move(*server);
  }

  // Python's own TLS, as strict as it can be.
  std::string Ask(const std::string& host, const std::string& trusted) const {
    const std::string program = fmt::format(
        "import ssl, http.client as h\n"
        "c = ssl.create_default_context(cafile='{}')\n"
        "c.verify_flags |= ssl.VERIFY_X509_STRICT\n"
        "x = h.HTTPSConnection('{}', {}, context=c, timeout=20)\n"
        "for n in (5, 3000000):\n"
        "  x.request('PUT', '/o', b'x' * n)\n"
        "  print(x.getresponse().read().decode())\n",
        trusted, host, server_->ports()[0]);
    if (!WriteFileAtomically(directory_ / "ask.py", program)) return "";
    FILE* pipe = ::popen(fmt::format("python3 {} 2>&1", directory_ / "ask.py").c_str(), "re");
    std::string output;
    char piece[4096];
    while (const size_t n = std::fread(piece, 1, sizeof piece, pipe)) output.append(piece, n);
    ::pclose(pipe);
    return output;
  }

  const TemporaryDirectory directory_;
  std::unique_ptr<Server> server_;
};

TEST_F(TlsTest, ServesWhoTrustsTheAuthority) {
  for (const char* host : {"localhost", "127.0.0.1"}) {
    const std::string answer = Ask(host, directory_ / "ca.pem");
    EXPECT_THAT(answer, HasSubstr("secure=true /o 5\n"));
    EXPECT_THAT(answer, HasSubstr("secure=true /o 3000000\n"));
  }
}

TEST_F(TlsTest, AnotherAuthorityDoesNotTrustIt) {
  const Certificate other = ValueOrThrow(MakeAuthority("Other", 10));
  ASSERT_TRUE(WriteFileAtomically(directory_ / "other.pem", other.certificate));
  EXPECT_THAT(Ask("localhost", directory_ / "other.pem"), HasSubstr("CERTIFICATE_VERIFY_FAILED"));
}

TEST_F(TlsTest, WhatIsNoCertificateIsNamed) {
  auto loaded = TlsContext::Load(directory_ / "key.pem", directory_ / "key.pem");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message(), HasSubstr("key.pem: not a certificate chain"));
}

}  // namespace
}  // namespace headrace::http
