// DataProcessing: what happens to records before the model sees them and to its answer afterwards: InputFilter,
// JoinSource, OutputFilter. Records are lines of CSV, lines of JSON, or a whole body that is one JSON document.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "jobs/transform/transform_settings.h"

namespace headrace::jobs {

class DataProcessing {
 public:
  explicit DataProcessing(const TransformSettings& settings);

  bool filters_input() const { return !input_filter_.selects_all(); }
  bool changes_output() const { return join_ || !output_filter_.selects_all(); }

  // A body as the model gets it. Errors count records from 1 in this body.
  Result<std::string> FilterInput(std::string_view body) const;

  // The model's answer to `body` (as it was before InputFilter), joined and filtered: a line a record; one document
  // without a line break where the body is one. The answer has a record for each of the body's, in lines or, however
  // many there are, as TensorFlow Serving answers: {"predictions": [an element a record]}. For CSV the numbers of an
  // element become fields.
  Result<std::string> Finish(std::string_view body, std::string_view answer) const;

 private:
  using Json = JsonPath::Json;
  Result<std::string> FinishCsv(std::string_view body, std::string_view answer) const;
  Result<std::string> FinishJson(std::string_view body, std::string_view answer) const;
  Result<Json> JoinAndFilter(std::string_view record, Json answer) const;

  const JsonPath input_filter_, output_filter_;
  const bool join_;
  const bool csv_, lines_;  // else a body is one document
};

}  // namespace headrace::jobs
