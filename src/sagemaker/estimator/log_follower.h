// LogFollower: the log streams of a job as they grow: the lines of all hosts in the order of time, each host in a
// colour of its own.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sagemaker/estimator/documents.h"

namespace headrace::sagemaker {

// Asks one of the services "sagemaker" and "logs".
using Ask = std::function<Json(std::string_view service, std::string_view operation, const Json& input)>;
using Print = std::function<void(std::string_view line)>;

class LogFollower {
 public:
  // Follows the streams of `group` whose names begin with `prefix`.
  LogFollower(std::string group, std::string prefix, bool colour, Ask ask, Print print);

  // Prints what is new since the last look.
  void Step();

 private:
  struct Stream {
    size_t number = 0;  // in the order of appearance, for the colour
    std::string token;  // where the next page begins
  };
  struct Event {
    double timestamp;
    size_t stream;
    std::string message;
  };

  void Read(const std::string& name, Stream& stream, std::vector<Event>& events) const;

  const std::string group_, prefix_;
  const bool colour_;
  const Ask ask_;
  const Print print_;
  std::map<std::string, Stream> streams_;
};

}  // namespace headrace::sagemaker
