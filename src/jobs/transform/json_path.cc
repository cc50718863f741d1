#include "jobs/transform/json_path.h"

#include <algorithm>
#include <charconv>

namespace headrace::jobs {
namespace {

// What ends a name behind a dot.
constexpr std::string_view kNotInNames = ".[]*'\",:()?@ \t\r\n";

std::string KindOf(const JsonPath::Json& value) {
  if (value.is_array()) return fmt::format("an array of {}", value.size());
  if (value.is_object()) return "an object";
  return fmt::format("a {}", value.type_name());
}

}  // namespace

class JsonPath::Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Result<JsonPath> Parse() {
    JsonPath path;
    if (!Take('$')) return Wanted("$");
    while (at_ < text_.size()) {
      Step step;
      const bool dot = Take('.');
      if (Take('[')) {
        HEADRACE_TRY(Brackets(step));
      } else if (!dot) {
        return Wanted("a dot or [");
      } else if (Take('*')) {
        step.wildcard = true;
      } else {
        const size_t end = std::min(text_.find_first_of(kNotInNames, at_), text_.size());
        if (end == at_) return Wanted("a name, * or [");
        step.names.emplace_back(text_.substr(at_, end - at_));
        at_ = end;
      }
      path.steps_.push_back(std::move(step));
    }
    return path;
  }

 private:
  bool Take(char wanted) {
    if (at_ >= text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void SkipBlanks() {
    while (at_ < text_.size() && text_[at_] == ' ') ++at_;
  }
  tl::unexpected<Error> Wanted(const char* what) const {
    if (at_ >= text_.size())
      return Fail(ErrorCode::kInvalidArgument, "Member must be a JSONPath: found its end, wanted {}", what);
    return Fail(ErrorCode::kInvalidArgument, "Member must be a JSONPath: found '{}' at character {}, wanted {}",
                text_[at_], at_ + 1, what);
  }

  // Behind "[".
  Status Brackets(Step& step) {
    SkipBlanks();
    if (Take('*')) {
      step.wildcard = true;
    } else if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      do HEADRACE_TRY(QuotedName(step));
      while (Take(','));
    } else {
      do HEADRACE_TRY(IndexOrSlice(step));
      while (Take(','));
    }
    if (!Take(']')) return Wanted("] or a comma");
    return {};
  }

  Status QuotedName(Step& step) {
    SkipBlanks();
    const char quote = Take('\'') ? '\'' : Take('"') ? '"' : '\0';
    if (quote == '\0') return Wanted("a name in quotation marks");
    std::string name;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_++];
    }
    if (!Take(quote)) return Wanted("a quotation mark");
    SkipBlanks();
    step.names.push_back(std::move(name));
    return {};
  }

  Status IndexOrSlice(Step& step) {
    Slice slice;
    SkipBlanks();
    HEADRACE_ASSIGN(slice.first, Number());
    SkipBlanks();
    if (Take(':')) {
      SkipBlanks();
      HEADRACE_ASSIGN(slice.last, Number());
      SkipBlanks();
    } else {
      if (!slice.first) return Wanted("an index, a slice, * or a name in quotation marks");
      slice.is_index = true;
    }
    step.slices.push_back(slice);
    return {};
  }

  Result<std::optional<int64_t>> Number() {
    int64_t value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) return Wanted("a number of this range");
    if (error != std::errc()) return std::optional<int64_t>();
    at_ += static_cast<size_t>(end - begin);
    return std::optional<int64_t>(value);
  }

  const std::string_view text_;
  size_t at_ = 0;
};

Result<JsonPath> JsonPath::Parse(std::string_view text) { return Parser(text).Parse(); }

Status JsonPath::FollowSlices(const Step& step, const Json& value, std::vector<const Json*>& found) {
  if (!value.is_array()) return Fail(ErrorCode::kNotFound, "wanted an array, found {}", KindOf(value));
  const auto size = static_cast<int64_t>(value.size());
  std::vector<bool> taken(value.size());  // each element once, however often it is named
  const auto take = [&](int64_t index) {
    if (taken[static_cast<size_t>(index)]) return;
    taken[static_cast<size_t>(index)] = true;
    found.push_back(&value[static_cast<size_t>(index)]);
  };
  for (const Slice& slice : step.slices) {
    // Counted from the end when negative.
    const auto place = [&](int64_t index) { return index < 0 ? (index < -size ? -1 : index + size) : index; };
    if (slice.is_index) {
      const int64_t index = place(*slice.first);
      if (index < 0 || index >= size)
        return Fail(ErrorCode::kNotFound, "there is no index {} in {}", *slice.first, KindOf(value));
      take(index);
      continue;
    }
    const int64_t first = std::clamp<int64_t>(place(slice.first.value_or(0)), 0, size);
    const int64_t last = std::clamp<int64_t>(slice.last ? place(*slice.last) : size, 0, size);
    for (int64_t index = first; index < last; ++index) take(index);
  }
  return {};
}

Status JsonPath::Follow(const Step& step, const Json& value, std::vector<const Json*>& found) {
  if (step.wildcard) {
    if (!value.is_structured())
      return Fail(ErrorCode::kNotFound, "* wants an array or object, found {}", KindOf(value));
    for (const auto& child : value) found.push_back(&child);
    return {};
  }
  if (!step.slices.empty()) return FollowSlices(step, value, found);
  for (const std::string& name : step.names) {
    const auto member = value.is_object() ? value.find(name) : value.end();
    if (!value.is_object() || member == value.end())
      return Fail(ErrorCode::kNotFound, "there is no member '{}' in {}", name, KindOf(value));
    found.push_back(&*member);
  }
  return {};
}

Result<JsonPath::Json> JsonPath::Select(const Json& document) const {
  std::vector<const Json*> values{&document};
  bool single = true;
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    std::vector<const Json*> next;
    for (const Json* value : values) {
      const size_t before = next.size();
      const auto followed = Follow(step, *value, next);
      if (!followed && single) return tl::unexpected<Error>(followed.error());
      if (!followed) next.resize(before);
    }
    if (single && i + 1 == steps_.size() && step.names.size() > 1) {
      Json members = Json::object();
      for (size_t k = 0; k < step.names.size(); ++k) members[step.names[k]] = *next[k];
      return members;
    }
    single = single && step.is_single();
    values = std::move(next);
  }
  if (single) return *values.front();
  Json all = Json::array();
  for (const Json* value : values) all.push_back(*value);
  return all;
}

}  // namespace headrace::jobs
