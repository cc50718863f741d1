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

Result<InputChannel> ResolveChannel(const store::AccountObjects& objects, const ChannelRequest& from) {
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
                       .attributes = from.attributes};
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
    return channel;
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

// What is streamed is dealt to hosts epoch by epoch, by those who stream it.
bool IsDealtOnce(const InputChannel& channel) {
  return channel.distribution == "ShardedByS3Key" && channel.mode != "Pipe";
}

std::vector<InputObject> Dealt(const std::vector<InputObject>& objects, const ShareOfHost& share) {
  std::vector<InputObject> dealt;
  for (size_t i = share.index; i < objects.size(); i += share.count) dealt.push_back(objects[i]);
  return dealt;
}

}  // namespace

Result<std::vector<InputChannel>> ResolveChannels(const store::AccountObjects& objects,
                                                  const TrainingRequest& request) {
  std::vector<InputChannel> channels;
  std::set<std::string> names;
  for (const auto& from : request.channels) {
    if (!names.insert(from.name).second)
      return Fail(ErrorCode::kInvalidArgument, "InputDataConfig: two channels are named '{}'", from.name);
    HEADRACE_ASSIGN(auto channel, ResolveChannel(objects, from));
    channels.push_back(std::move(channel));
  }
  return channels;
}

std::vector<InputChannel> ChannelsOf(const std::string& host, const std::vector<InputChannel>& channels,
                                     const TrainingRequest& request) {
  std::vector<InputChannel> of_host;
  for (size_t i = 0; i < channels.size(); ++i) {
    const auto share = ShareOf(request, request.channels[i], host);
    if (!share) continue;
    auto channel = channels[i];
    channel.share = *share;
    if (IsDealtOnce(channel)) channel.objects = Dealt(channels[i].objects, *share);
    of_host.push_back(std::move(channel));
  }
  return of_host;
}

}  // namespace headrace::jobs
