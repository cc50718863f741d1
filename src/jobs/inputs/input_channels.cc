#include "jobs/inputs/input_channels.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>

#include <nlohmann/json.hpp>

#include "jobs/inputs/input_objects.h"

namespace headrace::jobs {
namespace {

using nlohmann::json;

Status ResolveManifest(const store::AccountObjects& objects, const std::string& uri, InputChannel& channel) {
  HEADRACE_ASSIGN(auto manifest, ReadManifest(objects, uri));
  channel.manifest = std::move(manifest.object);
  for (const auto& entry : manifest.entries) {
    HEADRACE_ASSIGN(auto object, FindInput(objects, manifest.prefix + entry));
    object.name = NameOfKey(entry);
    channel.objects.push_back(std::move(object));
  }
  return {};
}

// One JSON object a line; the attributes asked for become the channel's objects, line by line.
Status ResolveAugmentedManifest(const store::AccountObjects& objects, const std::string& uri, InputChannel& channel) {
  HEADRACE_ASSIGN(const auto manifest, FindInput(objects, uri));
  HEADRACE_ASSIGN(const auto text, ReadManifestText(manifest));
  size_t number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto entry = json::parse(line, nullptr, false);
    if (!entry.is_object())
      return Fail(ErrorCode::kInvalidArgument, "the augmented manifest {}: line {} is no JSON object", uri, number);
    for (const auto& attribute : channel.attributes) {
      const auto value = entry.find(attribute);
      if (value == entry.end())
        return Fail(ErrorCode::kInvalidArgument, "the augmented manifest {}: line {} has no attribute '{}'", uri,
                    number, attribute);
      InputObject object;
      if (attribute.ends_with("-ref") && value->is_string()) {
        HEADRACE_ASSIGN(object, FindInput(objects, value->get<std::string>()));
      } else {
        object.literal = value->is_string() ? value->get<std::string>() : value->dump();
      }
      channel.objects.push_back(std::move(object));
    }
  }
  return {};
}

void KeepShare(const ShareOfHost& share, std::vector<InputObject>& objects) {
  std::vector<InputObject> kept;
  for (size_t i = share.index; i < objects.size(); i += share.count) kept.push_back(std::move(objects[i]));
  objects = std::move(kept);
}

Result<InputChannel> ResolveChannel(const store::AccountObjects& objects, const ChannelRequest& from,
                                    const ShareOfHost& share) {
  if (from.s3_uri.empty())
    return Fail(ErrorCode::kInvalidArgument, "the channel '{}': only S3DataSource is supported as a DataSource",
                from.name);
  InputChannel channel{.name = from.name,
                       .mode = from.mode,
                       .content_type = from.content_type,
                       .distribution = from.distribution,
                       .record_wrapper = from.record_wrapper,
                       .compression = from.compression,
                       .data_type = from.data_type,
                       .shuffle_seed = from.shuffle_seed,
                       .attributes = from.attributes,
                       .share = share};
  const auto& uri = from.s3_uri;

  if (channel.data_type == "S3Prefix") {
    HEADRACE_ASSIGN(channel.objects, ListPrefix(objects, uri));
  } else if (channel.data_type == "ManifestFile") {
    HEADRACE_TRY(ResolveManifest(objects, uri, channel));
  } else if (channel.data_type == "AugmentedManifestFile") {
    if (channel.mode != "Pipe")
      return Fail(ErrorCode::kInvalidArgument,
                  "the channel '{}': S3DataType AugmentedManifestFile needs the input mode Pipe, found {}",
                  channel.name, channel.mode);
    if (channel.attributes.empty())
      return Fail(ErrorCode::kInvalidArgument,
                  "the channel '{}': S3DataType AugmentedManifestFile needs AttributeNames", channel.name);
    HEADRACE_TRY(ResolveAugmentedManifest(objects, uri, channel));
    return channel;  // its lines are dealt to hosts epoch by epoch
  } else {
    return Fail(ErrorCode::kInvalidArgument, "the channel '{}': S3DataType '{}' is not supported", channel.name,
                channel.data_type);
  }
  if (channel.objects.empty())
    return Fail(ErrorCode::kInvalidArgument,
                "No S3 objects found under S3 URL \"{}\" given in input data source. Please ensure that the bucket "
                "exists in the "
                "selected region, that objects exist under that S3 prefix, and that the role has s3:ListBucket "
                "permissions on it.",
                uri);
  if (channel.distribution == "ShardedByS3Key" && channel.mode != "Pipe") KeepShare(share, channel.objects);
  return channel;
}

// Of the hosts of the groups that have the channel; none when this host is not among them.
std::optional<ShareOfHost> ShareOf(const TrainingRequest& request, const ChannelRequest& channel,
                                   const std::string& host) {
  const auto& groups = channel.instance_groups;
  ShareOfHost share{0, 0};
  bool has = false;
  for (const auto& other : request.hosts()) {
    const auto& group = request.resources.GroupOf(other).name;
    if (!groups.empty() && std::find(groups.begin(), groups.end(), group) == groups.end()) continue;
    if (other == host) {
      has = true;
      share.index = share.count;
    }
    ++share.count;
  }
  return has ? std::optional(share) : std::nullopt;
}

}  // namespace

Result<std::vector<InputChannel>> ResolveChannels(const store::AccountObjects& objects, const TrainingRequest& request,
                                                  const std::string& host) {
  std::vector<InputChannel> channels;
  std::set<std::string> names;
  for (const auto& from : request.channels) {
    if (!names.insert(from.name).second)
      return Fail(ErrorCode::kInvalidArgument, "InputDataConfig: two channels are named '{}'", from.name);
    const auto share = ShareOf(request, from, host);
    if (!share) continue;
    HEADRACE_ASSIGN(auto channel, ResolveChannel(objects, from, *share));
    channels.push_back(std::move(channel));
  }
  return channels;
}

}  // namespace headrace::jobs
