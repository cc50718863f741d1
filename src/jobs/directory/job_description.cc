#include "jobs/directory/job_description.h"

#include <nlohmann/json.hpp>

namespace headrace::jobs {
namespace {

using nlohmann::json;

JobDescription Decode(const json& from) {
  JobDescription job;
  job.job_name = from.at("job_name");
  job.job_arn = from.at("job_arn");
  job.region = from.at("region");
  job.attempt = from.at("attempt");
  job.current_host = from.at("current_host");
  job.hosts = from.at("hosts").get<std::vector<std::string>>();
  from.at("channels").get_to(job.channels);
  if (from.contains("source"))
    job.source = JobDescription::Source{from.at("source").at("blob"), from.at("source").at("uri")};
  if (from.contains("checkpoints"))
    job.checkpoints = JobDescription::Checkpoints{from.at("checkpoints").at("path"),
                                                  from.at("checkpoints").at("objects").get<std::vector<InputObject>>()};
  job.environment = from.at("environment");
  job.ports = from.value("ports", std::vector<int>());
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
  job.python.program = runtime.at("python");
  job.python.version = runtime.value("python_version", "");
  job.python.stamp = runtime.value("python_stamp", "");
  job.python.places = runtime.value("python_places", std::vector<std::string>());
  job.python.described = runtime.value("python_described", "");
  job.python.remark = runtime.value("python_remark", "");
  job.python.paths = runtime.value("python_paths", std::vector<std::string>());
  job.python.packages = runtime.value("python_packages", std::vector<std::string>());
  job.compiler = runtime.at("compiler");
  job.include_dir = runtime.at("include");
  job.library_dir = runtime.at("library");
  job.cmake_dir = runtime.at("cmake");
  job.init_program = runtime.at("init");
  job.cache_dir = runtime.at("cache");
  job.mpi_include_dir = runtime.value("mpi_include", "");
  job.headrace = runtime.value("headrace", "");
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
               {"channels", job.channels},
               {"environment", job.environment},
               {"ports", job.ports},
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
  if (job.source) into["source"] = {{"blob", job.source->blob}, {"uri", job.source->uri}};
  if (job.checkpoints) into["checkpoints"] = {{"path", job.checkpoints->path}, {"objects", job.checkpoints->objects}};
  into["sandbox"] = {{"bubblewrap", job.bubblewrap},
                     {"reason", job.no_bubblewrap_reason},
                     {"read_only", job.read_only},
                     {"hidden", job.hidden}};
  into["runtime"] = {{"python", job.python.program},
                     {"python_version", job.python.version},
                     {"python_stamp", job.python.stamp},
                     {"python_places", job.python.places},
                     {"python_described", job.python.described},
                     {"python_remark", job.python.remark},
                     {"python_paths", job.python.paths},
                     {"python_packages", job.python.packages},
                     {"compiler", job.compiler},
                     {"include", job.include_dir},
                     {"library", job.library_dir},
                     {"cmake", job.cmake_dir},
                     {"cache", job.cache_dir},
                     {"init", job.init_program},
                     {"mpi_include", job.mpi_include_dir},
                     {"headrace", job.headrace}};
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
