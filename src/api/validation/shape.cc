#include "api/validation/shape.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <re2/re2.h>

#include "aws/time.h"

namespace headrace::api {

using Json = nlohmann::json;

namespace {

constexpr size_t kShownValue = 256;

enum class Kind { kText, kEnum, kInteger, kBoolean, kTimestamp, kList, kMap, kStructure };

// In UTF-8 every character has exactly one byte that is no continuation byte.
int64_t Characters(const std::string& text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; });
}

std::string Shortened(std::string text) {
  if (text.size() <= kShownValue) return text;
  size_t cut = kShownValue;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;
  text.resize(cut);
  return text + "...";
}

std::string Shown(const Json& value) {
  if (value.is_null()) return "null";
  if (value.is_string()) return "'" + Shortened(value.get<std::string>()) + "'";
  return "'" + Shortened(value.dump(-1, ' ', false, Json::error_handler_t::replace)) + "'";
}

// TrainingJobName is shown as trainingJobName.
std::string LowerCamel(std::string name) {
  if (!name.empty()) name[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(name[0])));
  return name;
}

std::string Below(const std::string& path, const std::string& name) {
  return path.empty() ? LowerCamel(name) : path + "." + LowerCamel(name);
}

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kText:
    case Kind::kEnum:
      return "a string";
    case Kind::kInteger:
      return "an integer";
    case Kind::kBoolean:
      return "a boolean";
    case Kind::kTimestamp:
      return "a timestamp";
    case Kind::kList:
      return "a list";
    case Kind::kMap:
    case Kind::kStructure:
      break;
  }
  return "an object";
}

}  // namespace

struct Shape::Impl {
  Kind kind = Kind::kText;
  int64_t least = 0, most = std::numeric_limits<int64_t>::max();  // of the length or the value
  std::string pattern_text;
  std::unique_ptr<const RE2> pattern;
  std::vector<std::string> values;
  std::vector<Shape> element;  // of a list, or key and value of a map
  std::vector<Member> members;
  bool closed = false;
};

std::vector<std::string> Shape::MemberPaths() const {
  std::vector<std::string> paths;
  if (impl_->kind == Kind::kList)
    for (const auto& path : impl_->element.front().MemberPaths()) paths.push_back("[]." + path);
  for (const Member& member : impl_->members) {
    paths.push_back(member.name);
    for (const auto& path : member.shape.MemberPaths())
      paths.push_back(member.name + (path.starts_with("[]") ? "" : ".") + path);
  }
  return paths;
}

Shape Shape::Text(int64_t shortest, int64_t longest, std::string pattern) {
  auto impl = std::make_shared<Impl>();
  impl->least = shortest;
  impl->most = longest;
  if (!pattern.empty()) {
    RE2::Options options;
    options.set_log_errors(false);
    options.set_dot_nl(true);
    impl->pattern = std::make_unique<const RE2>(pattern, options);
    impl->pattern_text = std::move(pattern);
  }
  return Shape(std::move(impl));
}

Shape Shape::Enum(std::vector<std::string> values) {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kEnum;
  impl->values = std::move(values);
  return Shape(std::move(impl));
}

Shape Shape::Integer(int64_t least, int64_t most) {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kInteger;
  impl->least = least;
  impl->most = most;
  return Shape(std::move(impl));
}

Shape Shape::Boolean() {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kBoolean;
  return Shape(std::move(impl));
}

Shape Shape::Timestamp() {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kTimestamp;
  return Shape(std::move(impl));
}

Shape Shape::List(Shape element, int64_t shortest, int64_t longest) {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kList;
  impl->least = shortest;
  impl->most = longest;
  impl->element = {std::move(element)};
  return Shape(std::move(impl));
}

Shape Shape::Map(Shape key, Shape value, int64_t longest) {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kMap;
  impl->most = longest;
  impl->element = {std::move(key), std::move(value)};
  return Shape(std::move(impl));
}

Shape Shape::Structure(std::vector<Member> members) {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kStructure;
  impl->members = std::move(members);
  return Shape(std::move(impl));
}

Shape Shape::ClosedStructure(std::vector<Member> members) {
  auto impl = std::make_shared<Impl>();
  impl->kind = Kind::kStructure;
  impl->members = std::move(members);
  impl->closed = true;
  return Shape(std::move(impl));
}

void Violations::Add(std::string_view path, const Json& value, std::string_view constraint) {
  if (count_++ > 0) text_ += "; ";
  text_ += fmt::format("Value {} at '{}' failed to satisfy constraint: {}", Shown(value), path, constraint);
}

std::string Violations::Message() const {
  return fmt::format("{} validation error{} detected: {}", count_, count_ == 1 ? "" : "s", text_);
}

class Checker {
 public:
  explicit Checker(Violations& violations) : violations_(violations) {}

  void Check(const Shape& shape, const Json& value, const std::string& path) {
    const Shape::Impl& impl = *shape.impl_;
    if (!HasType(impl.kind, value)) return Mistyped(path, value, impl.kind);
    switch (impl.kind) {
      case Kind::kText:
      case Kind::kEnum:
        for (const auto& constraint : TextConstraints(impl, value.get_ref<const std::string&>())) {
          violations_.Add(path, value, constraint);
        }
        break;
      case Kind::kInteger:
        CheckRange(impl, value.is_number_float() ? static_cast<int64_t>(value.get<double>()) : value.get<int64_t>(),
                   value, path, "value");
        break;
      case Kind::kBoolean:
        break;
      case Kind::kTimestamp:
        if (value.is_string() && !aws::ParseIso8601(value.get_ref<const std::string&>())) {
          Mistyped(path, value, impl.kind);
        }
        break;
      case Kind::kList:
        CheckRange(impl, static_cast<int64_t>(value.size()), value, path, "length");
        for (size_t i = 0; i < value.size(); ++i) {
          Check(impl.element[0], value[i], fmt::format("{}.{}.member", path, i + 1));
        }
        break;
      case Kind::kMap:
        CheckMap(impl, value, path);
        break;
      case Kind::kStructure:
        CheckStructure(impl, value, path);
        break;
    }
  }

  const std::optional<aws::ServiceError>& mistyped() const { return mistyped_; }

 private:
  static bool HasType(Kind kind, const Json& value) {
    switch (kind) {
      case Kind::kText:
      case Kind::kEnum:
        return value.is_string();
      case Kind::kInteger:
        if (value.is_number_unsigned()) return value.get<uint64_t>() <= static_cast<uint64_t>(INT64_MAX);
        if (value.is_number_float()) {
          const double number = value.get<double>();
          return number == std::floor(number) && std::abs(number) < 9e15;
        }
        return value.is_number_integer();
      case Kind::kBoolean:
        return value.is_boolean();
      case Kind::kTimestamp:
        return value.is_number() || value.is_string();
      case Kind::kList:
        return value.is_array();
      case Kind::kMap:
      case Kind::kStructure:
        break;
    }
    return value.is_object();
  }

  void Mistyped(const std::string& path, const Json& value, Kind kind) {
    if (mistyped_) return;
    mistyped_ = aws::ServiceError{
        "SerializationException",
        fmt::format("Value {} at '{}' cannot be read: it must be {}", Shown(value), path, KindName(kind)),
        400,
        {},
        {}};
  }

  static std::vector<std::string> TextConstraints(const Shape::Impl& impl, const std::string& text) {
    std::vector<std::string> broken;
    if (impl.kind == Kind::kEnum) {
      if (std::find(impl.values.begin(), impl.values.end(), text) == impl.values.end()) {
        broken.push_back(fmt::format("Member must satisfy enum value set: [{}]", fmt::join(impl.values, ", ")));
      }
      return broken;
    }
    const int64_t length = Characters(text);
    if (length > impl.most) broken.push_back(LessOrEqual("length", impl.most));
    if (length < impl.least) broken.push_back(GreaterOrEqual("length", impl.least));
    if (impl.pattern && !RE2::FullMatch(text, *impl.pattern)) {
      broken.push_back("Member must satisfy regular expression pattern: " + impl.pattern_text);
    }
    return broken;
  }

  static std::string LessOrEqual(std::string_view what, int64_t most) {
    return fmt::format("Member must have {} less than or equal to {}", what, most);
  }
  static std::string GreaterOrEqual(std::string_view what, int64_t least) {
    return fmt::format("Member must have {} greater than or equal to {}", what, least);
  }

  void CheckRange(const Shape::Impl& impl, int64_t found, const Json& value, const std::string& path,
                  std::string_view what) {
    if (found > impl.most) violations_.Add(path, value, LessOrEqual(what, impl.most));
    if (found < impl.least) violations_.Add(path, value, GreaterOrEqual(what, impl.least));
  }

  void CheckMap(const Shape::Impl& impl, const Json& value, const std::string& path) {
    CheckRange(impl, static_cast<int64_t>(value.size()), value, path, "length");
    for (const auto& [key, item] : value.items()) {
      CheckEntry(*impl.element[0].impl_, "key", key, key, item, path);
      if (!item.is_string()) return Mistyped(path + "." + key, item, Kind::kText);
      CheckEntry(*impl.element[1].impl_, "value", item.get_ref<const std::string&>(), key, item, path);
    }
  }

  // AWS lists what an entry breaks together, and so that it can be found the entry is shown, not the map.
  void CheckEntry(const Shape::Impl& impl, const char* side, const std::string& text, const std::string& key,
                  const Json& item, const std::string& path) {
    const auto broken = TextConstraints(impl, text);
    if (broken.empty()) return;
    violations_.Add(path, Json{{key, item}},
                    fmt::format("Map {} must satisfy constraint: [{}]", side, fmt::join(broken, ", ")));
  }

  void CheckStructure(const Shape::Impl& impl, const Json& value, const std::string& path) {
    for (const auto& member : impl.members) {
      const auto found = value.find(member.name);
      if (found != value.end() && !found->is_null()) {
        Check(member.shape, *found, Below(path, member.name));
      } else if (member.required) {
        violations_.Add(Below(path, member.name), nullptr, "Member must not be null");
      }
    }
    if (!impl.closed) return;
    for (const auto& [key, item] : value.items()) {
      const bool known = std::any_of(impl.members.begin(), impl.members.end(),
                                     [&, name = key](const Shape::Member& member) { return member.name == name; });
      if (!known) violations_.Add(Below(path, key), item, "Member is not known here; a misspelling?");
    }
  }

  Violations& violations_;
  std::optional<aws::ServiceError> mistyped_;
};

std::optional<aws::ServiceError> Check(const Shape& shape, const Json& input, Violations& violations) {
  Checker checker(violations);
  checker.Check(shape, input, "");
  return checker.mistyped();
}

std::optional<aws::ServiceError> Validate(const Shape& shape, const Json& input, std::string_view code) {
  Violations violations;
  if (auto error = Check(shape, input, violations)) return error;
  if (violations.empty()) return std::nullopt;
  return aws::ServiceError{std::string(code), violations.Message(), 400, {}, {}};
}

}  // namespace headrace::api
