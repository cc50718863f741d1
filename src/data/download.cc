// Downloading one file with resume, and its MD5.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include <curl/curl.h>
#include <openssl/evp.h>

#include "data/byte_source.h"
#include "data/cifar10_dataset.h"

namespace headrace::data {
namespace {

namespace fs = std::filesystem;

template <auto kFree>
struct FreeWith {
  template <typename T>
  void operator()(T* object) const {
    kFree(object);
  }
};
using CurlPtr = std::unique_ptr<CURL, FreeWith<curl_easy_cleanup>>;
using FilePtr = std::unique_ptr<std::FILE, FreeWith<std::fclose>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;

struct Transfer {
  const Progress& progress;
  uint64_t start = 0, done = 0, total = 0;  // bytes; start: those that were there before
};

int OnProgress(void* context, curl_off_t total, curl_off_t done, curl_off_t, curl_off_t) {
  auto& transfer = *static_cast<Transfer*>(context);
  transfer.done = transfer.start + static_cast<uint64_t>(done);
  if (total > 0) transfer.total = transfer.start + static_cast<uint64_t>(total);
  if (transfer.progress && transfer.total > 0) transfer.progress("downloading", transfer.done, transfer.total);
  return 0;
}

struct Outcome {
  CURLcode code = CURLE_OK;
  long status = 0;  // of HTTP
  std::string why;
};

Result<Outcome> Fetch(const std::string& url, const std::string& part, Transfer& transfer) {
  const FilePtr file(std::fopen(part.c_str(), "ab"));
  if (!file) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot write: {}", part, std::strerror(errno));
  const CurlPtr curl(curl_easy_init());
  if (!curl) return Fail(ErrorCode::kResourceExhausted, "cannot start libcurl");
  transfer.start = fs::file_size(part);
  char why[CURL_ERROR_SIZE] = "";
  CURL* handle = curl.get();
  curl_easy_setopt(handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(handle, CURLOPT_FAILONERROR, 1L);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, 30L);
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);  // silent for a minute: broken
  curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, 60L);
  curl_easy_setopt(handle, CURLOPT_RESUME_FROM_LARGE, static_cast<curl_off_t>(transfer.start));
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, file.get());
  curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, why);
  curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, OnProgress);
  curl_easy_setopt(handle, CURLOPT_XFERINFODATA, &transfer);
  Outcome outcome;
  outcome.code = curl_easy_perform(handle);
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &outcome.status);
  outcome.why = why[0] != '\0' ? why : curl_easy_strerror(outcome.code);
  return outcome;
}

// Whether the whole file is there now. `false`: try again, from the start when the part was of no use.
Result<bool> FetchOnce(const std::string& url, const std::string& part, Transfer& transfer, std::string& why) {
  constexpr long kRangeNotSatisfiable = 416;
  HEADRACE_ASSIGN(const Outcome outcome, Fetch(url, part, transfer));
  why = outcome.why;
  if (outcome.code == CURLE_OK) return true;
  // The part holds everything already, or more; its MD5 will tell.
  if (outcome.status == kRangeNotSatisfiable && transfer.start > 0) return true;
  if (outcome.code == CURLE_RANGE_ERROR) fs::resize_file(part, 0);  // a server without ranges
  if (outcome.code == CURLE_HTTP_RETURNED_ERROR && outcome.status >= 400 && outcome.status < 500)
    return Fail(ErrorCode::kNotFound, "{}: {}", url, outcome.why);
  if (outcome.code == CURLE_WRITE_ERROR)
    return Fail(ErrorCode::kResourceExhausted, "{}: cannot write: {}", part, std::strerror(errno));
  return false;
}

}  // namespace

Status Download(const std::string& url, const std::string& md5, const std::string& path, const Progress& progress) {
  const std::string part = path + ".part";
  constexpr int kAttempts = 3;
  Transfer transfer{progress};
  std::string why;
  bool whole = false;
  for (int attempt = 0; attempt < kAttempts && !whole; ++attempt) {
    HEADRACE_ASSIGN(whole, FetchOnce(url, part, transfer, why));
  }
  if (!whole)
    return Fail(ErrorCode::kUnavailable, "{}: download stopped at {} of {} bytes: {}; run it again to go on from there",
                url, fs::file_size(part), transfer.total > 0 ? std::to_string(transfer.total) : "unknown", why);
  HEADRACE_ASSIGN(const std::string found, Md5OfFile(part, progress));
  if (found != md5) {
    fs::remove(part);
    return Fail(ErrorCode::kDataLoss, "{}: found the MD5 {}, wanted {}; the download was removed", url, found, md5);
  }
  std::error_code error;
  fs::rename(part, path, error);
  if (error) return Fail(ErrorCode::kFailedPrecondition, "{}: cannot rename into place: {}", path, error.message());
  return {};
}

Result<std::string> Md5OfFile(const std::string& path, const Progress& progress) {
  HEADRACE_ASSIGN(const auto source, OpenFile(path, nullptr));
  const uint64_t total = fs::file_size(path);
  const DigestPtr digest(EVP_MD_CTX_new());
  if (!digest || EVP_DigestInit_ex(digest.get(), EVP_md5(), nullptr) != 1)
    return Fail(ErrorCode::kInternal, "MD5 is not available in this OpenSSL");
  std::vector<char> chunk(size_t{1} << 20);
  uint64_t done = 0;
  while (true) {
    HEADRACE_ASSIGN(const size_t n, source->Read(chunk.data(), chunk.size()));
    if (n == 0) break;
    EVP_DigestUpdate(digest.get(), chunk.data(), n);
    done += n;
    if (progress) progress("checking", done, total);
  }
  unsigned char bytes[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(digest.get(), bytes, &size);
  std::string hex;
  for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", bytes[i]);
  return hex;
}

}  // namespace headrace::data
