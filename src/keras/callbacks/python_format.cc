#include "keras/callbacks/python_format.h"

#include <cmath>

#include <fmt/core.h>

#include "base/result.h"

namespace headrace::keras::internal {
namespace {

bool IsFloatFormat(const std::string& spec) {
  return !spec.empty() && std::string("eEfFgG").find(spec.back()) != std::string::npos;
}

// fmt's formats are Python's where both have them.
template <typename T>
std::string Format(const std::string& spec, T value) {
  return fmt::format(fmt::runtime("{:" + spec + "}"), value);
}

std::string NamesOf(const Logs& logs) {
  std::string names = "epoch";
  for (const auto& [name, value] : logs) names += ", " + name;
  return names;
}

std::string FormatField(const std::string& field, int epoch, const Logs& logs) {
  const size_t colon = field.find(':');
  const std::string name = field.substr(0, colon);
  const std::string spec = colon == std::string::npos ? "" : field.substr(colon + 1);
  if (name == "epoch") return IsFloatFormat(spec) ? Format<double>(spec, epoch) : Format(spec, epoch);
  const double* value = logs.Find(name);
  if (value == nullptr) {
    throw MakeError(ErrorCode::kInvalidArgument, "unknown field {{{}}}; there is: {}", name, NamesOf(logs));
  }
  return spec.empty() ? PythonRepr(*value) : Format(spec, *value);
}

}  // namespace

std::string PythonRepr(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  const bool integral = text.find_first_not_of("-0123456789") == std::string::npos;
  return integral ? text + ".0" : text;
}

std::string FormatPath(const std::string& path, int epoch, const Logs& logs) {
  std::string text;
  for (size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if ((c == '{' || c == '}') && i + 1 < path.size() && path[i + 1] == c) {
      text += c;  // doubled: the character itself
      ++i;
    } else if (c == '{') {
      const size_t end = path.find('}', i);
      if (end == std::string::npos)
        throw MakeError(ErrorCode::kInvalidArgument, "path \"{}\": '{{' without '}}'", path);
      const std::string field = path.substr(i + 1, end - i - 1);
      try {
        text += FormatField(field, epoch, logs);
      } catch (const std::exception& error) {
        throw MakeError(ErrorCode::kInvalidArgument, "path \"{}\", field {{{}}}: {}", path, field, error.what());
      }
      i = end;
    } else if (c == '}') {
      throw MakeError(ErrorCode::kInvalidArgument, "path \"{}\": '}}' without '{{'", path);
    } else {
      text += c;
    }
  }
  return text;
}

}  // namespace headrace::keras::internal
