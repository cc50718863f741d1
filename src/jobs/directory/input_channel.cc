#include "jobs/directory/input_channel.h"

#include <nlohmann/json.hpp>

namespace headrace::jobs {

using nlohmann::json;

json ToJson(const InputObject& object) {
  if (object.blob.empty()) return {{"literal", object.literal}};
  return {
      {"blob", object.blob}, {"name", object.name}, {"key", object.key}, {"etag", object.etag}, {"size", object.size}};
}

InputObject DecodeInputObject(const json& from) {
  InputObject object;
  if (from.contains("literal")) {
    object.literal = from.at("literal");
    return object;
  }
  object.blob = from.at("blob");
  object.name = from.at("name");
  object.key = from.at("key");
  object.etag = from.at("etag");
  object.size = from.at("size");
  return object;
}

json ToJson(const std::vector<InputObject>& objects) {
  json list = json::array();
  for (const auto& object : objects) list.push_back(ToJson(object));
  return list;
}

std::vector<InputObject> DecodeInputObjects(const json& from) {
  std::vector<InputObject> objects;
  for (const auto& object : from) objects.push_back(DecodeInputObject(object));
  return objects;
}

json ToJson(const InputChannel& channel) {
  json into = {{"name", channel.name},
               {"mode", channel.mode},
               {"content_type", channel.content_type},
               {"distribution", channel.distribution},
               {"record_wrapper", channel.record_wrapper},
               {"compression", channel.compression},
               {"data_type", channel.data_type},
               {"attributes", channel.attributes},
               {"objects", ToJson(channel.objects)}};
  if (channel.shuffle_seed) into["shuffle_seed"] = *channel.shuffle_seed;
  if (channel.manifest) into["manifest"] = ToJson(*channel.manifest);
  into["share"] = {channel.share.index, channel.share.count};
  return into;
}

InputChannel DecodeInputChannel(const json& from) {
  InputChannel channel;
  channel.name = from.at("name");
  channel.mode = from.at("mode");
  channel.content_type = from.at("content_type");
  channel.distribution = from.at("distribution");
  channel.record_wrapper = from.at("record_wrapper");
  channel.compression = from.at("compression");
  channel.data_type = from.at("data_type");
  channel.attributes = from.at("attributes").get<std::vector<std::string>>();
  channel.objects = DecodeInputObjects(from.at("objects"));
  if (from.contains("shuffle_seed")) channel.shuffle_seed = from.at("shuffle_seed").get<int64_t>();
  if (from.contains("manifest")) channel.manifest = DecodeInputObject(from.at("manifest"));
  if (from.contains("share")) channel.share = {from.at("share").at(0), from.at("share").at(1)};
  return channel;
}

}  // namespace headrace::jobs
