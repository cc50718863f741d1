// Protocol buffers' text format, as far as TensorFlow Serving's configuration files go: `name: value`, `name { … }`,
// repeated fields, `name: [a, b]`, strings, numbers, words and comments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace headrace::serving {

class TextMessage {
 public:
  struct Field {
    std::string name;
    std::string value;                 // "" for a message
    std::vector<TextMessage> message;  // one element for a message
    bool quoted = false;
  };

  // `what` names the file in messages.
  static Result<TextMessage> Parse(std::string_view text, const std::string& what);

  const std::vector<Field>& fields() const { return fields_; }
  std::vector<const TextMessage*> Messages(std::string_view name) const;
  const TextMessage* Message(std::string_view name) const;  // the last one, or null
  std::vector<std::string> Values(std::string_view name) const;
  std::optional<std::string> Value(std::string_view name) const;  // the last one
  // The last value as a number. Wrapped numbers, name { value: 5 }, count too.
  Result<std::optional<int64_t>> Number(std::string_view name) const;
  Result<std::optional<bool>> Bool(std::string_view name) const;
  // kInvalidArgument for a field whose name is not among these.
  Status OnlyFields(const std::vector<std::string_view>& names, const std::string& what) const;

 private:
  friend class TextParser;
  std::vector<Field> fields_;
};

}  // namespace headrace::serving
