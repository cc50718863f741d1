// S3Uploader, S3Downloader.
#include <algorithm>
#include <filesystem>

#include "base/beneath.h"
#include "sagemaker/estimator/documents.h"
#include "sagemaker/estimator/s3_uri.h"

namespace headrace::sagemaker {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kScheme = "s3://";

std::string UriOf(const S3Uri& uri) { return std::string(kScheme) + uri.bucket + "/" + uri.key; }

// Below a directory, in order; links to files count, links to directories are not entered.
std::vector<fs::path> FilesBelow(const fs::path& directory) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Many files are one transfer to who watches it.
TransferOptions Part(const TransferOptions& transfer, uint64_t done_before, uint64_t total) {
  TransferOptions part = transfer;
  if (transfer.progress)
    part.progress = [&transfer, done_before, total](uint64_t done, uint64_t) {
      transfer.progress(done_before + done, total);
    };
  return part;
}

// The object's path below the directory of a download.
std::string LocalName(const S3Uri& from, const std::string& key) {
  std::string name = key == from.key ? key.substr(key.rfind('/') + 1) : key.substr(from.key.size());
  while (name.starts_with('/')) name.erase(0, 1);
  if (!IsSafeRelativePath(name))
    ThrowInvalid("s3://" + from.bucket + "/" + key + ": found a key that is no path below a directory");
  return name;
}

// The objects that `from` names: itself, or those below it.
std::vector<S3Object> ObjectsOf(const S3Uri& from, const Session& session) {
  std::vector<S3Object> objects = session.s3().ListObjects(from.bucket, from.key).value();
  std::erase_if(objects, [&](const S3Object& object) {
    const bool below =
        from.key.empty() || from.key.ends_with('/') || object.key == from.key || object.key.starts_with(from.key + "/");
    return !below || object.key.ends_with('/');
  });
  return objects;
}

}  // namespace

S3Uri ParseS3Uri(const std::string& uri) {
  if (!uri.starts_with(kScheme) || uri.size() == kScheme.size() || uri[kScheme.size()] == '/')
    ThrowInvalid("S3 URI: found '" + uri + "', wanted s3://BUCKET/PREFIX");
  const std::string rest = uri.substr(kScheme.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  return {rest.substr(0, slash), slash < rest.size() ? rest.substr(slash + 1) : ""};
}

std::string JoinKey(const std::string& prefix, const std::string& name) {
  if (prefix.empty()) return name;
  return prefix.ends_with('/') ? prefix + name : prefix + "/" + name;
}

std::string S3Uploader::upload(const std::string& local_path, const std::string& s3_uri, const Session& session,
                               const TransferOptions& transfer) {
  const S3Uri to = ParseS3Uri(s3_uri);
  const fs::path local(local_path);
  if (!fs::exists(local)) throw Error(ErrorCode::kNotFound, local_path + ": no such file or directory");
  if (!fs::is_directory(local)) {
    const S3Uri object{to.bucket, JoinKey(to.key, local.filename().string())};
    session.s3().UploadFile(local_path, object.bucket, object.key, transfer).value();
    return UriOf(object);
  }
  const std::vector<fs::path> files = FilesBelow(local);
  uint64_t total = 0, done = 0;
  for (const fs::path& file : files) total += fs::file_size(file);
  for (const fs::path& file : files) {
    const std::string name = file.lexically_relative(local).generic_string();
    session.s3().UploadFile(file.string(), to.bucket, JoinKey(to.key, name), Part(transfer, done, total)).value();
    done += fs::file_size(file);
  }
  return s3_uri;
}

void S3Uploader::upload_string_as_file_body(std::string_view body, const std::string& s3_uri, const Session& session) {
  const S3Uri to = ParseS3Uri(s3_uri);
  session.s3().PutObject({.bucket = to.bucket, .key = to.key, .body = body}).value();
}

std::vector<std::string> S3Downloader::download(const std::string& s3_uri, const std::string& local_path,
                                                const Session& session, const TransferOptions& transfer) {
  const S3Uri from = ParseS3Uri(s3_uri);
  const std::vector<S3Object> objects = ObjectsOf(from, session);
  if (objects.empty()) throw Error(ErrorCode::kNotFound, s3_uri + ": no object is there or below");
  uint64_t total = 0, done = 0;
  for (const S3Object& object : objects) total += object.bytes;
  std::vector<std::string> files;
  for (const S3Object& object : objects) {
    const fs::path file = fs::path(local_path) / LocalName(from, object.key);
    fs::create_directories(file.parent_path());
    session.s3().DownloadFile(from.bucket, object.key, file.string(), Part(transfer, done, total)).value();
    done += object.bytes;
    files.push_back(file.string());
  }
  return files;
}

std::vector<std::string> S3Downloader::list(const std::string& s3_uri, const Session& session) {
  const S3Uri from = ParseS3Uri(s3_uri);
  std::vector<std::string> uris;
  for (const S3Object& object : session.s3().ListObjects(from.bucket, from.key).value())
    uris.push_back(UriOf({from.bucket, object.key}));
  return uris;
}

std::string S3Downloader::read_file(const std::string& s3_uri, const Session& session) {
  const S3Uri from = ParseS3Uri(s3_uri);
  return session.s3().GetObject({.bucket = from.bucket, .key = from.key}).value();
}

}  // namespace headrace::sagemaker
