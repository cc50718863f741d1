// TransformSettings: what a CreateTransformJob request asks for.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"
#include "jobs/transform/json_path.h"

namespace headrace::jobs {

enum class SplitType { kNone, kLine, kRecordIO, kTFRecord };

struct TransformSettings {
  std::string input_uri;
  bool is_manifest = false;
  std::string content_type;
  bool gunzip = false;
  SplitType split = SplitType::kNone;
  bool many_records = true;  // BatchStrategy MultiRecord
  std::string output_path, accept;
  bool lines = false;  // AssembleWith Line
  int instances = 1, concurrent = 1;
  int payload_megabytes = 6;  // as asked for; 0: any size
  size_t payload_bytes = 0;   // what that means
  std::chrono::seconds timeout{600};
  int retries = 3;
  JsonPath input_filter, output_filter;
  bool join = false;
};

// Of a request that has been checked when it was taken: kDataLoss for another.
Result<TransformSettings> ParseTransformSettings(const std::string& request);

// Whether filters and joins know the records of such a body.
bool IsProcessable(std::string_view content_type);

}  // namespace headrace::jobs
