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

// As job.json has them. Decoding throws json::exception.
nlohmann::json ToJson(const InputObject& object);
nlohmann::json ToJson(const std::vector<InputObject>& objects);
nlohmann::json ToJson(const InputChannel& channel);
InputObject DecodeInputObject(const nlohmann::json& from);
std::vector<InputObject> DecodeInputObjects(const nlohmann::json& from);
InputChannel DecodeInputChannel(const nlohmann::json& from);

}  // namespace headrace::jobs
