// The constraints of a service's model, declared, and the check of an input against them. All violations of a request
// are reported together, in the words that AWS uses:
//
//   2 validation errors detected: Value 'a b' at 'trainingJobName' failed to satisfy constraint: Member must satisfy
//   regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}; Value null at 'roleArn' failed to satisfy
//   constraint: Member must not be null
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "aws/error.h"

namespace headrace::api {

class Shape {
 public:
  struct Member;

  // Lengths count characters. The pattern must match the whole text.
  static Shape Text(int64_t shortest, int64_t longest, std::string pattern = {});
  static Shape Enum(std::vector<std::string> values);
  static Shape Integer(int64_t least = std::numeric_limits<int64_t>::min(),
                       int64_t most = std::numeric_limits<int64_t>::max());
  static Shape Boolean();
  static Shape Timestamp();  // epoch seconds or ISO 8601; see ReadTime
  static Shape List(Shape element, int64_t shortest, int64_t longest);
  static Shape Map(Shape key, Shape value, int64_t longest);
  // Members that are not named are let through: clients newer than us send them.
  static Shape Structure(std::vector<Member> members);
  // Members that are not named are violations.
  static Shape ClosedStructure(std::vector<Member> members);

  // Every member that a structure names, with those of its parts: "InputDataConfig", "InputDataConfig[].ChannelName".
  std::vector<std::string> MemberPaths() const;

  struct Impl;

 private:
  explicit Shape(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
  friend class Checker;
};

struct Shape::Member {
  std::string name;
  Shape shape;
  bool required = false;
};

// Violations, gathered from a shape and from checks across members.
class Violations {
 public:
  // `path` as clients see it: "inputDataConfig.1.member.channelName". `value` is shown shortened; nullptr: null.
  void Add(std::string_view path, const nlohmann::json& value, std::string_view constraint);
  bool empty() const { return count_ == 0; }
  std::string Message() const;

 private:
  size_t count_ = 0;
  std::string text_;
};

// Adds what violates the shape. An input of the wrong JSON types cannot be checked further: it is refused at once, as
// AWS does, with SerializationException.
std::optional<aws::ServiceError> Check(const Shape& shape, const nlohmann::json& input, Violations& violations);

// Check, and a refusal with `code` when there are violations.
std::optional<aws::ServiceError> Validate(const Shape& shape, const nlohmann::json& input,
                                          std::string_view code = "ValidationException");

}  // namespace headrace::api
