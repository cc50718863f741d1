// InputChannel: a channel of a job, resolved: which objects it reads, under which names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "jobs/inputs/input_object.h"

namespace headrace::jobs {

// Which of the hosts that have a channel this is: for ShardedByS3Key.
struct ShareOfHost {
  uint32_t index = 0, count = 1;
};

struct InputChannel {
  std::string name;
  std::string mode = "File";  // File, Pipe, FastFile
  std::string content_type;
  std::string distribution = "FullyReplicated";
  std::string record_wrapper = "None";
  std::string compression = "None";
  std::string data_type = "S3Prefix";
  std::optional<int64_t> shuffle_seed;
  std::vector<std::string> attributes;  // of an augmented manifest
  std::optional<InputObject> manifest;
  std::vector<InputObject> objects;  // in S3 key order
  ShareOfHost share;
};

// As job.json has them, for nlohmann::json. Reading throws json::exception.
void to_json(nlohmann::json& into, const InputObject& object);
void from_json(const nlohmann::json& from, InputObject& object);
void to_json(nlohmann::json& into, const InputChannel& channel);
void from_json(const nlohmann::json& from, InputChannel& channel);

}  // namespace headrace::jobs
