#include "apps/platform/data_directory.h"

#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "http/certificates.h"

namespace headrace::apps {
namespace {

using Json = nlohmann::json;
constexpr int kAuthorityDays = 3650, kServerDays = 825;
constexpr time_t kRenewAfter = time_t{700} * 86400;

Result<Json> ReadJson(const std::string& path) {
  HEADRACE_ASSIGN(const std::string text, ReadFile(path, 1 << 20));
  Json json = Json::parse(text, nullptr, false);
  if (!json.is_object()) return Fail(ErrorCode::kDataLoss, "{}: not a JSON object", path);
  return json;
}

bool Fresh(const std::string& path) {
  struct stat status;
  return ::stat(path.c_str(), &status) == 0 && std::time(nullptr) - status.st_mtime < kRenewAfter;
}

// As OpenSSL and the AWS SDKs find them: where a variable says, or where the distributions have them.
std::string SystemAuthorities() {
  const char* named = std::getenv("SSL_CERT_FILE");
  for (const char* path : {named == nullptr ? "" : named, "/etc/ssl/certs/ca-certificates.crt",
                           "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (*path == '\0') continue;
    if (auto text = ReadFile(path, size_t{16} << 20); text && !text->empty()) return *text;
  }
  return "";
}

}  // namespace

Status WriteIfChanged(const std::string& path, const std::string& bytes) {
  if (const auto kept = ReadFile(path, bytes.size()); kept && *kept == bytes) return {};
  return WriteFileAtomically(path, bytes);
}

Status WritePrivateFile(const std::string& path, const std::string& bytes) {
  HEADRACE_ASSIGN(auto file, AtomicFile::Create(path));
  if (::chmod(file.temporary_path().c_str(), 0600) != 0)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be kept from others: {}", path, std::strerror(errno));
  HEADRACE_TRY(file.Write(bytes));
  return file.Commit();
}

DataDirectory::DataDirectory(const std::string& path) : path_(std::filesystem::absolute(path).lexically_normal()) {}

Status DataDirectory::Make() const {
  HEADRACE_TRY(MakeDirectories(path_));
  ::chmod(path_.c_str(), 0700);
  return {};
}

Status DataDirectory::Claim() {
  HEADRACE_TRY(Make());
  for (const char* name : {"objects", "jobs", "cache", "tls", "aws", "log"}) {
    const std::string inner = *this / name;
    if (::mkdir(inner.c_str(), 0700) != 0 && errno != EEXIST)
      return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be made: {}", inner, std::strerror(errno));
  }
  const std::string path = *this / "lock";
  lock_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be opened: {}", path, std::strerror(errno));
  if (!LockExclusively(lock_.get())) {
    const auto other = ReadFile(path, 64);
    return Fail(ErrorCode::kFailedPrecondition,
                "data directory {}: a server (process {}) runs here already; stop it or choose another --data-dir",
                path_, other ? other->substr(0, other->find_first_not_of("0123456789")) : "?");
  }
  // Of the last one's length at least: on a full disk it then takes no new block.
  const std::string pid = fmt::format("{:<20}\n", ::getpid());
  if (::pwrite(lock_.get(), pid.data(), pid.size(), 0) < 0 && errno != ENOSPC && errno != EDQUOT)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be written: {}", path, std::strerror(errno));
  const std::string address = *this / "server.json";
  if (::unlink(address.c_str()) != 0 && errno != ENOENT)
    return Fail(ErrorCode::kFailedPrecondition, "{}: cannot be removed: {}", address, std::strerror(errno));
  return {};
}

bool DataDirectory::Claimed() const {
  const Descriptor lock(::open((*this / "lock").c_str(), O_RDONLY | O_CLOEXEC));
  return lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

Status DataDirectory::WriteKeys(const KeyPair& keys) const {
  const Json json{{"access_key_id", keys.access_key_id}, {"secret_access_key", keys.secret_access_key}};
  return WritePrivateFile(*this / "keys", json.dump(2) + "\n");
}

Result<KeyPair> DataDirectory::ReadKeys() const {
  HEADRACE_ASSIGN(const Json json, ReadJson(*this / "keys"));
  return KeyPair{json.value("access_key_id", ""), json.value("secret_access_key", "")};
}

Status DataDirectory::WriteAddress(const ServerAddress& address) const {
  const Json json{{"endpoint", address.endpoint},
                  {"tls_endpoint", address.tls_endpoint},
                  {"region", address.region},
                  {"pid", address.pid},
                  {"client_files", address.client_files}};
  return WritePrivateFile(*this / "server.json", json.dump(2) + "\n");
}

Result<ServerAddress> DataDirectory::ReadAddress() const {
  const auto json = ReadJson(*this / "server.json");
  if (!json && json.error().code() != ErrorCode::kNotFound) return tl::unexpected<Error>(json.error());
  if (!json)
    return Fail(ErrorCode::kNotFound, "data directory {}: no server serves here; start one with headrace serve", path_);
  return ServerAddress{json->value("endpoint", ""), json->value("tls_endpoint", ""), json->value("region", ""),
                       json->value("pid", 0), json->value("client_files", "")};
}

Status DataDirectory::EnsureCertificates() const {
  const std::string server = *this / "tls/server.pem", server_key = *this / "tls/server-key.pem";
  const std::string ca = *this / "tls/ca.pem", ca_key = *this / "tls/ca-key.pem";
  const auto exists = [](const std::string& path) { return std::filesystem::exists(path); };
  http::Certificate authority;
  if (exists(ca) && exists(ca_key)) {
    if (Fresh(server) && exists(server_key)) return {};
    HEADRACE_ASSIGN(authority.certificate, ReadFile(ca));
    HEADRACE_ASSIGN(authority.key, ReadFile(ca_key));
  } else {
    HEADRACE_ASSIGN(authority, http::MakeAuthority("Headrace on this machine", kAuthorityDays));
    HEADRACE_TRY(WritePrivateFile(ca_key, authority.key));
    HEADRACE_TRY(WriteFileAtomically(ca, authority.certificate));
  }
  HEADRACE_ASSIGN(const auto leaf,
                  http::MakeServerCertificate(authority, {"localhost", "127.0.0.1", "::1"}, kServerDays));
  HEADRACE_TRY(WritePrivateFile(server_key, leaf.key));
  return WriteFileAtomically(server, leaf.certificate);
}

Status DataDirectory::EnsureBundle() const {
  HEADRACE_ASSIGN(const std::string ours, ReadFile(*this / "tls/ca.pem"));
  std::string bundle = SystemAuthorities();
  if (!bundle.empty() && !bundle.ends_with('\n')) bundle += '\n';
  return WriteIfChanged(*this / kBundleName, bundle + ours);
}

}  // namespace headrace::apps
