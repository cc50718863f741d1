// JsonPath: the part of JSONPath that batch transform's filters have: $, $.a, $['a'], $['a','b'], $[0], $[-1], $[0,2],
// $[1:], $[:2], $[0,2:], $.a[*].b.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace headrace::jobs {

class JsonPath {
 public:
  // Members keep their order.
  using Json = nlohmann::ordered_json;

  JsonPath() = default;  // "$"
  // kInvalidArgument names the place in the text and what was wanted there.
  static Result<JsonPath> Parse(std::string_view text);

  bool selects_all() const { return steps_.empty(); }
  // What the path finds. A path of single names and indexes finds one value. One that ends in several names finds an
  // object of those members. Any other finds an array: of all that its wildcards, slices and unions lead to; where one
  // of them has led to a value without what comes next, that value is left out. kNotFound names what is not there.
  Result<Json> Select(const Json& document) const;

 private:
  struct Slice {
    std::optional<int64_t> first, last;  // an index: `last` is absent and `is_index`
    bool is_index = false;
  };
  struct Step {
    bool wildcard = false;
    std::vector<std::string> names;
    std::vector<Slice> slices;
    bool is_single() const { return !wildcard && names.size() <= 1 && (slices.empty() || IsOneIndex()); }
    bool IsOneIndex() const { return slices.size() == 1 && slices[0].is_index; }
  };
  class Parser;
  static Status Follow(const Step& step, const Json& value, std::vector<const Json*>& found);
  static Status FollowSlices(const Step& step, const Json& value, std::vector<const Json*>& found);

  std::vector<Step> steps_;
};

}  // namespace headrace::jobs
