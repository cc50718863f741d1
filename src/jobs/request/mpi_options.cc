#include "jobs/request/mpi_options.h"

#include <algorithm>
#include <array>

namespace headrace::jobs {
namespace {

constexpr size_t kMostOptions = 200;

// With one or two dashes.
constexpr std::array<std::string_view, 24> kPlatforms = {"H",
                                                         "host",
                                                         "hostfile",
                                                         "machinefile",
                                                         "default-hostfile",
                                                         "np",
                                                         "n",
                                                         "c",
                                                         "npernode",
                                                         "N",
                                                         "app",
                                                         "prefix",
                                                         "noprefix",
                                                         "hnp",
                                                         "ompi-server",
                                                         "leave-session-attached",
                                                         "debug-daemons",
                                                         "daemonize",
                                                         "launch-agent",
                                                         "tune",
                                                         "am",
                                                         "gmca-file",
                                                         "slot-list",
                                                         "xterm"};
// Parameters (`-mca NAME VALUE`) by which daemons are started, spoken to, and told how long to wait.
constexpr std::array<std::string_view, 9> kParameters = {
    "plm",          "plm_",   "orte_launch_agent", "orte_default_hostfile", "ess", "odls", "if_base_do_not_resolve",
    "orte_hnp_uri", "oob_tcp"};

Result<std::vector<std::string>> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool open = false;  // a word has begun, if only by a quote
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
      open = true;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      word += text[++i];
      open = true;
    } else if (quote == 0 && (c == ' ' || c == '\t' || c == '\n' || c == '\r')) {
      if (open) words.push_back(std::move(word));
      word.clear();
      open = false;
    } else {
      word += c;
      open = true;
    }
  }
  if (quote != 0)
    return Fail(ErrorCode::kInvalidArgument, "a quote {} is not closed: '{}'", quote, text.substr(0, 100));
  if (open) words.push_back(std::move(word));
  if (words.size() > kMostOptions)
    return Fail(ErrorCode::kInvalidArgument, "found {} words, wanted at most {}", words.size(), kMostOptions);
  return words;
}

std::string_view WithoutDashes(std::string_view word) {
  if (word.starts_with("--")) return word.substr(2);
  return word.starts_with('-') ? word.substr(1) : std::string_view();
}

bool IsPlatforms(std::string_view option) {
  return std::find(kPlatforms.begin(), kPlatforms.end(), option) != kPlatforms.end();
}

bool IsPlatformsParameter(std::string_view name) {
  return std::any_of(kParameters.begin(), kParameters.end(),
                     [&](std::string_view prefix) { return name == prefix || name.starts_with(prefix); });
}

}  // namespace

Result<std::vector<std::string>> SplitMpiOptions(std::string_view text) {
  HEADRACE_ASSIGN(const auto words, Words(text));
  std::vector<std::string> options;
  for (size_t i = 0; i < words.size(); ++i) {
    const auto option = WithoutDashes(words[i]);
    if (option == "NCCL_DEBUG") {
      ++i;
      continue;
    }
    if (IsPlatforms(option) || words[i] == ":")
      return Fail(ErrorCode::kInvalidArgument, "found '{}', which is the platform's to say: leave it out", words[i]);
    const bool parameter =
        option == "mca" || option == "gmca" || option == "omca" || option == "pmixmca" || option == "prtemca";
    if (parameter && i + 1 < words.size() && IsPlatformsParameter(words[i + 1]))
      return Fail(ErrorCode::kInvalidArgument, "found '{} {}', which is the platform's to say: leave it out", words[i],
                  words[i + 1]);
    if (words[i].find('\0') != std::string::npos) return Fail(ErrorCode::kInvalidArgument, "found a zero byte in it");
    options.push_back(words[i]);
  }
  return options;
}

}  // namespace headrace::jobs
