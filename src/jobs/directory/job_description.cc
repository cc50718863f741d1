#include "jobs/directory/job_description.h"

#include <nlohmann/json.hpp>

namespace headrace::jobs {
namespace {

using nlohmann::json;

json Encode(const InputObject& object) {
  if (object.blob.empty()) return {{"literal", object.literal}};
  return {
      {"blob", object.blob}, {"name", object.name}, {"key", object.key}, {"etag", object.etag}, {"size", object.size}};
}

InputObject DecodeObject(const json& from) {
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

json Encode(const std::vector<InputObject>& objects) {
  json list = json::array();
  for (const auto& object : objects) list.push_back(Encode(object));
  return list;
}

std::vector<InputObject> DecodeObjects(const json& from) {
  std::vector<InputObject> objects;
  for (const auto& object : from) objects.push_back(DecodeObject(object));
  return objects;
}

json Encode(const InputChannel& channel) {
  json into = {{"name", channel.name},
               {"mode", channel.mode},
               {"content_type", channel.content_type},
               {"distribution", channel.distribution},
               {"record_wrapper", channel.record_wrapper},
               {"compression", channel.compression},
               {"data_type", channel.data_type},
               {"attributes", channel.attributes},
               {"objects", Encode(channel.objects)}};
  if (channel.shuffle_seed) into["shuffle_seed"] = *channel.shuffle_seed;
  if (channel.manifest) into["manifest"] = Encode(*channel.manifest);
  into["share"] = {channel.share.index, channel.share.count};
  return into;
}

InputChannel DecodeChannel(const json& from) {
  InputChannel channel;
  channel.name = from.at("name");
  channel.mode = from.at("mode");
  channel.content_type = from.at("content_type");
  channel.distribution = from.at("distribution");
  channel.record_wrapper = from.at("record_wrapper");
  channel.compression = from.at("compression");
  channel.data_type = from.at("data_type");
  channel.attributes = from.at("attributes").get<std::vector<std::string>>();
  channel.objects = DecodeObjects(from.at("objects"));
  if (from.contains("shuffle_seed")) channel.shuffle_seed = from.at("shuffle_seed").get<int64_t>();
  if (from.contains("manifest")) channel.manifest = DecodeObject(from.at("manifest"));
  if (from.contains("share")) channel.share = {from.at("share").at(0), from.at("share").at(1)};
  return channel;
}

JobDescription Decode(const json& from) {
  JobDescription job;
  job.job_name = from.at("job_name");
  job.job_arn = from.at("job_arn");
  job.region = from.at("region");
  job.attempt = from.at("attempt");
  job.current_host = from.at("current_host");
  job.hosts = from.at("hosts").get<std::vector<std::string>>();
  for (const auto& channel : from.at("channels")) job.channels.push_back(DecodeChannel(channel));
  if (from.contains("source"))
    job.source = JobDescription::Source{from.at("source").at("blob"), from.at("source").at("uri")};
  if (from.contains("checkpoints"))
    job.checkpoints = JobDescription::Checkpoints{from.at("checkpoints").at("path"),
                                                  DecodeObjects(from.at("checkpoints").at("objects"))};
  job.environment = from.at("environment");
  job.shared_memory = from.value("shared_memory", "");
  job.cpus = from.at("cpus").get<std::vector<int>>();
  job.memory_bytes = from.at("memory_bytes");
  job.tasks = from.value("tasks", job.tasks);
  job.disk_bytes = from.value("disk_bytes", job.disk_bytes);
  job.log_bytes = from.value("log_bytes", job.log_bytes);
  job.deadline = {from.at("deadline_ms"), from.value("deadline_boot", ""), from.value("deadline_boot_ms", int64_t{0})};
  job.stop_grace_seconds = from.at("stop_grace_seconds");
  job.resource_sample_millis = from.at("resource_sample_millis");
  job.heartbeat_millis = from.value("heartbeat_millis", job.heartbeat_millis);
  const auto& sandbox = from.at("sandbox");
  job.bubblewrap = sandbox.at("bubblewrap");
  job.no_bubblewrap_reason = sandbox.at("reason");
  job.read_only = sandbox.at("read_only").get<std::vector<std::string>>();
  job.hidden = sandbox.at("hidden").get<std::vector<std::string>>();
  const auto& runtime = from.at("runtime");
  job.python = runtime.at("python");
  job.compiler = runtime.at("compiler");
  job.include_dir = runtime.at("include");
  job.library_dir = runtime.at("library");
  job.cmake_dir = runtime.at("cmake");
  job.init_program = runtime.at("init");
  job.cache_dir = runtime.at("cache");
  job.mpi_include_dir = runtime.value("mpi_include", "");
  return job;
}

}  // namespace

std::string ToJson(const JobDescription& job) {
  json into = {{"version", 1},
               {"job_name", job.job_name},
               {"job_arn", job.job_arn},
               {"region", job.region},
               {"attempt", job.attempt},
               {"request", job.request.document},
               {"current_host", job.current_host},
               {"hosts", job.hosts},
               {"channels", json::array()},
               {"environment", job.environment},
               {"shared_memory", job.shared_memory},
               {"cpus", job.cpus},
               {"memory_bytes", job.memory_bytes},
               {"tasks", job.tasks},
               {"disk_bytes", job.disk_bytes},
               {"log_bytes", job.log_bytes},
               {"deadline_ms", job.deadline.wall},
               {"deadline_boot", job.deadline.boot},
               {"deadline_boot_ms", job.deadline.since_boot},
               {"stop_grace_seconds", job.stop_grace_seconds},
               {"resource_sample_millis", job.resource_sample_millis},
               {"heartbeat_millis", job.heartbeat_millis}};
  for (const auto& channel : job.channels) into["channels"].push_back(Encode(channel));
  if (job.source) into["source"] = {{"blob", job.source->blob}, {"uri", job.source->uri}};
  if (job.checkpoints)
    into["checkpoints"] = {{"path", job.checkpoints->path}, {"objects", Encode(job.checkpoints->objects)}};
  into["sandbox"] = {{"bubblewrap", job.bubblewrap},
                     {"reason", job.no_bubblewrap_reason},
                     {"read_only", job.read_only},
                     {"hidden", job.hidden}};
  into["runtime"] = {{"python", job.python},       {"compiler", job.compiler},
                     {"include", job.include_dir}, {"library", job.library_dir},
                     {"cmake", job.cmake_dir},     {"cache", job.cache_dir},
                     {"init", job.init_program},   {"mpi_include", job.mpi_include_dir}};
  return into.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<JobDescription> ParseJobDescription(const std::string& text) {
  try {
    const auto from = json::parse(text);
    if (from.at("version") != 1)
      return Fail(ErrorCode::kInvalidArgument, "job.json: version {}, wanted 1", from.at("version").dump());
    JobDescription job = Decode(from);
    HEADRACE_ASSIGN(job.request, DecodeTrainingRequest(from.at("request")));
    return job;
  } catch (const json::exception& error) {
    return Fail(ErrorCode::kInvalidArgument, "job.json: {}", error.what());
  }
}

}  // namespace headrace::jobs
