#include "serving/codec/predict_request.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>

#include <simdjson.h>

#include "serving/codec/base64.h"
#include "serving/codec/quick_row.h"

namespace headrace::serving {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr size_t kShown = 40;  // characters of a value in a message

tl::unexpected<Error> FailJson(simdjson::error_code code) {
  if (code == simdjson::EMPTY) return Fail(ErrorCode::kInvalidArgument, "JSON Parse error: The document is empty");
  return Fail(ErrorCode::kInvalidArgument, "JSON Parse error: {}", simdjson::error_message(code));
}

#define HEADRACE_JSON(declaration, expression)                                                                      \
  HEADRACE_JSON_(HEADRACE_CONCAT(headrace_json_, __LINE__), HEADRACE_CONCAT(headrace_code_, __LINE__), declaration, \
                 expression)
#define HEADRACE_JSON_(result, code, declaration, expression)        \
  auto result = (expression);                                        \
  if (const auto code = result.error(); code) return FailJson(code); \
  declaration = std::move(result).value_unsafe()

std::string_view Shown(std::string_view token) {
  while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0) token.remove_suffix(1);
  return token.substr(0, kShown);
}

// One input's elements as they arrive. Its rows are as long as the signature says.
class TensorBuilder {
 public:
  TensorBuilder(const TensorInfo& info) : info_(info), type_(info.dtype), row_(RowElements(info.shape)) {}

  int64_t rows() const { return rows_; }
  const TensorInfo& info() const { return info_; }

  // Room for one more row.
  Status AddRow() {
    if (rows_ == capacity_) {
      const int64_t wanted = std::max<int64_t>(capacity_ * 2, std::max<int64_t>(1, 256 / std::max<int64_t>(row_, 1)));
      if (wanted > kMaxElements / std::max<int64_t>(row_, 1))
        return Fail(ErrorCode::kResourceExhausted, "input '{}': more than {} elements", info_.name, kMaxElements);
      Tensor larger(type_, WithRows(info_.shape, wanted));
      if (rows_ > 0) std::memcpy(larger.raw(), tensor_.raw(), static_cast<size_t>(rows_ * row_) * SizeOf(type_));
      tensor_ = std::move(larger);
      capacity_ = wanted;
    }
    at_ = rows_++ * row_;
    return {};
  }

  Tensor Finish() { return tensor_.Slice(0, rows_); }

  // One row: nested lists of the signature's dimensions. A dimension of 1 at the end may be left out.
  Status Row(ondemand::value value) {
    HEADRACE_TRY(AddRow());
    return IsQuick(value.raw_json_token().data()) ? Status() : Level(std::move(value), 1);
  }

  // A feature of an example: a row, or its elements in one list as tf.Example has them.
  Status Feature(ondemand::value value) {
    if (info_.shape.rank() <= 2 || !IsFlatList(value)) return Row(std::move(value));
    HEADRACE_TRY(AddRow());
    HEADRACE_JSON(ondemand::array list, value.get_array());
    return Elements(std::move(list), row_, 1);
  }

  // The only row of `other`, a builder of the same input.
  Status CopyOf(const TensorBuilder& other) {
    HEADRACE_TRY(AddRow());
    const size_t bytes = static_cast<size_t>(row_) * SizeOf(type_);
    std::memcpy(Data() + static_cast<size_t>(at_) * SizeOf(type_), other.tensor_.raw(), bytes);
    return {};
  }

  // One row as raw bytes in base64.
  Status RowOfBytes(std::string_view base64) {
    HEADRACE_TRY(AddRow());
    const auto bytes = DecodeBase64(base64);
    const size_t wanted = static_cast<size_t>(row_) * SizeOf(info_.dtype);
    if (!bytes) return Fail(ErrorCode::kInvalidArgument, "input '{}': its b64 is no base64", info_.name);
    if (bytes->size() != wanted)
      return Fail(ErrorCode::kInvalidArgument, "input '{}': {} bytes in b64, wanted {} ({} of shape {})", info_.name,
                  bytes->size(), wanted, NameOf(info_.dtype), info_.shape.ToString());
    std::memcpy(Data() + static_cast<size_t>(at_) * SizeOf(type_), bytes->data(), wanted);
    return {};
  }

 private:
  char* Data() { return static_cast<char*>(tensor_.raw()); }

  // Whether the row at `text` could be read without the parser, which then skips it.
  bool IsQuick(const char* text) {
    char* const row = Data() + static_cast<size_t>(at_) * SizeOf(type_);
    switch (type_) {
      case DType::kFloat32:
        return TakeRow(text, info_.shape, reinterpret_cast<float*>(row));
      case DType::kUInt8:
        return TakeRow(text, info_.shape, reinterpret_cast<uint8_t*>(row));
      case DType::kInt32:
        return TakeRow(text, info_.shape, reinterpret_cast<int32_t*>(row));
      case DType::kInt64:
        return TakeRow(text, info_.shape, reinterpret_cast<int64_t*>(row));
      default:
        return false;
    }
  }

  Status Level(ondemand::value value, size_t axis) {
    ondemand::json_type type;
    if (const auto code = value.type().get(type); code) type = ondemand::json_type::number;  // NaN and its like
    if (axis == info_.shape.rank()) {
      if (type == ondemand::json_type::array)
        return Fail(ErrorCode::kInvalidArgument,
                    "Encountered list at unexpected size: more levels than {} at input '{}'", info_.shape.ToString(),
                    info_.name);
      return Number(std::move(value));
    }
    if (type != ondemand::json_type::array) {
      for (size_t rest = axis; rest < info_.shape.rank(); ++rest)
        if (info_.shape[rest] != 1)
          return Fail(ErrorCode::kInvalidArgument, "JSON Value: {} Type: {} is not a list of {} (input '{}' is {})",
                      Shown(value.raw_json_token()), TypeName(type), info_.shape[axis], info_.name,
                      info_.shape.ToString());
      return Level(std::move(value), info_.shape.rank());
    }
    HEADRACE_JSON(ondemand::array list, value.get_array());
    return axis + 1 == info_.shape.rank() ? Innermost(std::move(list), axis) : Lists(std::move(list), axis);
  }

  Status Lists(ondemand::array list, size_t axis) {
    const int64_t wanted = info_.shape[axis];
    int64_t count = 0;
    for (auto element : list) {
      HEADRACE_JSON(ondemand::value value, std::move(element));
      if (count++ == wanted) return FailSize(axis, wanted, count, true);
      HEADRACE_TRY(Level(std::move(value), axis + 1));
    }
    return count == wanted ? Status() : FailSize(axis, wanted, count, false);
  }

  Status Innermost(ondemand::array list, size_t axis) { return Elements(std::move(list), info_.shape[axis], axis); }

  // A list of `wanted` numbers.
  Status Elements(ondemand::array list, int64_t wanted, size_t axis) {
    int64_t count = 0;
    for (auto element : list) {
      HEADRACE_JSON(ondemand::value value, std::move(element));
      if (count++ == wanted) return FailSize(axis, wanted, count, true);
      HEADRACE_TRY(Number(std::move(value)));
    }
    return count == wanted ? Status() : FailSize(axis, wanted, count, false);
  }

  // A list whose first element is no list.
  static bool IsFlatList(ondemand::value& value) {
    const char* at = value.raw_json_token().data();
    if (*at++ != '[') return false;
    while (*at == ' ' || *at == '\t' || *at == '\r' || *at == '\n') ++at;
    return *at != '[';
  }

  Status FailSize(size_t axis, int64_t wanted, int64_t found, bool more) const {
    return Fail(ErrorCode::kInvalidArgument,
                "Encountered list at unexpected size: {}{} at level: {} expected size: {} (input '{}' is {})", found,
                more ? " or more" : "", axis, wanted, info_.name, info_.shape.ToString());
  }

  static const char* TypeName(ondemand::json_type type) {
    switch (type) {
      case ondemand::json_type::array:
        return "Array";
      case ondemand::json_type::object:
        return "Object";
      case ondemand::json_type::string:
        return "String";
      case ondemand::json_type::boolean:
        return "Bool";
      case ondemand::json_type::null:
        return "Null";
      default:
        return "Number";
    }
  }

  Status Number(ondemand::value value) {
    if (type_ == DType::kFloat32) {
      double number;
      if (value.get_double().get(number) && !Special(value.raw_json_token(), number)) return FailType(value);
      reinterpret_cast<float*>(Data())[at_++] = static_cast<float>(number);
      return {};
    }
    int64_t number;
    if (value.get_int64().get(number)) return FailType(value);
    const auto [low, high] = Range(info_.dtype);
    if (number < low || number > high) return FailType(value);
    if (type_ == DType::kUInt8) reinterpret_cast<uint8_t*>(Data())[at_++] = static_cast<uint8_t>(number);
    if (type_ == DType::kInt32) reinterpret_cast<int32_t*>(Data())[at_++] = static_cast<int32_t>(number);
    if (type_ == DType::kInt64) reinterpret_cast<int64_t*>(Data())[at_++] = number;
    return {};
  }

  static std::pair<int64_t, int64_t> Range(DType dtype) {
    if (dtype == DType::kUInt8) return {0, 255};
    if (dtype == DType::kInt32) return {INT32_MIN, INT32_MAX};
    return {INT64_MIN, INT64_MAX};
  }

  // NaN, Infinity and Inf, which no JSON number is; and numbers too large for a double, which are infinite.
  static bool Special(std::string_view token, double& number) {
    while (!token.empty() && std::isspace(static_cast<unsigned char>(token.back())) != 0) token.remove_suffix(1);
    const bool minus = !token.empty() && token[0] == '-';
    if (minus) token.remove_prefix(1);
    if (token == "NaN") {
      number = std::numeric_limits<double>::quiet_NaN();
    } else if (token == "Infinity" || token == "Inf") {
      number = std::numeric_limits<double>::infinity();
    } else {
      return false;
    }
    if (minus) number = -number;
    return true;
  }

  Status FailType(ondemand::value& value) const {
    ondemand::json_type type;
    const bool unknown = value.type().get(type);
    return Fail(ErrorCode::kInvalidArgument, "JSON Value: {} Type: {} is not of expected type: {} (input '{}')",
                Shown(value.raw_json_token()), unknown ? "Unknown" : TypeName(type),
                info_.dtype == DType::kFloat32 ? "float" : NameOf(info_.dtype), info_.name);
  }

  const TensorInfo& info_;
  DType type_;
  int64_t row_ = 1;
  int64_t rows_ = 0, capacity_ = 0, at_ = 0;
  Tensor tensor_;
};

class Parser {
 public:
  explicit Parser(const Signature& signature) {
    builders_.reserve(signature.inputs.size());
    for (const TensorInfo& input : signature.inputs) builders_.emplace_back(input);
  }

  Status Object(ondemand::object object) {
    bool found = false;
    for (auto entry : object) {
      HEADRACE_JSON(ondemand::field field, std::move(entry));
      HEADRACE_JSON(const std::string_view key, field.unescaped_key());
      if (key != "instances" && key != "inputs") continue;
      if (std::exchange(found, true))
        return Fail(ErrorCode::kInvalidArgument,
                    "Not formatted correctly: 'instances' or 'inputs', not both, and once");
      row_format_ = key == "instances";
      HEADRACE_TRY(row_format_ ? Instances(field.value()) : Columns(field.value()));
    }
    if (!found) return Fail(ErrorCode::kInvalidArgument, "Missing 'inputs' or 'instances' key");
    return {};
  }

  // "examples"; what an example lacks is taken from `context`.
  Status Examples(ondemand::object object, const Parser& context) {
    bool found = false;
    for (auto entry : object) {
      HEADRACE_JSON(ondemand::field field, std::move(entry));
      HEADRACE_JSON(const std::string_view key, field.unescaped_key());
      if (key != "examples") continue;
      if (std::exchange(found, true)) return Fail(ErrorCode::kInvalidArgument, "'examples' is there twice");
      HEADRACE_JSON(ondemand::array list, field.value().get_array());
      for (auto element : list) {
        HEADRACE_JSON(ondemand::value value, std::move(element));
        HEADRACE_JSON(ondemand::object example, value.get_object());
        HEADRACE_TRY(ExampleRow(std::move(example), context));
      }
    }
    if (!found)
      return Fail(ErrorCode::kInvalidArgument,
                  "When method is classify or regress, key 'examples' is expected and was not found");
    return {};
  }

  // "context", when there is one: at most one row an input.
  Status Context(ondemand::object object) {
    ondemand::value value;
    if (object.find_field_unordered("context").get(value)) return {};
    ondemand::object features;
    if (value.get_object().get(features)) return Fail(ErrorCode::kInvalidArgument, "'context' key must be an object.");
    return FeaturesOf(std::move(features), 0);
  }

  Status Instances(ondemand::value value) {
    ondemand::array list;
    if (value.get_array().get(list))
      return Fail(ErrorCode::kInvalidArgument, "Excepting 'instances' to be an list/array");
    for (auto element : list) {
      HEADRACE_JSON(ondemand::value instance, std::move(element));
      HEADRACE_TRY(Instance(std::move(instance)));
    }
    return {};
  }

  Status Instance(ondemand::value value) {
    const int64_t number = count_++;
    const auto wrapped = [&](Status status) -> Status {
      if (status) return status;
      return Fail(status.error().code(),
                  "Failed to process element: {} of 'instances' list. Error: INVALID_ARGUMENT: {}", number,
                  status.error().message());
    };
    ondemand::object object;
    if (*Peek(value) != '{') {
      if (builders_.size() != 1)
        return wrapped(Fail(ErrorCode::kInvalidArgument, "wanted an object of the {} inputs", builders_.size()));
      return wrapped(builders_[0].Row(std::move(value)));
    }
    HEADRACE_JSON(object, value.get_object());
    return wrapped(NamedRow(std::move(object), number, "b64"));
  }

  Status ExampleRow(ondemand::object object, const Parser& context) {
    const int64_t number = count_++;
    HEADRACE_TRY(FeaturesOf(std::move(object), number));
    for (size_t i = 0; i < builders_.size(); ++i)
      if (builders_[i].rows() == number && context.builders_[i].rows() > 0)
        HEADRACE_TRY(builders_[i].CopyOf(context.builders_[i]));
    return RequireRow(number);
  }

  // {feature: value or list, …}
  Status FeaturesOf(ondemand::object object, int64_t number) {
    for (auto entry : object) {
      HEADRACE_JSON(ondemand::field field, std::move(entry));
      HEADRACE_JSON(const std::string_view key, field.unescaped_key());
      TensorBuilder* builder = Find(key);
      if (builder == nullptr) return FailName(key);
      if (builder->rows() > number) return Fail(ErrorCode::kInvalidArgument, "input '{}' is there twice", key);
      ondemand::value value = field.value();
      HEADRACE_TRY(*Peek(value) == '{' ? NamedValue(*builder, std::move(value)) : builder->Feature(std::move(value)));
    }
    return {};
  }

  // {input: value, …}; with one input also {"b64": "…"}.
  Status NamedRow(ondemand::object object, int64_t number, std::string_view bytes_key) {
    for (auto entry : object) {
      HEADRACE_JSON(ondemand::field field, std::move(entry));
      HEADRACE_JSON(const std::string_view key, field.unescaped_key());
      TensorBuilder* builder = Find(key);
      if (builder == nullptr && key == bytes_key && builders_.size() == 1) {
        HEADRACE_JSON(const std::string_view text, field.value().get_string());
        HEADRACE_TRY(builders_[0].RowOfBytes(text));
        continue;
      }
      if (builder == nullptr) return FailName(key);
      if (builder->rows() > number) return Fail(ErrorCode::kInvalidArgument, "input '{}' is there twice", key);
      HEADRACE_TRY(NamedValue(*builder, field.value()));
    }
    return RequireRow(number);
  }

  Status RequireRow(int64_t number) const {
    for (const TensorBuilder& builder : builders_)
      if (builder.rows() != number + 1)
        return Fail(ErrorCode::kInvalidArgument, "Missing named input: {} in element {}", builder.info().name, number);
    return {};
  }

  Status NamedValue(TensorBuilder& builder, ondemand::value value) {
    if (*Peek(value) != '{') return builder.Row(std::move(value));
    HEADRACE_JSON(ondemand::object object, value.get_object());
    return Bytes(builder, std::move(object));
  }

  static Status Bytes(TensorBuilder& builder, ondemand::object object) {
    size_t fields = 0;
    for (auto entry : object) {
      HEADRACE_JSON(ondemand::field field, std::move(entry));
      HEADRACE_JSON(const std::string_view key, field.unescaped_key());
      if (key != "b64" || fields++ > 0)
        return Fail(ErrorCode::kInvalidArgument, "input '{}': found an object, wanted a list or {{\"b64\": …}}",
                    builder.info().name);
      HEADRACE_JSON(const std::string_view text, field.value().get_string());
      HEADRACE_TRY(builder.RowOfBytes(text));
    }
    if (fields == 0) return Fail(ErrorCode::kInvalidArgument, "input '{}': found an empty object", builder.info().name);
    return {};
  }

  Status Columns(ondemand::value value) {
    if (*Peek(value) != '{') {
      if (builders_.size() != 1)
        return Fail(ErrorCode::kInvalidArgument, "'inputs' is no object, wanted the {} inputs: {}", builders_.size(),
                    Names());
      return Column(builders_[0], std::move(value));
    }
    HEADRACE_JSON(ondemand::object object, value.get_object());
    for (auto entry : object) {
      HEADRACE_JSON(ondemand::field field, std::move(entry));
      HEADRACE_JSON(const std::string_view key, field.unescaped_key());
      TensorBuilder* builder = Find(key);
      if (builder == nullptr) continue;  // extra names are ignored
      if (builder->rows() > 0) return Fail(ErrorCode::kInvalidArgument, "input '{}' is there twice", key);
      HEADRACE_TRY(Column(*builder, field.value()));
    }
    for (const TensorBuilder& builder : builders_)
      if (builder.rows() == 0)
        return Fail(ErrorCode::kInvalidArgument, "Missing named input: {} in 'inputs' object.", builder.info().name);
    return {};
  }

  static Status Column(TensorBuilder& builder, ondemand::value value) {
    ondemand::array list;
    if (value.get_array().get(list))
      return Fail(ErrorCode::kInvalidArgument, "input '{}': wanted a list whose first dimension is the batch",
                  builder.info().name);
    for (auto element : list) {
      HEADRACE_JSON(ondemand::value row, std::move(element));
      HEADRACE_TRY(NamedValueOf(builder, std::move(row)));
    }
    return {};
  }
  static Status NamedValueOf(TensorBuilder& builder, ondemand::value value) {
    if (*Peek(value) != '{') return builder.Row(std::move(value));
    HEADRACE_JSON(ondemand::object object, value.get_object());
    return Bytes(builder, std::move(object));
  }

  Result<PredictInputs> Finish() {
    PredictInputs inputs;
    inputs.row_format = row_format_;
    for (TensorBuilder& builder : builders_) {
      if (builder.rows() == 0) return Fail(ErrorCode::kInvalidArgument, "no values: 'instances' is an empty list");
      if (builder.rows() != builders_[0].rows())
        return Fail(ErrorCode::kInvalidArgument, "input '{}' has {} rows, '{}' has {}", builder.info().name,
                    builder.rows(), builders_[0].info().name, builders_[0].rows());
      inputs.tensors.push_back(builder.Finish());
    }
    return inputs;
  }

 private:
  // The first character of a value.
  static const char* Peek(ondemand::value& value) {
    const std::string_view token = value.raw_json_token();
    return token.empty() ? "" : token.data();
  }
  TensorBuilder* Find(std::string_view name) {
    for (TensorBuilder& builder : builders_)
      if (builder.info().name == name) return &builder;
    return nullptr;
  }
  tl::unexpected<Error> FailName(std::string_view key) const {
    return Fail(ErrorCode::kInvalidArgument, "'{}' is no input of the model; there is: {}", key.substr(0, kShown),
                Names());
  }
  std::string Names() const {
    std::string names;
    for (const TensorBuilder& builder : builders_) names += (names.empty() ? "" : ", ") + builder.info().name;
    return names;
  }

  std::vector<TensorBuilder> builders_;
  bool row_format_ = true;
  int64_t count_ = 0;
};

simdjson::padded_string_view View(const JsonBody& body, std::string_view part) {
  const size_t before = static_cast<size_t>(part.data() - body.text().data());
  static_assert(Buffer::kPadding >= simdjson::SIMDJSON_PADDING);
  return simdjson::padded_string_view(part.data(), part.size(), body.buffer().capacity() - before);
}

// Calls take(value) for the document in `text`.
template <typename Take>
Status WithDocument(const JsonBody& body, std::string_view text, const Take& take) {
  if (text.empty()) return Fail(ErrorCode::kInvalidArgument, "JSON Parse error: The document is empty");
  // Reused: its buffers are as large as the largest body this thread has seen, up to a limit.
  thread_local ondemand::parser parser;
  if (parser.capacity() > (size_t{64} << 20)) parser = ondemand::parser();
  HEADRACE_JSON(ondemand::document document, parser.iterate(View(body, text)));
  return take(document);
}

std::string_view Trimmed(std::string_view text) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && space(text.front())) text.remove_prefix(1);
  while (!text.empty() && space(text.back())) text.remove_suffix(1);
  return text;
}

Status ParseLines(const JsonBody& body, Parser& parser) {
  std::vector<std::string_view> lines;
  std::string_view rest = body.text();
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = Trimmed(rest.substr(0, end));
    if (!line.empty()) lines.push_back(line);
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  for (const std::string_view line : lines) {
    HEADRACE_TRY(WithDocument(body, line, [&](ondemand::document& document) -> Status {
      HEADRACE_JSON(ondemand::value value, document.get_value());
      return lines.size() == 1 && line.front() == '[' ? parser.Instances(value) : parser.Instance(value);
    }));
  }
  return {};
}

template <typename Take>
Status WithObject(const JsonBody& body, const Take& take) {
  return WithDocument(body, body.text(), [&](ondemand::document& document) -> Status {
    ondemand::object object;
    if (document.get_object().get(object)) {
      const std::string_view text = Trimmed(body.text());
      if (text.empty()) return Fail(ErrorCode::kInvalidArgument, "JSON Parse error: The document is empty");
      return Fail(ErrorCode::kInvalidArgument, "JSON Value: {} Is not object", text.substr(0, kShown));
    }
    return take(std::move(object));
  });
}

}  // namespace

Result<std::string> SignatureName(const JsonBody& body) {
  std::string name;
  if (body.text().find("\"signature_name\"") == std::string_view::npos) return name;
  HEADRACE_TRY(WithObject(body, [&](ondemand::object object) -> Status {
    ondemand::value value;
    if (object.find_field_unordered("signature_name").get(value)) return {};
    std::string_view text;
    if (value.get_string().get(text))
      return Fail(ErrorCode::kInvalidArgument, "'signature_name' key must be a string value.");
    name = text;
    return {};
  }));
  return name;
}

Result<PredictInputs> ParsePredict(const JsonBody& body, JsonForm form, const Signature& signature) {
  Parser parser(signature);
  if (form == JsonForm::kLines) {
    HEADRACE_TRY(ParseLines(body, parser));
  } else if (form == JsonForm::kObject) {
    HEADRACE_TRY(WithObject(body, [&](ondemand::object object) { return parser.Object(std::move(object)); }));
  } else {
    HEADRACE_TRY(WithDocument(body, body.text(), [&](ondemand::document& document) -> Status {
      ondemand::value value;
      if (const auto code = document.get_value().get(value); code)  // a number or string alone
        return Fail(ErrorCode::kInvalidArgument, "JSON Value: {} Is not object",
                    Trimmed(body.text()).substr(0, kShown));
      return form == JsonForm::kInstances ? parser.Instances(std::move(value)) : parser.Instance(std::move(value));
    }));
  }
  return parser.Finish();
}

Result<PredictInputs> ParseExamples(const JsonBody& body, const Signature& signature) {
  Parser parser(signature), context(signature);
  if (body.text().find("\"context\"") != std::string_view::npos)
    HEADRACE_TRY(WithObject(body, [&](ondemand::object object) { return context.Context(std::move(object)); }));
  HEADRACE_TRY(WithObject(body, [&](ondemand::object object) { return parser.Examples(std::move(object), context); }));
  return parser.Finish();
}

JsonForm FormOf(std::string_view body) {
  const auto space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  for (const std::string_view key : {"\"instances\"", "\"inputs\"", "\"examples\""}) {
    for (size_t at = body.find(key); at != std::string_view::npos; at = body.find(key, at + 1)) {
      size_t next = at + key.size();
      while (next < body.size() && space(body[next])) ++next;
      if (next < body.size() && body[next] == ':') return JsonForm::kObject;
    }
  }
  // A closing bracket with an opening one behind it, and only blanks between.
  for (size_t at = body.find('\n'); at != std::string_view::npos; at = body.find('\n', at + 1)) {
    size_t before = at, after = at;
    while (before > 0 && space(body[before - 1])) --before;
    while (after < body.size() && space(body[after])) ++after;
    const bool closes = before > 0 && (body[before - 1] == '}' || body[before - 1] == ']');
    if (closes && after < body.size() && (body[after] == '{' || body[after] == '[')) return JsonForm::kLines;
  }
  const std::string_view text = Trimmed(body);
  if (text.empty() || text[0] != '[') return JsonForm::kInstance;
  const std::string_view inner = Trimmed(text.substr(1));
  return !inner.empty() && inner[0] == '[' ? JsonForm::kInstances : JsonForm::kInstance;
}

}  // namespace headrace::serving
