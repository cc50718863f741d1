#include "keras/callbacks/python_spec.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <fmt/core.h>

#include "base/result.h"

namespace headrace::keras::internal {
namespace {

// Far beyond any file's name, and so that a width in a name cannot ask for memory.
constexpr int kMostWidth = 4096;

template <typename... Args>
[[noreturn]] void Refuse(fmt::format_string<Args...> format, Args&&... args) {
  throw MakeError(ErrorCode::kInvalidArgument, format, std::forward<Args>(args)...);
}

struct Spec {
  std::string fill = " ";  // one character of UTF-8
  char align = '>', sign = '-', type = '\0';
  bool no_negative_zero = false, alternate = false;
  int width = -1, precision = -1;
  char separator = '\0';
  int group = 3;  // digits between separators
};

size_t CharacterBytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(bytes, text.size());
}

bool IsAlign(char c) { return c == '<' || c == '>' || c == '=' || c == '^'; }

class SpecParser {
 public:
  SpecParser(std::string_view text, char default_align, char default_type)
      : rest_(text), default_align_(default_align) {
    spec_.align = default_align;
    spec_.type = default_type;
  }

  Spec Parse() {
    const bool filled = TakeAlign();
    if (AtOneOf("+- ")) spec_.sign = Next();
    spec_.no_negative_zero = Take('z');
    spec_.alternate = Take('#');
    if (!filled && Take('0')) {
      spec_.fill = "0";
      if (!aligned_ && default_align_ == '>') spec_.align = '=';
    }
    if (AtDigit()) spec_.width = TakeNumber();
    TakeSeparator();
    if (Take('.')) {
      if (!AtDigit()) Refuse("Format specifier missing precision");
      spec_.precision = TakeNumber();
    }
    if (rest_.size() > CharacterBytes(rest_.empty() ? " " : rest_)) Refuse("Invalid format specifier");
    if (!rest_.empty()) spec_.type = Next();
    CheckSeparator();
    return spec_;
  }

 private:
  bool AtOneOf(std::string_view characters) const {
    return !rest_.empty() && characters.find(rest_[0]) != std::string_view::npos;
  }
  bool AtDigit() const { return AtOneOf("0123456789"); }
  char Next() {
    const char c = rest_[0];
    rest_.remove_prefix(1);
    return c;
  }
  bool Take(char c) {
    if (rest_.empty() || rest_[0] != c) return false;
    Next();
    return true;
  }

  // Whether a fill came with it.
  bool TakeAlign() {
    const size_t fill = rest_.empty() ? 0 : CharacterBytes(rest_);
    if (fill > 0 && rest_.size() > fill && IsAlign(rest_[fill])) {
      spec_.fill = std::string(rest_.substr(0, fill));
      spec_.align = rest_[fill];
      rest_.remove_prefix(fill + 1);
      return aligned_ = true;
    }
    if (!rest_.empty() && IsAlign(rest_[0])) {
      spec_.align = Next();
      aligned_ = true;
    }
    return false;
  }

  int TakeNumber() {
    int number = 0;
    while (AtDigit()) {
      number = number * 10 + (Next() - '0');
      if (number > kMostWidth) Refuse("a width or precision above {}", kMostWidth);
    }
    return number;
  }

  void TakeSeparator() {
    if (AtOneOf(",_")) spec_.separator = Next();
    if (spec_.separator != '\0' && AtOneOf(",_") && rest_[0] != spec_.separator)
      Refuse("Cannot specify both ',' and '_'.");
  }

  void CheckSeparator() {
    if (spec_.separator == '\0') return;
    if (spec_.type == '\0' || std::string_view("deEfFgG%").find(spec_.type) != std::string_view::npos) return;
    const bool other_base = std::string_view("boxX").find(spec_.type) != std::string_view::npos;
    if (!other_base || spec_.separator != '_') Refuse("Cannot specify '{}' with '{}'.", spec_.separator, spec_.type);
    spec_.group = 4;
  }

  std::string_view rest_;
  const char default_align_;
  bool aligned_ = false;
  Spec spec_;
};

std::string Repeated(const std::string& text, int64_t count) {
  std::string all;
  for (int64_t i = 0; i < count; ++i) all += text;
  return all;
}

// A number's text in parts: sign, prefix, digits that are grouped, and the rest as it is.
struct Number {
  bool negative = false;
  std::string prefix, digits, rest;
};

// The digits with separators, and with zeros in front up to `width` characters: never a separator first.
std::string Grouped(const std::string& digits, const Spec& spec, int64_t width) {
  const auto zeros = [](int64_t count) { return std::string(static_cast<size_t>(std::max<int64_t>(count, 0)), '0'); };
  auto left = static_cast<int64_t>(digits.size());
  if (spec.separator == '\0') return zeros(width - left) + digits;
  std::string text;
  for (bool first = true;; first = false) {
    const int64_t length = std::min<int64_t>(spec.group, std::max<int64_t>({left, width, 1}));
    const int64_t characters = std::clamp<int64_t>(left, 0, length);
    std::string group = zeros(length - left);
    group += digits.substr(static_cast<size_t>(left - characters), static_cast<size_t>(characters));
    text = group + (first ? "" : std::string(1, spec.separator)) + text;
    left -= characters;
    width -= length;
    if (left <= 0 && width <= 0) return text;
    --width;  // the separator
  }
}

std::string Aligned(const Spec& spec, const std::string& before, const std::string& after, int64_t characters) {
  const int64_t padding = spec.width - characters;
  if (padding <= 0) return before + after;
  if (spec.align == '<') return before + after + Repeated(spec.fill, padding);
  if (spec.align == '>') return Repeated(spec.fill, padding) + before + after;
  if (spec.align == '=') return before + Repeated(spec.fill, padding) + after;
  return Repeated(spec.fill, padding / 2) + before + after + Repeated(spec.fill, padding - padding / 2);
}

std::string Assembled(const Spec& spec, const Number& number) {
  std::string before = number.negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  before += number.prefix;
  const auto fixed = static_cast<int64_t>(before.size() + number.rest.size());
  const int64_t least = spec.fill == "0" && spec.align == '=' ? spec.width - fixed : 0;
  const std::string digits = number.digits.empty() ? "" : Grouped(number.digits, spec, least);
  return Aligned(spec, before, digits + number.rest, fixed + static_cast<int64_t>(digits.size()));
}

// ------------------------------------------------------------------------------------------------------- floats

std::string Printed(const char* format, int precision, double value) {
  const int length = std::snprintf(nullptr, 0, format, precision, value);
  std::string text(static_cast<size_t>(std::max(length, 0)) + 1, '\0');
  std::snprintf(text.data(), text.size(), format, precision, value);
  text.pop_back();
  return text;
}

// Without a type but with a precision: as 'g', but with a digit behind the point, so exponents come a digit earlier.
std::string GeneralWithPoint(double value, int precision, bool alternate) {
  precision = std::max(precision, 1);
  const std::string scientific = Printed("%.*e", precision - 1, value);
  const size_t e = scientific.find('e');
  const int exponent = std::atoi(scientific.c_str() + e + 1);
  if (exponent < -4 || exponent >= precision - 1) {
    std::string mantissa = scientific.substr(0, e);
    if (!alternate && mantissa.find('.') != std::string::npos) {
      mantissa.erase(mantissa.find_last_not_of('0') + 1);
      if (mantissa.back() == '.') mantissa.pop_back();
    }
    if (alternate && mantissa.find('.') == std::string::npos) mantissa += '.';
    return mantissa + scientific.substr(e);
  }
  std::string text = Printed("%#.*g", precision, value);
  if (alternate) return text;
  text.erase(text.find_last_not_of('0') + 1);
  return text.back() == '.' ? text + "0" : text;
}

std::string ReprOf(double value, bool alternate) {
  std::string text = PythonRepr(value);
  const size_t e = text.find('e');
  if (alternate && e != std::string::npos && text.find('.') == std::string::npos) text.insert(e, ".");
  return text;
}

// As C prints them, where Python does the same.
std::string Digits(const Spec& spec, char type, double value) {
  const int precision = spec.precision < 0 ? 6 : spec.precision;
  if (type == '\0') {
    return spec.precision < 0 ? ReprOf(value, spec.alternate) : GeneralWithPoint(value, spec.precision, spec.alternate);
  }
  if (type == 'e') return Printed(spec.alternate ? "%#.*e" : "%.*e", precision, value);
  if (type == 'f') return Printed(spec.alternate ? "%#.*f" : "%.*f", precision, value);
  return Printed(spec.alternate ? "%#.*g" : "%.*g", precision, value);
}

bool IsZero(const std::string& text) {
  return text.substr(0, text.find('e')).find_first_of("123456789") == std::string::npos;
}

std::string FormatFloatWith(const Spec& spec, double value, const char* type_name) {
  constexpr std::string_view kTypes("eEfFgGn%");
  if (spec.type != '\0' && kTypes.find(spec.type) == std::string_view::npos)
    Refuse("Unknown format code '{}' for object of type '{}'", spec.type, type_name);
  const bool percent = spec.type == '%', upper = std::isupper(static_cast<unsigned char>(spec.type)) != 0;
  if (percent) value *= 100;
  char type = static_cast<char>(std::tolower(static_cast<unsigned char>(spec.type)));
  if (percent) type = 'f';
  if (type == 'n') type = 'g';
  std::string text = std::isnan(value)   ? "nan"
                     : std::isinf(value) ? (value < 0 ? "-inf" : "inf")
                                         : Digits(spec, type, value);
  Number number;
  number.negative = text[0] == '-';
  if (number.negative) text.erase(0, 1);
  if (spec.no_negative_zero && std::isfinite(value) && IsZero(text)) number.negative = false;
  if (upper) std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::toupper(c); });
  if (percent) text += '%';
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  number.digits = text.substr(0, digits);
  number.rest = text.substr(digits);
  return Assembled(spec, number);
}

// --------------------------------------------------------------------------------------------------------- ints

std::string Utf8(int64_t code) {
  std::string text;
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | (code >> shift & 0x3f)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xc0 | code >> 6), tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xe0 | code >> 12), tail(6), tail(0);
  } else {
    text += static_cast<char>(0xf0 | code >> 18), tail(12), tail(6), tail(0);
  }
  return text;
}

std::string FormatCharacter(const Spec& spec, bool sign_given, int64_t value) {
  if (sign_given) Refuse("Sign not allowed with integer format specifier 'c'");
  if (spec.alternate) Refuse("Alternate form (#) not allowed with integer format specifier 'c'");
  if (value < 0 || value > 0x10ffff) Refuse("%c arg not in range(0x110000)");
  return Aligned(spec, "", Utf8(value), 1);
}

std::string InBase(uint64_t value, int base) {
  std::array<char, 65> text;
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value, base).ptr};
}

int BaseOf(char type) { return type == 'b' ? 2 : type == 'o' ? 8 : type == 'x' || type == 'X' ? 16 : 10; }

// Whether the specification gives a sign, also '-', which is what there is without one.
bool GivesSign(std::string_view spec) {
  const size_t fill = spec.empty() ? 0 : CharacterBytes(spec);
  if (fill > 0 && spec.size() > fill && IsAlign(spec[fill]))
    spec.remove_prefix(fill + 1);
  else if (!spec.empty() && IsAlign(spec[0]))
    spec.remove_prefix(1);
  return !spec.empty() && std::string_view("+- ").find(spec[0]) != std::string_view::npos;
}

}  // namespace

std::string PythonRepr(double value) {
  if (std::isnan(value)) return "nan";
  std::string text = fmt::format("{}", value);
  const bool integral = text.find_first_not_of("-0123456789") == std::string::npos;
  return integral ? text + ".0" : text;
}

std::string FormatFloat(std::string_view text, double value) {
  return FormatFloatWith(SpecParser(text, '>', '\0').Parse(), value, "float");
}

std::string FormatInt(std::string_view text, int64_t value) {
  Spec spec = SpecParser(text, '>', 'd').Parse();
  if (std::string_view("bcdnoxX").find(spec.type) == std::string_view::npos)
    return FormatFloatWith(spec, static_cast<double>(value), "int");
  if (spec.precision >= 0) Refuse("Precision not allowed in integer format specifier");
  if (spec.no_negative_zero) Refuse("Negative zero coercion (z) not allowed in format specifier with integer type");
  if (spec.type == 'c') return FormatCharacter(spec, GivesSign(text), value);
  Number number{.negative = value < 0, .prefix = {}, .digits = {}, .rest = {}};
  number.digits =
      InBase(value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value), BaseOf(spec.type));
  if (spec.alternate && BaseOf(spec.type) != 10) number.prefix = std::string("0") + spec.type;
  if (spec.type == 'X')
    for (char& digit : number.digits) digit = static_cast<char>(std::toupper(static_cast<unsigned char>(digit)));
  return Assembled(spec, number);
}

std::string FormatText(std::string_view text, const std::string& value) {
  const Spec spec = SpecParser(text, '<', 's').Parse();
  if (spec.type != 's') Refuse("Unknown format code '{}' for object of type 'str'", spec.type);
  if (GivesSign(text)) Refuse("Sign not allowed in string format specifier");
  if (spec.no_negative_zero) Refuse("Negative zero coercion (z) not allowed in string format specifier");
  if (spec.alternate) Refuse("Alternate form (#) not allowed in string format specifier");
  if (spec.align == '=') Refuse("'=' alignment not allowed in string format specifier");
  const std::string cut = spec.precision < 0 ? value : value.substr(0, static_cast<size_t>(spec.precision));
  return Aligned(spec, "", cut, static_cast<int64_t>(cut.size()));
}

}  // namespace headrace::keras::internal
