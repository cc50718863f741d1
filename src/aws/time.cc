#include "aws/time.h"

#include <array>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace headrace::aws {
namespace {

constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

struct Parts {
  int year = 0;
  unsigned month = 0, day = 0, weekday = 0;
  int64_t hour = 0, minute = 0, second = 0, millisecond = 0;
};

Parts Split(UnixMillis time) {
  using namespace std::chrono;
  const sys_time<milliseconds> point{milliseconds(time)};
  const auto day = floor<days>(point);
  const year_month_day date(day);
  const int64_t rest = (point - day).count();
  return {int(date.year()), unsigned(date.month()), unsigned(date.day()), weekday(day).c_encoding(),
          rest / 3'600'000, rest / 60'000 % 60,     rest / 1000 % 60,     rest % 1000};
}

std::optional<UnixMillis> Join(const Parts& parts) {
  using namespace std::chrono;
  const year_month_day date{year(parts.year), month(parts.month), day(parts.day)};
  if (!date.ok() || parts.hour > 23 || parts.minute > 59 || parts.second > 60) return std::nullopt;
  const int64_t days = sys_days(date).time_since_epoch().count();
  return (((days * 24 + parts.hour) * 60 + parts.minute) * 60 + parts.second) * 1000 + parts.millisecond;
}

// Takes exactly `digits` digits from the front of `text`.
template <typename Number>
bool Take(std::string_view& text, size_t digits, Number& value) {
  if (text.size() < digits) return false;
  for (const char c : text.substr(0, digits))
    if (c < '0' || c > '9') return false;
  std::from_chars(text.data(), text.data() + digits, value);
  text.remove_prefix(digits);
  return true;
}

bool Take(std::string_view& text, std::string_view wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(wanted.size());
  return true;
}

// ".678" of any number of digits; rounds down to milliseconds.
bool TakeFraction(std::string_view& text, int64_t& millisecond) {
  if (!Take(text, ".") && !Take(text, ",")) return true;
  int64_t scale = 100, digits = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), scale /= 10, ++digits)
    millisecond += (text[0] - '0') * scale;
  return digits > 0;
}

// "Z", "+02:00", "-0500" or nothing, in minutes.
std::optional<int64_t> ParseOffset(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z") return 0;
  const int64_t sign = text[0] == '+' ? 1 : -1;
  if (text[0] != '+' && text[0] != '-') return std::nullopt;
  text.remove_prefix(1);
  int64_t hours = 0, minutes = 0;
  if (!Take(text, 2, hours)) return std::nullopt;
  Take(text, ":");
  if (!text.empty() && !Take(text, 2, minutes)) return std::nullopt;
  if (!text.empty() || hours > 23 || minutes > 59) return std::nullopt;
  return sign * (hours * 60 + minutes);
}

}  // namespace

std::string Iso8601(UnixMillis time) {
  return time % 1000 != 0 ? Iso8601Millis(time) : Iso8601Millis(time).erase(19, 4);
}

std::string Iso8601Millis(UnixMillis time) {
  const Parts p = Split(time);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", p.year, p.month, p.day, p.hour, p.minute, p.second,
                     p.millisecond);
}

std::string BasicIso8601(UnixMillis time) {
  const Parts p = Split(time);
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", p.year, p.month, p.day, p.hour, p.minute, p.second);
}

std::string HttpDate(UnixMillis time) {
  const Parts p = Split(time);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[p.weekday], p.day, kMonths[p.month - 1], p.year,
                     p.hour, p.minute, p.second);
}

std::optional<UnixMillis> ParseIso8601(std::string_view text) {
  Parts p;
  if (!Take(text, 4, p.year)) return std::nullopt;
  Take(text, "-");
  if (!Take(text, 2, p.month)) return std::nullopt;
  Take(text, "-");
  if (!Take(text, 2, p.day)) return std::nullopt;
  if (text.empty()) return Join(p);
  if (!Take(text, "T") && !Take(text, "t") && !Take(text, " ")) return std::nullopt;
  if (!Take(text, 2, p.hour)) return std::nullopt;
  Take(text, ":");
  if (!Take(text, 2, p.minute)) return std::nullopt;
  Take(text, ":");
  if (!text.empty() && text[0] >= '0' && text[0] <= '9' && !Take(text, 2, p.second)) return std::nullopt;
  if (!TakeFraction(text, p.millisecond)) return std::nullopt;
  const auto offset = ParseOffset(text);
  const auto local = Join(p);
  if (!offset || !local) return std::nullopt;
  return *local - *offset * 60'000;
}

std::optional<UnixMillis> ParseHttpDate(std::string_view text) {
  const size_t comma = text.find(", ");
  if (comma == std::string_view::npos) return std::nullopt;
  text.remove_prefix(comma + 2);
  Parts p;
  if (!Take(text, 2, p.day) || !Take(text, " ")) return std::nullopt;
  for (const std::string_view name : kMonths) {
    ++p.month;
    if (Take(text, name)) break;
    if (p.month == 12) return std::nullopt;
  }
  if (!Take(text, " ") || !Take(text, 4, p.year) || !Take(text, " ") || !Take(text, 2, p.hour) || !Take(text, ":") ||
      !Take(text, 2, p.minute) || !Take(text, ":") || !Take(text, 2, p.second) || text != " GMT")
    return std::nullopt;
  return Join(p);
}

}  // namespace headrace::aws
