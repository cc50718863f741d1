#include "jobs/directory/input_channel.h"

#include <nlohmann/json.hpp>

#include "jobs/directory/json_members.h"

namespace headrace::jobs {

using nlohmann::json;

// What stands for an object, or what the store has of it.
template <typename Members>
void Describe(Members& members, InputObject& object) {
  members("blob", object.blob);
  members("name", object.name);
  members("key", object.key);
  members("etag", object.etag);
  members("size", object.size);
}

template <typename Members>
void Describe(Members& members, InputChannel& channel) {
  members("name", channel.name);
  members("mode", channel.mode);
  members("content_type", channel.content_type);
  members("distribution", channel.distribution);
  members("record_wrapper", channel.record_wrapper);
  members("compression", channel.compression);
  members("data_type", channel.data_type);
  members("attributes", channel.attributes);
  members("objects", channel.objects);
  members("shuffle_seed", channel.shuffle_seed);
  members("manifest", channel.manifest);
  members.Newer("share", channel.share);
}

static void to_json(json& into, const ShareOfHost& share) { into = {share.index, share.count}; }
static void from_json(const json& from, ShareOfHost& share) { share = {from.at(0), from.at(1)}; }

void to_json(json& into, const InputObject& object) {
  if (object.blob.empty())
    into = {{"literal", object.literal}};
  else
    WriteMembers(into, object);
}

void from_json(const json& from, InputObject& object) {
  if (from.contains("literal"))
    object.literal = from.at("literal");
  else
    ReadMembers(from, object);
}

void to_json(json& into, const InputChannel& channel) { WriteMembers(into, channel); }
void from_json(const json& from, InputChannel& channel) { ReadMembers(from, channel); }

}  // namespace headrace::jobs
