#include "serving/codec/npy.h"

#include <charconv>
#include <cstring>
#include <vector>

#include "serving/codec/npy_elements.h"

namespace headrace::serving {
namespace {

constexpr size_t kMaxRank = 32;

struct Header {
  std::string descr;
  bool fortran = false;
  std::vector<int64_t> shape;
  size_t size = 0;  // of everything before the data
};

tl::unexpected<Error> Bad(std::string_view what) {
  return Fail(ErrorCode::kInvalidArgument, "application/x-npy: {}", what);
}

void SkipBlanks(std::string_view& text) {
  while (!text.empty() && (text[0] == ' ' || text[0] == '\n' || text[0] == '\t')) text.remove_prefix(1);
}
bool Take(std::string_view& text, std::string_view token) {
  SkipBlanks(text);
  if (text.substr(0, token.size()) != token) return false;
  text.remove_prefix(token.size());
  return true;
}

Result<std::string> TakeString(std::string_view& text) {
  SkipBlanks(text);
  if (text.empty() || (text[0] != '\'' && text[0] != '"')) return Bad("its header has no string where one is wanted");
  const size_t end = text.find(text[0], 1);
  if (end == std::string_view::npos) return Bad("its header has a string without an end");
  std::string value(text.substr(1, end - 1));
  text.remove_prefix(end + 1);
  return value;
}

Result<std::vector<int64_t>> TakeShape(std::string_view& text) {
  if (!Take(text, "(")) return Bad("its header's shape is no tuple");
  std::vector<int64_t> shape;
  while (!Take(text, ")")) {
    int64_t dim = -1;
    SkipBlanks(text);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), dim);
    if (error != std::errc() || dim < 0 || shape.size() == kMaxRank) return Bad("its header's shape has a bad number");
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    shape.push_back(dim);
    (void)Take(text, "L");
    if (!Take(text, ",") && !text.empty() && text[0] != ')' && text[0] != ' ')
      return Bad("its header's shape is broken");
  }
  return shape;
}

// The Python dictionary: descr, fortran_order and shape in any order.
Status ParseDictionary(std::string_view text, Header& header) {
  if (!Take(text, "{")) return Bad("its header is no dictionary");
  unsigned found = 0;
  while (!Take(text, "}")) {
    HEADRACE_ASSIGN(const std::string key, TakeString(text));
    if (!Take(text, ":")) return Bad("its header has a key without a value");
    if (key == "descr") {
      HEADRACE_ASSIGN(header.descr, TakeString(text));
      found |= 1;
    } else if (key == "fortran_order") {
      header.fortran = Take(text, "True");
      if (!header.fortran && !Take(text, "False")) return Bad("its fortran_order is neither True nor False");
      found |= 2;
    } else if (key == "shape") {
      HEADRACE_ASSIGN(header.shape, TakeShape(text));
      found |= 4;
    } else {
      return Bad("its header has an unknown key");
    }
    (void)Take(text, ",");
  }
  return found == 7 ? Status() : Bad("its header lacks descr, fortran_order or shape");
}

Result<Header> ParseHeader(std::string_view file) {
  if (file.size() < 10 || file.substr(0, 6) != std::string_view("\x93NUMPY", 6)) return Bad("no .npy file");
  const auto byte = [&](size_t i) { return static_cast<size_t>(static_cast<uint8_t>(file[i])); };
  const size_t version = byte(6), fixed = version == 1 ? 10 : 12;
  if (version < 1 || version > 3 || file.size() < fixed) return Bad("its version is not 1, 2 or 3");
  size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > file.size() - fixed) return Bad("its header is longer than the file");
  Header header;
  header.size = fixed + length;
  HEADRACE_TRY(ParseDictionary(file.substr(fixed, length), header));
  return header;
}

// The elements where they lie, if `memory` keeps them there and they are aligned; else a copy.
Tensor TensorOf(DType dtype, Shape shape, std::string_view data, const std::shared_ptr<void>& memory) {
  if (memory && reinterpret_cast<uintptr_t>(data.data()) % Buffer::kAlignment == 0)
    return Tensor::View(dtype, std::move(shape), const_cast<char*>(data.data()), memory);
  Tensor tensor(dtype, std::move(shape));
  std::memcpy(tensor.raw(), data.data(), data.size());
  return tensor;
}

// `tensor` with the rows of the signature's only input.
Result<PredictInputs> AsOnlyInput(Tensor tensor, const Signature& signature, const char* type) {
  const TensorInfo& input = signature.inputs[0];
  Shape wanted = input.shape;
  std::vector<int64_t> dims = tensor.shape().dims();
  if (dims.size() + 1 == wanted.rank()) dims.insert(dims.begin(), 1);
  bool fits = dims.size() == wanted.rank() && dims[0] > 0;
  for (size_t axis = 1; fits && axis < dims.size(); ++axis) fits = dims[axis] == wanted[axis];
  if (!fits)
    return Fail(ErrorCode::kInvalidArgument, "{}: found an array of shape {}, wanted {} for input '{}'", type,
                tensor.shape().ToString(), wanted.ToString(), input.name);
  PredictInputs inputs;
  inputs.tensors.push_back(tensor.Reshape(Shape(std::move(dims))).Cast(input.dtype));
  return inputs;
}

Status RequireOneInput(const Signature& signature, const char* type) {
  if (signature.inputs.size() == 1 && signature.TakesStrings(0))
    return Fail(ErrorCode::kInvalidArgument, "{}: input '{}' is strings; send JSON", type, signature.inputs[0].name);
  if (signature.inputs.size() == 1) return {};
  return Fail(ErrorCode::kInvalidArgument, "{}: it carries one tensor, the signature has {} inputs; send JSON", type,
              signature.inputs.size());
}

}  // namespace

Result<Tensor> ParseNpy(std::string_view file, const std::shared_ptr<void>& memory) {
  HEADRACE_ASSIGN(const Header header, ParseHeader(file));
  const auto element = ParseDescr(header.descr);
  if (!element)
    return Fail(
        ErrorCode::kInvalidArgument,
        "application/x-npy: its elements are '{}', wanted floats (f2 f4 f8), whole numbers (i1 to i8, u1 to u8) or "
        "b1, of either byte order",
        header.descr);
  int64_t elements = 1;
  for (const int64_t dim : header.shape)
    if (__builtin_mul_overflow(elements, dim, &elements) || elements > kMaxElements) return Bad("it is too large");
  const std::string_view data = file.substr(header.size);
  if (data.size() != static_cast<size_t>(elements) * element->size)
    return Fail(ErrorCode::kInvalidArgument, "application/x-npy: {} bytes of data for shape {} of '{}', wanted {}",
                data.size(), Shape(header.shape).ToString(), header.descr,
                static_cast<size_t>(elements) * element->size);
  const bool fortran = header.fortran && header.shape.size() > 1;
  if (element->plain() && !fortran) return TensorOf(element->dtype, Shape(header.shape), data, memory);
  return ReadNpyElements(*element, header.shape, fortran, data);
}

std::string WriteNpy(const Tensor& tensor) {
  std::string shape;
  for (const int64_t dim : tensor.shape().dims()) shape += std::to_string(dim) + ", ";
  if (tensor.shape().rank() > 1) shape.resize(shape.size() - 2);
  const char* descr = "<f4";
  if (tensor.dtype() == DType::kUInt8) descr = "|u1";
  if (tensor.dtype() == DType::kInt32) descr = "<i4";
  if (tensor.dtype() == DType::kInt64) descr = "<i8";
  std::string header = std::string("{'descr': '") + descr + "', 'fortran_order': False, 'shape': (" + shape + "), }";
  header.resize((10 + header.size() + 1 + 63) / 64 * 64 - 11, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file.reserve(10 + header.size() + tensor.bytes());
  file.push_back(static_cast<char>(header.size() & 0xff));
  file.push_back(static_cast<char>(header.size() >> 8));
  file += header;
  file.append(static_cast<const char*>(tensor.raw()), tensor.bytes());
  return file;
}

Result<PredictInputs> NpyInputs(const Buffer& file, const Signature& signature) {
  HEADRACE_TRY(RequireOneInput(signature, "application/x-npy"));
  HEADRACE_ASSIGN(Tensor tensor, ParseNpy(file.bytes(), file.memory()));
  return AsOnlyInput(std::move(tensor), signature, "application/x-npy");
}

Result<PredictInputs> RawInputs(const Buffer& body, const Signature& signature) {
  const std::string_view bytes = body.bytes();
  HEADRACE_TRY(RequireOneInput(signature, "application/octet-stream"));
  const TensorInfo& input = signature.inputs[0];
  const size_t row = static_cast<size_t>(RowElements(input.shape)) * SizeOf(input.dtype);
  if (bytes.empty() || bytes.size() % row != 0)
    return Fail(ErrorCode::kInvalidArgument,
                "application/octet-stream: {} bytes, wanted a multiple of {}: rows of {} of shape {} for input '{}'",
                bytes.size(), row, NameOf(input.dtype), input.shape.ToString(), input.name);
  const Shape shape = WithRows(input.shape, static_cast<int64_t>(bytes.size() / row));
  return AsOnlyInput(TensorOf(input.dtype, shape, bytes, body.memory()), signature, "application/octet-stream");
}

}  // namespace headrace::serving
