#include "api/logs/filter_pattern.h"

#include <algorithm>

#include <fmt/format.h>

namespace headrace::api::logs {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

auto Invalid(const std::string& why) {
  return aws::Refuse("InvalidParameterException", "Invalid filter pattern: " + why);
}

bool Contains(std::string_view text, const std::string& part) { return text.find(part) != std::string_view::npos; }

// One term from the front of `rest`, quoted or bare.
aws::Reply<std::string> TakeTerm(std::string_view& rest) {
  std::string term;
  if (rest.empty() || rest[0] != '"') {
    while (!rest.empty() && !IsBlank(rest[0])) {
      if (rest[0] == '"') return Invalid("a quotation mark inside a term; put the whole term into quotation marks");
      term += rest[0];
      rest.remove_prefix(1);
    }
    if (term.empty()) return Invalid("a term is missing behind ? or -");
    return term;
  }
  rest.remove_prefix(1);
  while (!rest.empty() && rest[0] != '"') {
    if (rest[0] == '\\' && rest.size() > 1) rest.remove_prefix(1);  // \" and \\ stand for themselves
    term += rest[0];
    rest.remove_prefix(1);
  }
  if (rest.empty()) return Invalid("a quotation mark is not closed");
  rest.remove_prefix(1);
  if (!rest.empty() && !IsBlank(rest[0])) return Invalid("a blank is wanted behind a closing quotation mark");
  return term;
}

}  // namespace

aws::Reply<FilterPattern> FilterPattern::Parse(std::string_view pattern) {
  FilterPattern parsed;
  std::string_view rest = pattern;
  const auto skip = [&] {
    while (!rest.empty() && IsBlank(rest[0])) rest.remove_prefix(1);
  };
  skip();
  if (!rest.empty() && (rest[0] == '{' || rest[0] == '[' || rest[0] == '%')) {
    const char* kind = rest[0] == '{' ? "JSON" : rest[0] == '[' ? "space-delimited" : "regular expression";
    return Invalid(fmt::format("{} patterns are not supported; use terms, \"phrases\", ?terms and -terms", kind));
  }
  for (; !rest.empty(); skip()) {
    auto* list = &parsed.all_;
    if (rest[0] == '?' || rest[0] == '-') {
      list = rest[0] == '?' ? &parsed.any_ : &parsed.none_;
      rest.remove_prefix(1);
    }
    auto term = TakeTerm(rest);
    if (!term) return tl::unexpected(std::move(term.error()));
    list->push_back(std::move(*term));
  }
  return parsed;
}

bool FilterPattern::Matches(std::string_view message) const {
  const auto occurs = [&](const std::string& term) { return Contains(message, term); };
  return std::all_of(all_.begin(), all_.end(), occurs) && std::none_of(none_.begin(), none_.end(), occurs) &&
         (any_.empty() || std::any_of(any_.begin(), any_.end(), occurs));
}

}  // namespace headrace::api::logs
