#include "jobs/transform/transform_inputs.h"

#include <set>

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "jobs/inputs/input_objects.h"
#include "jobs/inputs/s3_uri.h"

namespace headrace::jobs {
namespace {

std::string WithoutLeadingSlashes(std::string_view key) {
  while (key.starts_with('/')) key.remove_prefix(1);
  return std::string(key);
}

// A prefix need not end where a folder does: "data/a" leads to "data/a/x" as x, and to "data/abc" as abc.
std::string BehindFolder(const std::string& key, const std::string& prefix) {
  if (key.size() > prefix.size() && (key[prefix.size()] == '/' || prefix.ends_with('/')))
    return WithoutLeadingSlashes(std::string_view(key).substr(prefix.size()));
  return key.substr(prefix.rfind('/') + 1);
}

Result<std::vector<TransformInput>> Below(const store::AccountObjects& objects, const std::string& uri) {
  HEADRACE_ASSIGN(const auto parsed, ParseS3Uri(uri));
  HEADRACE_ASSIGN(const auto found, ListPrefix(objects, uri));
  std::vector<TransformInput> inputs;
  for (const auto& object : found)
    inputs.push_back({parsed.bucket, object.key, object.etag, BehindFolder(object.key, parsed.key)});
  return inputs;
}

Result<std::vector<TransformInput>> Named(const store::AccountObjects& objects, const std::string& uri) {
  HEADRACE_ASSIGN(const auto manifest, ReadManifest(objects, uri));
  std::vector<TransformInput> inputs;
  std::set<std::string> seen;  // one object named twice has one output
  for (const auto& entry : manifest.entries) {
    if (!seen.insert(entry).second) continue;
    HEADRACE_ASSIGN(const auto where, ParseS3Uri(manifest.prefix + entry));
    HEADRACE_ASSIGN(const auto object, FindInput(objects, manifest.prefix + entry));
    inputs.push_back({where.bucket, object.key, object.etag, WithoutLeadingSlashes(entry)});
  }
  return inputs;
}

}  // namespace

Result<std::vector<TransformInput>> FindTransformInputs(const store::AccountObjects& objects, const std::string& uri,
                                                        bool is_manifest) {
  HEADRACE_ASSIGN(auto inputs, is_manifest ? Named(objects, uri) : Below(objects, uri));
  if (inputs.empty())
    return Fail(ErrorCode::kNotFound, "No S3 objects found under S3 URL \"{}\" given in input data source", uri);
  return inputs;
}

Status SaveTransformInputs(const std::string& path, const std::vector<TransformInput>& inputs) {
  nlohmann::json list = nlohmann::json::array();
  for (const auto& input : inputs) list.push_back({input.bucket, input.key, input.etag, input.relative});
  return WriteFileAtomically(path, list.dump());
}

Result<std::vector<TransformInput>> LoadTransformInputs(const std::string& path) {
  HEADRACE_ASSIGN(const auto text, ReadFile(path));
  std::vector<TransformInput> inputs;
  try {
    for (const auto& from : nlohmann::json::parse(text))
      inputs.push_back({from.at(0), from.at(1), from.at(2), from.at(3)});
  } catch (const nlohmann::json::exception& error) {
    return Fail(ErrorCode::kDataLoss, "{}: {}", path, error.what());
  }
  return inputs;
}

}  // namespace headrace::jobs
