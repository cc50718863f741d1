#include "serving/codec/string_decoder.h"

#include <cstring>
#include <span>

namespace headrace::serving {
namespace {

using savedmodel::CheckedFeature;
using savedmodel::DecodedTensor;
using Source = DecodedTensor::Source;

Status CopyRaw(std::string_view bytes, const DecodedTensor& tensor, char* row) {
  const size_t wanted = static_cast<size_t>(RowElements(tensor.shape)) * SizeOf(tensor.dtype);
  if (bytes.size() != wanted)
    return Fail(ErrorCode::kInvalidArgument, "{} bytes, wanted {} ({} of shape {})", bytes.size(), wanted,
                NameOf(tensor.dtype), tensor.shape.ToString());
  std::memcpy(row, bytes.data(), wanted);
  return {};
}

tl::unexpected<Error> FailMissing(const data::ExampleView& example, const std::string& key, const char* kind) {
  constexpr size_t kNames = 10;
  std::string found;
  const auto names = example.names();
  for (size_t i = 0; i < names.size() && i < kNames; ++i)
    found.append(found.empty() ? "" : ", ").append(names[i].substr(0, 40));
  if (names.size() > kNames) found += ", …";
  return Fail(ErrorCode::kInvalidArgument,
              "feature '{}' (data type: {}) is required but could not be found: it has no default; the Example has {}",
              key, kind, found.empty() ? "none" : found);
}

const char* KindOf(Source source) {
  return source == Source::kFloats ? "float" : source == Source::kInt64s ? "int64" : "string";
}

// Of a feature that the Example has.
Status CopyFeature(const data::ExampleView& example, const DecodedTensor& tensor, char* row) {
  const auto count = static_cast<size_t>(RowElements(tensor.shape));
  if (tensor.source == Source::kFloats) {
    example.Floats(tensor.key, std::span(reinterpret_cast<float*>(row), count));
  } else if (tensor.source == Source::kInt64s) {
    example.Int64s(tensor.key, std::span(reinterpret_cast<int64_t*>(row), count));
  } else {
    auto copied = CopyRaw(example.Bytes(tensor.key), tensor, row);
    if (!copied)
      return Fail(ErrorCode::kInvalidArgument, "tf.Example: feature '{}': {}", tensor.key, copied.error().message());
  }
  return {};
}

}  // namespace

StringDecoder::StringDecoder(const Signature& signature, size_t input, size_t max_bytes)
    : signature_(signature), input_(input), max_bytes_(max_bytes) {
  const auto& tensors = signature.strings.tensors;
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i].input != input) continue;
    examples_ = examples_ || tensors[i].source != Source::kStringBytes;
    targets_.push_back({i, &tensors[i], RowBuffer(tensors[i].dtype, tensors[i].shape)});
    row_bytes_ += targets_.back().rows.row_bytes();
  }
  for (const CheckedFeature& feature : signature.strings.checked) examples_ = examples_ || feature.input == input;
}

Status StringDecoder::Add(std::string_view bytes) {
  if (static_cast<size_t>(rows_) >= max_bytes_ / std::max<size_t>(row_bytes_, 1))
    return Fail(ErrorCode::kResourceExhausted, "input '{}': more than {} bytes of tensors; send fewer rows at once",
                signature_.inputs[input_].name, max_bytes_);
  bytes_ += bytes.size();
  if (bytes_ > max_bytes_)  // a context is in each of a request's strings
    return Fail(ErrorCode::kResourceExhausted, "input '{}': more than {} bytes of strings; send fewer rows at once",
                signature_.inputs[input_].name, max_bytes_);
  Status decoded;
  try {
    decoded = Decode(bytes);
  } catch (const Error& error) {  // as ExampleView reports them
    decoded = Fail(error.code(), "{}", error.message());
  }
  if (decoded) {
    ++rows_;
    return {};
  }
  const bool malformed = decoded.error().code() == ErrorCode::kDataLoss;
  return Fail(malformed ? ErrorCode::kInvalidArgument : decoded.error().code(), "input '{}', row {}: {}{}",
              signature_.inputs[input_].name, rows_, decoded.error().message(),
              malformed ? "; wanted a serialized tf.Example" : "");
}

Status StringDecoder::Decode(std::string_view bytes) {
  for (Target& target : targets_) {
    char* row = target.rows.AddRow();
    if (row == nullptr) return Fail(ErrorCode::kResourceExhausted, "more than {} elements", kMaxElements);
    if (target.tensor->source == Source::kStringBytes) HEADRACE_TRY(CopyRaw(bytes, *target.tensor, row));
  }
  if (!examples_) return {};
  const data::ExampleView example(bytes);
  HEADRACE_TRY(CheckFeatures(example));
  for (Target& target : targets_) HEADRACE_TRY(AddFeature(example, target));
  return {};
}

Status StringDecoder::CheckFeatures(const data::ExampleView& example) const {
  for (const CheckedFeature& feature : signature_.strings.checked) {
    if (feature.input != input_) continue;
    if (!example.HasList(feature.key)) {
      if (feature.required) return FailMissing(example, feature.key, "string");
      continue;
    }
    const size_t found = example.BytesList(feature.key).size();
    if (static_cast<int64_t>(found) != feature.count)
      return Fail(ErrorCode::kInvalidArgument, "tf.Example: feature '{}': found {} values, wanted {}", feature.key,
                  found, feature.count);
  }
  return {};
}

Status StringDecoder::AddFeature(const data::ExampleView& example, Target& target) {
  const DecodedTensor& tensor = *target.tensor;
  if (tensor.source == Source::kStringBytes) return {};
  char* row = target.rows.Row(rows_);
  if (example.HasList(tensor.key)) return CopyFeature(example, tensor, row);
  if (!tensor.fallback) return FailMissing(example, tensor.key, KindOf(tensor.source));
  auto copied = CopyRaw(*tensor.fallback, tensor, row);
  if (!copied)
    return Fail(ErrorCode::kInvalidArgument, "feature '{}' is missing, and its default is {}", tensor.key,
                copied.error().message());
  return {};
}

void StringDecoder::Finish(std::vector<Tensor>& tensors) {
  for (Target& target : targets_) tensors[target.index] = target.rows.Finish();
}

}  // namespace headrace::serving
