#include "serving/codec/json_response.h"

#include <charconv>
#include <cmath>

namespace headrace::serving {
namespace {

void AppendValue(float value, std::string& text) { AppendNumber(value, text); }
void AppendValue(uint8_t value, std::string& text) { text += std::to_string(value); }
void AppendValue(int32_t value, std::string& text) { text += std::to_string(value); }
void AppendValue(int64_t value, std::string& text) { text += std::to_string(value); }

// The nested lists that start at `axis`; append(element) writes one.
template <typename T, typename Append>
void AppendValues(const T*& at, const Shape& shape, size_t axis, std::string& text, const Append& append) {
  if (axis == shape.rank()) {
    append(*at++);
    return;
  }
  text += '[';
  for (int64_t i = 0; i < shape[axis]; ++i) {
    if (i > 0) text += ", ";
    AppendValues(at, shape, axis + 1, text, append);
  }
  text += ']';
}

template <typename T, typename Append>
void AppendRowBy(const Tensor& tensor, int64_t row, std::string& text, const Append& append) {
  const int64_t size = tensor.size() / tensor.dim(0);
  const T* at = tensor.data<T>() + row * size;
  AppendValues(at, tensor.shape(), 1, text, append);
}

template <typename T>
void AppendRowOf(const Tensor& tensor, int64_t row, std::string& text) {
  AppendRowBy<T>(tensor, row, text, [&](T value) { AppendValue(value, text); });
}

// An output's tensor, and the strings that its numbers stand for.
struct OutputTensor {
  const Tensor& tensor;
  const Labels* labels;
};

void AppendRow(const OutputTensor& output, int64_t row, std::string& text) {
  const Tensor& tensor = output.tensor;
  if (output.labels != nullptr)
    return AppendRowBy<int32_t>(tensor, row, text, [&](int32_t number) {
      AppendJsonString((*output.labels)[static_cast<size_t>(number)], text);
    });
  switch (tensor.dtype()) {
    case DType::kUInt8:
      return AppendRowOf<uint8_t>(tensor, row, text);
    case DType::kInt32:
      return AppendRowOf<int32_t>(tensor, row, text);
    case DType::kInt64:
      return AppendRowOf<int64_t>(tensor, row, text);
    default:
      return AppendRowOf<float>(tensor, row, text);
  }
}

// The whole tensor as a list, its closing bracket on a line of its own.
void AppendColumn(const OutputTensor& output, std::string_view indent, std::string& text) {
  text += '[';
  for (int64_t row = 0; row < output.tensor.dim(0); ++row) {
    if (row > 0) text += ", ";
    AppendRow(output, row, text);
  }
  text += '\n';
  text += indent;
  text += ']';
}

void AppendNamedRow(const Signature& signature, const std::vector<Tensor>& outputs, int64_t row, std::string& text) {
  text += "\n        {";
  for (size_t i = 0; i < outputs.size(); ++i) {
    text += i > 0 ? ",\n            " : "\n            ";
    AppendJsonString(signature.outputs[i].name, text);
    text += ": ";
    AppendRow({outputs[i], signature.LabelsOf(i)}, row, text);
  }
  text += "\n        }";
}

size_t EstimatedBytes(const std::vector<Tensor>& outputs) {
  size_t bytes = 64;
  for (const Tensor& output : outputs) bytes += static_cast<size_t>(output.size()) * 16;
  return bytes;
}

}  // namespace

void AppendNumber(float value, std::string& text) {
  if (!std::isfinite(value)) {
    text += std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    return;
  }
  char digits[32];
  const char* end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  text.append(digits, static_cast<size_t>(end - digits));
  for (const char* c = digits; c < end; ++c)
    if (*c == '.' || *c == 'e') return;
  text += ".0";
}

void AppendJsonString(std::string_view value, std::string& text) {
  constexpr char kHex[] = "0123456789abcdef";
  text += '"';
  for (size_t i = 0; i < value.size(); ++i) {
    const auto c = static_cast<unsigned char>(value[i]);
    if (c == '"' || c == '\\') {
      text += '\\';
      text += value[i];
    } else if (c == '\n') {
      text += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      text += "\\u00";
      text += kHex[c >> 4];
      text += kHex[c & 15];
    } else if (c < 0x80) {
      text += value[i];
    } else {  // a whole UTF-8 sequence, or a question mark
      const size_t more = c >= 0xf0 && c < 0xf5 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
      bool whole = c < 0xf5 && more > 0 && i + more < value.size();
      for (size_t k = 1; whole && k <= more; ++k) whole = (static_cast<unsigned char>(value[i + k]) & 0xc0u) == 0x80u;
      if (whole) {
        text += value.substr(i, more + 1);
        i += more;
      } else {
        text += '?';
      }
    }
  }
  text += '"';
}

std::string PredictResponse(const Signature& signature, const std::vector<Tensor>& outputs, bool row_format) {
  std::string text;
  text.reserve(EstimatedBytes(outputs));
  if (row_format) {
    text += "{\n    \"predictions\": ";
    if (outputs.size() == 1) {
      AppendColumn({outputs[0], signature.LabelsOf(0)}, "    ", text);
    } else {
      text += '[';
      for (int64_t row = 0; row < outputs[0].dim(0); ++row) {
        if (row > 0) text += ',';
        AppendNamedRow(signature, outputs, row, text);
      }
      text += "\n    ]";
    }
  } else if (outputs.size() == 1) {
    text += "{\n    \"outputs\": ";
    AppendColumn({outputs[0], signature.LabelsOf(0)}, "    ", text);
  } else {
    text += "{\n    \"outputs\": {";
    for (size_t i = 0; i < outputs.size(); ++i) {
      text += i > 0 ? ",\n        " : "\n        ";
      AppendJsonString(signature.outputs[i].name, text);
      text += ": ";
      AppendColumn({outputs[i], signature.LabelsOf(i)}, "        ", text);
    }
    text += "\n    }";
  }
  text += "\n}";
  return text;
}

std::string ClassifyResponse(const Tensor& scores, const Tensor& classes, const Labels* labels) {
  std::string text = "{\n    \"results\": [";
  const int64_t count = scores.size() / scores.dim(0);
  for (int64_t row = 0; row < scores.dim(0); ++row) {
    text += row > 0 ? ", [" : "[";
    for (int64_t c = 0; c < count; ++c) {
      const int64_t at = row * count + c;
      text += c > 0 ? ", [" : "[";
      AppendJsonString(labels != nullptr ? (*labels)[static_cast<size_t>(classes.data<int32_t>()[at])] : "", text);
      text += ", ";
      AppendNumber(scores.data<float>()[at], text);
      text += ']';
    }
    text += ']';
  }
  return text + "\n    ]\n}";
}

std::string RegressResponse(const Tensor& values) {
  std::string text = "{\n    \"results\": [";
  for (int64_t row = 0; row < values.size(); ++row) {
    if (row > 0) text += ", ";
    AppendNumber(values.data<float>()[row], text);
  }
  return text + "\n    ]\n}";
}

}  // namespace headrace::serving
