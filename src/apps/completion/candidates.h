// What may stand where the cursor is, of a command line of `headrace`: read from the very objects that parse it, so
// that it is never behind them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace headrace::apps {

struct Candidate {
  std::string text, help;
};

// Names that only a server knows, of arguments that are called JOB (JOBS) or ENDPOINT: "job", "endpoint".
using NamesOf = std::function<std::vector<std::string>(const std::string& kind)>;

// `words`: behind the program's name up to the cursor; the last one is begun, and may be empty. Nothing where a file or
// a free value belongs.
std::vector<Candidate> Candidates(const CLI::App& program, std::span<const std::string> words, const NamesOf& names);

}  // namespace headrace::apps
