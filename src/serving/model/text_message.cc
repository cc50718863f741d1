#include "serving/model/text_message.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace headrace::serving {

namespace {
constexpr int kMaxDepth = 32;
}

class TextParser {
 public:
  TextParser(std::string_view text, const std::string& what) : text_(text), what_(what) {}

  Result<TextMessage> Message(int depth, char end) {
    if (depth > kMaxDepth) return Bad("messages too deep in each other");
    TextMessage message;
    while (true) {
      Skip();
      if (at_ == text_.size()) {
        if (end != '\0') return Bad("a message without its end");
        return message;
      }
      if (end != '\0' && text_[at_] == end) {
        ++at_;
        return message;
      }
      HEADRACE_TRY(Field(message, depth));
      Skip();
      if (at_ < text_.size() && (text_[at_] == ',' || text_[at_] == ';')) ++at_;
    }
  }

 private:
  Status Field(TextMessage& message, int depth) {
    const std::string name = Word();
    if (name.empty()) return Bad("wanted a field's name");
    Skip();
    const bool colon = at_ < text_.size() && text_[at_] == ':';
    if (colon) ++at_;
    Skip();
    if (at_ < text_.size() && (text_[at_] == '{' || text_[at_] == '<')) {
      const char end = text_[at_++] == '{' ? '}' : '>';
      HEADRACE_ASSIGN(TextMessage inner, Message(depth + 1, end));
      message.fields_.push_back({name, "", {}, false});
      message.fields_.back().message.push_back(std::move(inner));
      return {};
    }
    if (!colon) return Bad("wanted ':' or '{' behind '" + name + "'");
    if (at_ < text_.size() && text_[at_] == '[') {
      ++at_;
      for (Skip(); at_ < text_.size() && text_[at_] != ']'; Skip()) {
        HEADRACE_TRY(Scalar(message, name));
        Skip();
        if (at_ < text_.size() && text_[at_] == ',') ++at_;
      }
      if (at_ == text_.size()) return Bad("a list without its end");
      ++at_;
      return {};
    }
    return Scalar(message, name);
  }

  Status Scalar(TextMessage& message, const std::string& name) {
    if (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {
      HEADRACE_ASSIGN(std::string value, Quoted());
      message.fields_.push_back({name, std::move(value), {}, true});
      return {};
    }
    const size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 ||
                                  std::string_view("_.+-").find(text_[at_]) != std::string_view::npos))
      ++at_;
    if (start == at_) return Bad("wanted a value for '" + name + "'");
    message.fields_.push_back({name, std::string(text_.substr(start, at_ - start)), {}, false});
    return {};
  }

  Result<std::string> Quoted() {
    std::string value;
    while (at_ < text_.size() && (text_[at_] == '"' || text_[at_] == '\'')) {  // neighbours are one string
      const char quote = text_[at_++];
      for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
        if (text_[at_] == '\n') return Bad("a string without its end");
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        value += text_[at_];
      }
      if (at_ == text_.size()) return Bad("a string without its end");
      ++at_;
      Skip();
    }
    return value;
  }

  std::string Word() {
    const size_t start = at_;
    while (at_ < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[at_])) != 0 || text_[at_] == '_'))
      ++at_;
    return std::string(text_.substr(start, at_ - start));
  }

  void Skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#') {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
        ++at_;
      } else {
        return;
      }
    }
  }

  tl::unexpected<Error> Bad(const std::string& why) const {
    const auto line = std::count(text_.begin(), text_.begin() + static_cast<long>(at_), '\n') + 1;
    return Fail(ErrorCode::kInvalidArgument, "{}: line {}: {}", what_, line, why);
  }

  std::string_view text_;
  const std::string& what_;
  size_t at_ = 0;
};

Result<TextMessage> TextMessage::Parse(std::string_view text, const std::string& what) {
  return TextParser(text, what).Message(0, '\0');
}

std::vector<const TextMessage*> TextMessage::Messages(std::string_view name) const {
  std::vector<const TextMessage*> found;
  for (const Field& field : fields_)
    if (field.name == name && !field.message.empty()) found.push_back(&field.message[0]);
  return found;
}

const TextMessage* TextMessage::Message(std::string_view name) const {
  const auto found = Messages(name);
  return found.empty() ? nullptr : found.back();
}

std::vector<std::string> TextMessage::Values(std::string_view name) const {
  std::vector<std::string> found;
  for (const Field& field : fields_)
    if (field.name == name && field.message.empty()) found.push_back(field.value);
  return found;
}

std::optional<std::string> TextMessage::Value(std::string_view name) const {
  const auto found = Values(name);
  return found.empty() ? std::nullopt : std::optional(found.back());
}

Result<std::optional<int64_t>> TextMessage::Number(std::string_view name) const {
  if (const TextMessage* wrapped = Message(name)) return wrapped->Number("value");
  const auto text = Value(name);
  if (!text) return std::optional<int64_t>();
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (error != std::errc() || end != text->data() + text->size())
    return Fail(ErrorCode::kInvalidArgument, "{}: found '{}', wanted a whole number", name, *text);
  return std::optional(number);
}

Result<std::optional<bool>> TextMessage::Bool(std::string_view name) const {
  if (const TextMessage* wrapped = Message(name)) return wrapped->Bool("value");
  const auto text = Value(name);
  if (!text) return std::optional<bool>();
  if (*text == "true" || *text == "True" || *text == "1") return std::optional(true);
  if (*text == "false" || *text == "False" || *text == "0") return std::optional(false);
  return Fail(ErrorCode::kInvalidArgument, "{}: found '{}', wanted true or false", name, *text);
}

Status TextMessage::OnlyFields(const std::vector<std::string_view>& names, const std::string& what) const {
  for (const Field& field : fields_)
    if (std::find(names.begin(), names.end(), field.name) == names.end())
      return Fail(ErrorCode::kInvalidArgument, "{}: unknown field '{}'", what, field.name);
  return {};
}

}  // namespace headrace::serving
