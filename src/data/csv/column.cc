#include <charconv>
#include <cstdlib>
#include <string_view>

#include "headrace/data.h"

#include "base/result.h"

namespace headrace::data {
namespace {

// Without blanks around it and without a plus, which from_chars does not know.
std::string_view Bare(std::string_view field) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  const size_t first = field.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  field = field.substr(first, field.find_last_not_of(kBlanks) - first + 1);
  if (field.starts_with('+') && !field.starts_with("+-")) field.remove_prefix(1);
  return field;
}

template <typename T>
bool ParseAll(std::string_view field, T& value) {
  const std::string_view bare = Bare(field);
  const auto [end, error] = std::from_chars(bare.data(), bare.data() + bare.size(), value);
  if (std::is_floating_point_v<T> && error == std::errc::result_out_of_range) {
    value = static_cast<T>(std::strtof(std::string(bare).c_str(), nullptr));  // infinite, or nearly zero
    return end == bare.data() + bare.size();
  }
  return error == std::errc() && end == bare.data() + bare.size() && !bare.empty();
}

template <typename T>
Tensor ScalarOf(DType type, T value) {
  Tensor tensor(type, Shape{});
  *tensor.data<T>() = value;
  return tensor;
}

template <typename T>
Tensor ParseNumber(DType type, const std::string& field) {
  T value{};
  if (!ParseAll(field, value))
    throw MakeError(ErrorCode::kInvalidArgument, "found \"{}\", wanted {}", field.substr(0, 40), NameOf(type));
  return ScalarOf(type, value);
}

}  // namespace

CsvColumn::CsvColumn(DType type) : type_(type) {
  if (type != DType::kFloat32 && type != DType::kInt32 && type != DType::kInt64 && type != DType::kUInt8)
    throw MakeError(ErrorCode::kInvalidArgument, "CsvColumn: found {}, wanted float32, int32, int64, or uint8 for text",
                    NameOf(type));
}

Tensor CsvColumn::Parse(const std::string& field, bool empty) const {
  if (empty) {
    if (const auto* text = std::get_if<std::string>(&value_)) return FromBytes(*text);
    if (const auto* real = std::get_if<float>(&value_)) return ScalarOf(type_, *real);
    if (const auto* whole = std::get_if<int64_t>(&value_))
      return type_ == DType::kInt32 ? ScalarOf(type_, static_cast<int32_t>(*whole)) : ScalarOf(type_, *whole);
    throw MakeError(ErrorCode::kInvalidArgument, "found an empty field, wanted {}: the column has no default",
                    type_ == DType::kUInt8 ? "text" : NameOf(type_));
  }
  if (type_ == DType::kUInt8) return FromBytes(field);
  if (type_ == DType::kInt32) return ParseNumber<int32_t>(type_, field);
  if (type_ == DType::kInt64) return ParseNumber<int64_t>(type_, field);
  return ParseNumber<float>(type_, field);
}

}  // namespace headrace::data
