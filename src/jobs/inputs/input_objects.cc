#include "jobs/inputs/input_objects.h"

#include <nlohmann/json.hpp>

#include "base/file.h"
#include "jobs/inputs/s3_uri.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

constexpr size_t kLargestManifest = size_t{256} << 20;

InputObject ToInput(const store::AccountObjects& objects, const store::Object& object, std::string name) {
  InputObject input;
  input.blob = objects.BlobPath(object);
  input.name = std::move(name);
  input.key = object.key;
  input.etag = object.etag;
  input.size = object.size;
  return input;
}

std::string BaseName(const std::string& key) { return key.substr(key.rfind('/') + 1); }

}  // namespace

std::string NameOfKey(std::string_view key_behind_prefix) {
  std::string name;
  for (const char c : key_behind_prefix)
    if (c != '/' || (!name.empty() && name.back() != '/')) name += c;
  return name;
}

Result<std::string> ReadManifestText(const InputObject& object) { return ReadFile(object.blob, kLargestManifest); }

Result<std::vector<InputObject>> ListPrefix(const store::AccountObjects& objects, const std::string& uri) {
  HEADRACE_ASSIGN(const auto parsed, ParseS3Uri(uri));
  HEADRACE_ASSIGN(const auto below, objects.FindBelow(parsed.bucket, parsed.key));
  std::vector<InputObject> found;
  for (const auto& object : below) {
    if (object.key.ends_with('/')) continue;  // what consoles make to show a folder
    const bool exact = object.key == parsed.key;
    found.push_back(
        ToInput(objects, object,
                exact ? BaseName(object.key) : NameOfKey(std::string_view(object.key).substr(parsed.key.size()))));
  }
  return found;
}

Result<InputObject> FindInput(const store::AccountObjects& objects, const std::string& uri) {
  HEADRACE_ASSIGN(const auto parsed, ParseS3Uri(uri));
  HEADRACE_ASSIGN(const auto object, objects.Find(parsed.bucket, parsed.key));
  return ToInput(objects, object, BaseName(object.key));
}

Result<Manifest> ReadManifest(const store::AccountObjects& objects, const std::string& uri) {
  Manifest manifest;
  HEADRACE_ASSIGN(manifest.object, FindInput(objects, uri));
  HEADRACE_ASSIGN(const auto text, ReadManifestText(manifest.object));
  const auto list = json::parse(text, nullptr, false);
  const auto head = list.is_array() && !list.empty() && list[0].is_object() ? list[0].value("prefix", json()) : json();
  if (!head.is_string() || head.get_ref<const std::string&>().empty())
    return Fail(ErrorCode::kInvalidArgument,
                "the manifest {} is no JSON array whose first element is {{\"prefix\": \"s3://…\"}}", uri);
  manifest.prefix = head.get<std::string>();
  HEADRACE_TRY(ParseS3Uri(manifest.prefix));
  for (size_t i = 1; i < list.size(); ++i) {
    if (!list[i].is_string())
      return Fail(ErrorCode::kInvalidArgument, "the manifest {}: entry {} is no string", uri, i);
    manifest.entries.push_back(list[i].get<std::string>());
  }
  return manifest;
}

}  // namespace headrace::jobs
