#include "aws/cbor_codec.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <fmt/format.h>

#include "aws/limits.h"

namespace headrace::aws {
namespace {

enum Major : unsigned { kUnsigned, kNegative, kBytes, kText, kArray, kMap, kTag, kSimple };

double FromHalf(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const double fraction = half & 1023;
  double value = 0;
  if (exponent == 0) {
    value = std::ldexp(fraction, -24);
  } else if (exponent == 31) {
    value = fraction == 0 ? std::numeric_limits<double>::infinity() : std::numeric_limits<double>::quiet_NaN();
  } else {
    value = std::ldexp(fraction + 1024, exponent - 25);
  }
  return (half & 0x8000) != 0 ? -value : value;
}

// Every step returns false at the first thing it does not understand; nothing is reserved by what the input announces.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : rest_(bytes) {}

  bool Value(Json& value, int depth) {
    unsigned major = 0;
    if (depth > kMaxNesting || ++values_ > kMaxValues || !Head(major)) return false;
    switch (major) {
      case kUnsigned:
        return !indefinite_ && (value = argument_, true);
      case kNegative:
        return !indefinite_ && Negative(value);
      case kBytes:
      case kText:
        return String(value, major);
      case kArray:
        return Array(value, depth);
      case kMap:
        return Map(value, depth);
      case kTag:
        return !indefinite_ && Value(value, depth + 1);  // 1: epoch seconds; others say nothing new
      default:
        return Simple(value);
    }
  }
  bool AtEnd() const { return rest_.empty(); }

 private:
  // Leaves the argument in argument_, or sets indefinite_. info_: the low five bits.
  bool Head(unsigned& major) {
    if (rest_.empty()) return false;
    const auto first = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    major = first >> 5;
    info_ = first & 31u;
    indefinite_ = info_ == 31;
    if (info_ < 24 || indefinite_) {
      argument_ = info_;
      return true;
    }
    if (info_ > 27) return false;
    const size_t size = size_t{1} << (info_ - 24);
    if (rest_.size() < size) return false;
    argument_ = 0;
    for (size_t i = 0; i < size; ++i) argument_ = argument_ << 8 | static_cast<unsigned char>(rest_[i]);
    rest_.remove_prefix(size);
    return true;
  }

  bool Negative(Json& value) const {
    if (argument_ <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      value = -1 - static_cast<int64_t>(argument_);
    } else {
      value = -1.0 - static_cast<double>(argument_);
    }
    return true;
  }

  bool TakeBreak() {
    if (rest_.empty() || static_cast<unsigned char>(rest_.front()) != 0xff) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool TakeText(std::string& text) {
    if (argument_ > rest_.size()) return false;
    text.append(rest_.substr(0, argument_));
    rest_.remove_prefix(argument_);
    return true;
  }

  bool Text(std::string& text, unsigned wanted) {
    if (!indefinite_) return TakeText(text);
    while (!TakeBreak()) {
      unsigned major = 0;
      if (++values_ > kMaxValues || !Head(major) || major != wanted || indefinite_ || !TakeText(text)) return false;
    }
    return true;
  }

  bool String(Json& value, unsigned major) {
    std::string text;
    if (!Text(text, major)) return false;
    value = std::move(text);
    return true;
  }

  bool Array(Json& value, int depth) {
    value = Json::array();
    const bool until_break = indefinite_;
    for (uint64_t left = argument_; until_break ? !TakeBreak() : left > 0; --left) {
      value.emplace_back();
      if (!Value(value.back(), depth + 1)) return false;
    }
    return true;
  }

  bool Map(Json& value, int depth) {
    value = Json::object();
    const bool until_break = indefinite_;
    for (uint64_t left = argument_; until_break ? !TakeBreak() : left > 0; --left) {
      unsigned major = 0;
      std::string name;
      if (!Head(major) || major != kText || !Text(name, kText)) return false;
      if (!Value(value[name], depth + 1)) return false;
    }
    return true;
  }

  bool Simple(Json& value) {
    switch (info_) {
      case 20:
        value = false;
        return true;
      case 21:
        value = true;
        return true;
      case 22:
      case 23:
        value = nullptr;
        return true;
      case 25:
        value = FromHalf(static_cast<uint16_t>(argument_));
        return true;
      case 26:
        value = std::bit_cast<float>(static_cast<uint32_t>(argument_));
        return true;
      case 27:
        value = std::bit_cast<double>(argument_);
        return true;
      default:
        return false;
    }
  }

  std::string_view rest_;
  size_t values_ = 0;
  uint64_t argument_ = 0;
  unsigned info_ = 0;
  bool indefinite_ = false;
};

class Encoder {
 public:
  explicit Encoder(const std::set<std::string, std::less<>>& timestamps) : timestamps_(timestamps) {}

  void Value(const Json& value, bool is_time) {
    switch (value.type()) {
      case Json::value_t::object:
        Map(value);
        break;
      case Json::value_t::array:
        Head(kArray, value.size());
        for (const Json& member : value) Value(member, is_time);
        break;
      case Json::value_t::string:
        Text(value.get_ref<const std::string&>());
        break;
      case Json::value_t::boolean:
        bytes_ += static_cast<char>(value.get<bool>() ? 0xf5 : 0xf4);
        break;
      case Json::value_t::number_unsigned:
      case Json::value_t::number_integer:
      case Json::value_t::number_float:
        Number(value, is_time);
        break;
      default:
        bytes_ += static_cast<char>(0xf6);
        break;
    }
  }
  std::string Take() { return std::move(bytes_); }

 private:
  void Head(unsigned major, uint64_t argument) {
    const unsigned type = major << 5;
    if (argument < 24) {
      bytes_ += static_cast<char>(type | argument);
      return;
    }
    const unsigned info = argument <= 0xff ? 24 : argument <= 0xffff ? 25 : argument <= 0xffffffff ? 26 : 27;
    bytes_ += static_cast<char>(type | info);
    BigEndian(argument, size_t{1} << (info - 24));
  }

  void BigEndian(uint64_t value, size_t size) {
    for (size_t i = size; i-- > 0;) bytes_ += static_cast<char>(value >> (8 * i) & 0xff);
  }

  void Text(std::string_view text) {
    Head(kText, text.size());
    bytes_ += text;
  }

  void Map(const Json& value) {
    Head(kMap, value.size());
    for (const auto& [name, member] : value.items()) {
      Text(name);
      Value(member, timestamps_.contains(name));
    }
  }

  void Number(const Json& value, bool is_time) {
    if (is_time) Head(kTag, 1);
    if (value.is_number_float()) {
      bytes_ += static_cast<char>(0xfb);
      BigEndian(std::bit_cast<uint64_t>(value.get<double>()), 8);
    } else if (value.is_number_unsigned() || value.get<int64_t>() >= 0) {
      Head(kUnsigned, value.get<uint64_t>());
    } else {
      Head(kNegative, static_cast<uint64_t>(-1 - value.get<int64_t>()));
    }
  }

  const std::set<std::string, std::less<>>& timestamps_;
  std::string bytes_;
};

}  // namespace

Reply<Json> DecodeCbor(std::string_view bytes) {
  if (bytes.empty()) return Json::object();
  Json value;
  Decoder decoder(bytes);
  if (!decoder.Value(value, 0) || !decoder.AtEnd())
    return Refuse(
        "SerializationException",
        fmt::format("The body is not one CBOR value of at most {} levels and {} values.", kMaxNesting, kMaxValues));
  if (!value.is_object()) return Refuse("SerializationException", "Start of structure or map expected.");
  return value;
}

std::string EncodeCbor(const Json& value, const std::set<std::string, std::less<>>& timestamps) {
  Encoder encoder(timestamps);
  encoder.Value(value, false);
  return encoder.Take();
}

}  // namespace headrace::aws
