#include "sagemaker/settings/config_file.h"

#include <algorithm>
#include <optional>
#include <set>

#include "aws/header_text.h"

namespace headrace::sagemaker {
namespace {

constexpr std::string_view kBlanks = " \t\n\v\f\r\x1c\x1d\x1e\x1f";
constexpr std::string_view kDefaultSection = "DEFAULT";  // its settings belong to every section

std::string_view Strip(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

std::string_view StripRight(std::string_view text) {
  const size_t end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(0, end + 1);
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

// Lines end with "\n", "\r\n" or "\r".
std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    lines.push_back(text.substr(0, end));
    const bool two = text.substr(end).starts_with("\r\n");
    text.remove_prefix(std::min(text.size(), end + (two ? 2 : 1)));
  }
  return lines;
}

// Reads lines into sections; a value is a list of lines until all are read.
class Parser {
 public:
  Result<ConfigFile> Parse(std::string_view text) {
    if (!aws::IsUtf8(text)) return Fail(ErrorCode::kInvalidArgument, "found bytes that are not UTF-8");
    for (const std::string_view line : Lines(text)) {
      ++number_;
      HEADRACE_TRY(Take(line));
    }
    if (wrong_line_ != 0)
      return Fail(ErrorCode::kInvalidArgument, "line {}: wanted a setting (NAME = VALUE) or a section ([NAME])",
                  wrong_line_);
    return Finish();
  }

 private:
  using RawSection = std::map<std::string, std::vector<std::string>>;

  Status Take(std::string_view line) {
    const std::string_view value = Strip(line);
    const bool comment = value.starts_with('#') || value.starts_with(';');
    if (comment) return {};
    if (value.empty()) {
      if (values_ != nullptr) values_->emplace_back();
      return {};
    }
    const size_t indent = line.find_first_not_of(kBlanks);
    if (values_ != nullptr && indent > indent_) {
      values_->emplace_back(value);
      return {};
    }
    indent_ = indent;
    if (value.front() == '[' && value.find(']', 2) != std::string_view::npos) return OpenSection(value);
    if (section_ == nullptr)
      return Fail(ErrorCode::kInvalidArgument, "line {}: a setting before the first section", number_);
    return TakeSetting(value);
  }

  Status OpenSection(std::string_view value) {
    const std::string name(value.substr(1, value.rfind(']') - 1));
    values_ = nullptr;
    section_name_ = name;
    if (name == kDefaultSection) {
      section_ = &defaults_;
      return {};
    }
    const auto [place, fresh] = sections_.try_emplace(name);
    if (!fresh) return Fail(ErrorCode::kInvalidArgument, "line {}: the section [{}] stands twice", number_, name);
    order_.push_back(name);
    section_ = &place->second;
    return {};
  }

  Status TakeSetting(std::string_view value) {
    const size_t delimiter = value.find_first_of("=:");
    const std::string name = Lower(StripRight(value.substr(0, std::min(delimiter, value.size()))));
    if (delimiter == std::string_view::npos || name.empty()) {
      if (wrong_line_ == 0) wrong_line_ = number_;
      if (delimiter == std::string_view::npos) return {};
    }
    if (!seen_.emplace(section_name_, name).second)
      return Fail(ErrorCode::kInvalidArgument, "line {}: the setting {} stands twice in [{}]", number_, name,
                  section_name_);
    values_ = &((*section_)[name] = {std::string(Strip(value.substr(delimiter + 1)))});
    return {};
  }

  static Result<ConfigValue> Join(const std::string& name, const std::vector<std::string>& lines) {
    std::string text;
    for (size_t i = 0; i < lines.size(); ++i) text += (i > 0 ? "\n" : "") + lines[i];
    text.resize(StripRight(text).size());
    if (!text.starts_with('\n')) return ConfigValue{text, {}, false};
    ConfigValue value;
    value.is_nested = true;
    for (const std::string& line : lines) {
      const std::string_view stripped = Strip(line);
      if (stripped.empty()) continue;
      const size_t equals = stripped.find('=');
      if (equals == std::string_view::npos)
        return Fail(ErrorCode::kInvalidArgument, "{}: wanted NAME = VALUE on each of its lines", name);
      value.nested[std::string(Strip(stripped.substr(0, equals)))] = Strip(stripped.substr(equals + 1));
    }
    return value;
  }

  Result<ConfigFile> Finish() const {
    ConfigFile file;
    for (const std::string& name : order_) {
      ConfigSection section;
      for (const RawSection* raw : {&defaults_, &sections_.at(name)}) {
        for (const auto& [option, lines] : *raw) {
          HEADRACE_ASSIGN(section[option], Join(option, lines));
        }
      }
      file.sections.emplace_back(name, std::move(section));
    }
    return file;
  }

  std::map<std::string, RawSection> sections_;
  std::vector<std::string> order_;
  RawSection defaults_;
  std::set<std::pair<std::string, std::string>> seen_;
  std::string section_name_;
  RawSection* section_ = nullptr;
  std::vector<std::string>* values_ = nullptr;  // of the last setting, which deeper lines go on with
  size_t indent_ = 0;                           // of its line
  int number_ = 0, wrong_line_ = 0;
};

}  // namespace

const ConfigSection* ConfigFile::Find(std::string_view name) const {
  const auto found =
      std::find_if(sections.begin(), sections.end(), [&](const auto& entry) { return entry.first == name; });
  return found == sections.end() ? nullptr : &found->second;
}

Result<ConfigFile> ParseConfigFile(std::string_view text) { return Parser().Parse(text); }

Result<std::vector<std::string>> ShellWords(std::string_view line) {
  std::vector<std::string> words;
  std::optional<std::string> word;
  const auto append = [&](char c) { word = word.value_or("") + c; };
  for (size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      if (word) words.push_back(*std::exchange(word, std::nullopt));
    } else if (c == '\\') {
      if (++i == line.size()) return Fail(ErrorCode::kInvalidArgument, "found a backslash at the end");
      append(line[i]);
    } else if (c == '\'' || c == '"') {
      word = word.value_or("");
      for (++i; i < line.size() && line[i] != c; ++i) {
        const bool escape = c == '"' && line[i] == '\\' && i + 1 < line.size();
        if (escape && (line[i + 1] == '"' || line[i + 1] == '\\')) ++i;
        append(line[i]);
      }
      if (i == line.size()) return Fail(ErrorCode::kInvalidArgument, "found a quote that is not closed");
    } else {
      append(c);
    }
  }
  if (word) words.push_back(*word);
  return words;
}

}  // namespace headrace::sagemaker
