#include "keras/callbacks/python_format.h"

#include <cctype>
#include <functional>
#include <optional>

#include "base/result.h"

namespace headrace::keras::internal {
namespace {

constexpr int kMostNesting = 2;  // a field in a specification, as in Python, and no further

template <typename... Args>
[[noreturn]] void RefuseName(fmt::format_string<Args...> format, Args&&... args) {
  throw MakeError(ErrorCode::kInvalidArgument, format, std::forward<Args>(args)...);
}

std::string NamesOf(const Logs& logs) {
  std::string names = "epoch";
  for (const auto& [name, value] : logs) names += ", " + name;
  return names;
}

// The float of a name other than epoch; throws for a name that there is not.
using Find = std::function<double(const std::string& name)>;

// One {field}: name, conversion and specification as they are written.
struct Field {
  std::string name, spec;
  char conversion = '\0';
};

void CheckName(const std::string& name) {
  if (name.empty() || name.find_first_not_of("0123456789") == std::string::npos)
    RefuseName("found no name, wanted that of a value, as in {{epoch}}");
  if (name.find_first_of(".[") != std::string::npos) RefuseName("found a part of a value, wanted a value's name alone");
}

// Reads a field whose '{' is behind us, up to its '}' (the end of `rest` then begins behind it).
Field TakeField(std::string_view& rest) {
  Field field;
  const size_t end = rest.find_first_of("{}:!");
  if (end == std::string_view::npos) RefuseName("'{{' without '}}'");
  if (rest[end] == '{') RefuseName("unexpected '{{' in the field's name");
  field.name = std::string(rest.substr(0, end));
  char at = rest[end];
  rest.remove_prefix(end + 1);
  if (at == '!') {
    if (rest.size() < 2) RefuseName("'{{' without '}}'");
    field.conversion = rest[0];
    at = rest[1];
    rest.remove_prefix(2);
    if (at != ':' && at != '}') RefuseName("expected ':' after the conversion");
  }
  if (at == '}') return field;
  int open = 1;
  for (size_t i = 0; i < rest.size(); ++i) {
    open += rest[i] == '{' ? 1 : rest[i] == '}' ? -1 : 0;
    if (open > 0) continue;
    field.spec = std::string(rest.substr(0, i));
    rest.remove_prefix(i + 1);
    return field;
  }
  RefuseName("'{{' without '}}'");
}

std::string Fill(std::string_view text, int epoch, const Find& find, int nesting);

std::string FillField(const Field& field, int epoch, const Find& find, int nesting) {
  CheckName(field.name);
  const bool is_epoch = field.name == "epoch";
  const double value = is_epoch ? epoch : find(field.name);
  const bool nested = field.spec.find('{') != std::string::npos;
  const std::string spec = nested ? Fill(field.spec, epoch, find, nesting - 1) : field.spec;
  if (field.conversion == '\0') return is_epoch ? FormatInt(spec, epoch) : FormatFloat(spec, value);
  if (std::string_view("sra").find(field.conversion) == std::string_view::npos)
    RefuseName("unknown conversion '!{}', wanted !s, !r or !a", field.conversion);
  return FormatText(spec, is_epoch ? std::to_string(epoch) : PythonRepr(value));
}

std::string Fill(std::string_view text, int epoch, const Find& find, int nesting) {
  if (nesting <= 0) RefuseName("fields in fields in fields, wanted at most one in another");
  std::string filled;
  while (!text.empty()) {
    const char c = text[0];
    text.remove_prefix(1);
    if (c != '{' && c != '}') {
      filled += c;
    } else if (!text.empty() && text[0] == c) {
      filled += c;  // doubled: the character itself
      text.remove_prefix(1);
    } else if (c == '}') {
      RefuseName("'}}' without '{{'");
    } else {
      const std::string_view from = text;
      std::string shown = std::string(from.substr(0, from.find('}')));
      try {
        const Field field = TakeField(text);
        shown = std::string(from.substr(0, from.size() - text.size() - 1));
        filled += FillField(field, epoch, find, nesting);
      } catch (const Error& error) {
        RefuseName("field {{{}}}: {}", shown, error.message());
      }
    }
  }
  return filled;
}

std::string FillPath(const std::string& path, int epoch, const Find& find) {
  try {
    return Fill(path, epoch, find, kMostNesting);
  } catch (const Error& error) {
    RefuseName("path \"{}\", {}", path, error.message());
  }
}

}  // namespace

std::string FormatPath(const std::string& path, int epoch, const Logs& logs) {
  return FillPath(path, epoch, [&](const std::string& name) {
    const double* value = logs.Find(name);
    if (value == nullptr) RefuseName("unknown field {{{}}}; there is: {}", name, NamesOf(logs));
    return *value;
  });
}

std::vector<std::string> CheckPathFormat(const std::string& path) {
  std::vector<std::string> names;
  FillPath(path, 1, [&](const std::string& name) {
    names.push_back(name);
    return 0.5;
  });
  return names;
}

}  // namespace headrace::keras::internal
