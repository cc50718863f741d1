#include "serving/codec/predict_request.h"

#include <algorithm>

#include <simdjson.h>

#include "serving/codec/json_example.h"
#include "serving/codec/json_text.h"
#include "serving/codec/tensor_builder.h"

namespace headrace::serving {
namespace {

namespace ondemand = simdjson::ondemand;

class Parser {
 public:
  explicit Parser(const Signature& signature) : tensors_(signature.GraphInputs().size()) {
    builders_.reserve(signature.inputs.size());
    for (size_t input = 0; input < signature.inputs.size(); ++input) builders_.emplace_back(signature, input);
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
    return SerializesExamples() ? AddJsonFeatures(std::move(features), example_) : FeaturesOf(std::move(features), 0);
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
    if (FirstOf(value) != '{') {
      if (builders_.size() != 1)
        return wrapped(Fail(ErrorCode::kInvalidArgument, "wanted an object of the {} inputs", builders_.size()));
      return wrapped(builders_[0].Row(std::move(value)));
    }
    HEADRACE_JSON(object, value.get_object());
    return wrapped(NamedRow(std::move(object), number, "b64"));
  }

  Status ExampleRow(ondemand::object object, const Parser& context) {
    const int64_t number = count_++;
    if (SerializesExamples()) {
      data::ExampleBuilder example = context.example_;
      HEADRACE_TRY(AddJsonFeatures(std::move(object), example));
      return builders_[0].RowOfBytes(example.Serialize());
    }
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
      HEADRACE_TRY(FirstOf(value) == '{' ? NamedValue(*builder, std::move(value)) : builder->Feature(std::move(value)));
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
        HEADRACE_TRY(builders_[0].RowOfBase64(text));
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

  static Status NamedValue(TensorBuilder& builder, ondemand::value value) {
    if (FirstOf(value) != '{') return builder.Row(std::move(value));
    HEADRACE_JSON(ondemand::object object, value.get_object());
    return Bytes(builder, std::move(object));
  }

  // Whether the model has one input of strings: it wants examples as TensorFlow Serving makes them, serialized.
  bool SerializesExamples() const { return builders_.size() == 1 && builders_[0].takes_strings(); }

  static Status Bytes(TensorBuilder& builder, ondemand::object object) {
    HEADRACE_ASSIGN(const std::string bytes, Base64Object(std::move(object), "input '" + builder.info().name + "'"));
    return builder.RowOfBytes(bytes);
  }

  Status Columns(ondemand::value value) {
    if (FirstOf(value) != '{') {
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
      if (builder == nullptr && key == "b64" && SerializesExamples()) {  // a value and no names: a batch of one
        HEADRACE_JSON(const std::string_view text, field.value().get_string());
        HEADRACE_TRY(builders_[0].RowOfBase64(text));
        continue;
      }
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
    if (builder.takes_strings() && FirstOf(value) != '[') return builder.Row(std::move(value));  // a batch of one
    if (value.get_array().get(list))
      return Fail(ErrorCode::kInvalidArgument, "input '{}': wanted a list whose first dimension is the batch",
                  builder.info().name);
    for (auto element : list) {
      HEADRACE_JSON(ondemand::value row, std::move(element));
      HEADRACE_TRY(NamedValue(builder, std::move(row)));
    }
    return {};
  }
  Result<PredictInputs> Finish() {
    PredictInputs inputs;
    inputs.row_format = row_format_;
    for (TensorBuilder& builder : builders_) {
      if (builder.rows() == 0) return Fail(ErrorCode::kInvalidArgument, "no values: 'instances' is an empty list");
      if (builder.rows() != builders_[0].rows())
        return Fail(ErrorCode::kInvalidArgument, "input '{}' has {} rows, '{}' has {}", builder.info().name,
                    builder.rows(), builders_[0].info().name, builders_[0].rows());
      builder.Finish(tensors_);
    }
    inputs.tensors = std::move(tensors_);
    return inputs;
  }

 private:
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
  std::vector<Tensor> tensors_;   // that the model reads
  data::ExampleBuilder example_;  // of a context
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
  if (!signature.strings.empty() && signature.inputs.size() != 1)
    return Fail(ErrorCode::kInvalidArgument, "Expected one input Tensor, of strings; signature '{}' has {} inputs",
                signature.name, signature.inputs.size());
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
