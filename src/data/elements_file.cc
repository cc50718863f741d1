#include "data/elements_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include <unistd.h>

#include "base/file.h"
#include "data/tfrecord_format.h"

namespace headrace::data {
namespace {

using tfrecord::Load;

constexpr std::string_view kHeader = "headrace elements 1";
constexpr std::string_view kFooter = "elements";
constexpr size_t kFooterRecord = tfrecord::kHeaderBytes + kFooter.size() + sizeof(uint64_t) + tfrecord::kFooterBytes;
constexpr std::array kTypes = {DType::kFloat32, DType::kBFloat16, DType::kUInt8, DType::kInt32, DType::kInt64};
constexpr uint32_t kMostDimensions = 64;
constexpr size_t kMostOfName = 20;  // letters that messages repeat of a name in a file

template <typename T>
void Append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void AppendText(std::string& bytes, std::string_view text) {
  Append(bytes, static_cast<uint32_t>(text.size()));
  bytes += text;
}

std::string FooterOf(uint64_t count) {
  std::string footer(kFooter);
  Append(footer, count);
  return footer;
}

// Takes numbers, texts and bytes from the front of a record; once something does not fit, all that follows is empty.
class Cutter {
 public:
  explicit Cutter(std::string_view bytes) : bytes_(bytes) {}

  template <typename T>
  T Number() {
    const std::string_view taken = Take(sizeof(T));
    return whole_ ? Load<T>(taken.data()) : T{};
  }
  std::string_view Text() { return Take(Number<uint32_t>()); }
  std::string_view Take(uint64_t size) {
    whole_ = whole_ && size <= bytes_.size();
    const std::string_view taken = whole_ ? bytes_.substr(0, size) : std::string_view();
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  bool whole() const { return whole_; }
  bool empty() const { return bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool whole_ = true;
};

std::optional<DType> TypeOf(std::string_view name) {
  for (const DType type : kTypes)
    if (name == NameOf(type)) return type;
  return std::nullopt;
}

Result<Tensor> ParseTensor(Cutter& cutter, const std::string& name) {
  const std::string_view type_name = cutter.Text();
  const auto type = TypeOf(type_name);
  if (!type)
    return Fail(ErrorCode::kDataLoss, "{}: an element's type: found \"{}\", wanted one like \"float32\"", name,
                type_name.substr(0, kMostOfName));
  const auto rank = cutter.Number<uint32_t>();
  if (rank > kMostDimensions)
    return Fail(ErrorCode::kDataLoss, "{}: found an element of {} dimensions, wanted at most {}", name, rank,
                kMostDimensions);
  std::vector<int64_t> dims;
  // int64, as Shape::size() counts: that throws for [2^63 - 1, 2, 0], although there are no bytes.
  auto size = static_cast<int64_t>(SizeOf(*type));
  for (uint32_t i = 0; i < rank; ++i) {
    dims.push_back(cutter.Number<int64_t>());
    if (dims.back() < 0 || __builtin_mul_overflow(size, dims.back(), &size))
      return Fail(ErrorCode::kDataLoss,
                  "{}: found an element with a dimension of {}, wanted 0 or more and fewer than 2^63 bytes", name,
                  dims.back());
  }
  const std::string_view bytes = cutter.Take(static_cast<uint64_t>(size));
  if (!cutter.whole()) return Fail(ErrorCode::kDataLoss, "{}: an element is longer than its record", name);
  Tensor tensor(*type, Shape(std::move(dims)));
  if (!bytes.empty()) std::memcpy(tensor.raw(), bytes.data(), bytes.size());
  return tensor;
}

bool Contains(const std::vector<Element::NamedTensor>& components, const std::string& name) {
  return std::any_of(components.begin(), components.end(),
                     [&](const Element::NamedTensor& component) { return component.first == name; });
}

}  // namespace

void AppendElement(const Element& element, std::string& bytes) {
  Append(bytes, static_cast<uint32_t>(element.size()));
  for (size_t i = 0; i < element.size(); ++i) {
    const Tensor& tensor = element[i];
    AppendText(bytes, element.name(i));
    AppendText(bytes, NameOf(tensor.dtype()));
    Append(bytes, static_cast<uint32_t>(tensor.shape().rank()));
    for (const int64_t dim : tensor.shape().dims()) Append(bytes, dim);
    bytes += Bytes(tensor);
  }
}

Result<Element> ParseElement(std::string_view bytes, const std::string& name) {
  Cutter cutter(bytes);
  const auto count = cutter.Number<uint32_t>();
  std::vector<Element::NamedTensor> components;
  bool named = false;
  for (uint32_t i = 0; i < count; ++i) {
    std::string component(cutter.Text());
    named |= !component.empty();
    if (!component.empty() && Contains(components, component))
      return Fail(ErrorCode::kDataLoss,
                  "{}: found an element with two components named \"{}\", wanted names that differ", name,
                  component.substr(0, kMostOfName));
    HEADRACE_ASSIGN(Tensor tensor, ParseTensor(cutter, name));
    components.emplace_back(std::move(component), std::move(tensor));
  }
  if (!cutter.whole() || !cutter.empty())
    return Fail(ErrorCode::kDataLoss, "{}: an element of {} components does not end where its record ends", name,
                count);
  if (named) return Element::Named(std::move(components));
  std::vector<Tensor> tensors;
  for (auto& component : components) tensors.push_back(std::move(component.second));
  return Element(std::move(tensors));
}

ElementsWriter::ElementsWriter(const std::string& path) : records_(path) { records_.Write(kHeader); }

void ElementsWriter::Write(const Element& element) {
  buffer_.clear();
  AppendElement(element, buffer_);
  records_.Write(buffer_);
  ++count_;
}

void ElementsWriter::Close() {
  records_.Write(FooterOf(count_));
  records_.Close();
}

Result<int64_t> CountElements(const std::string& path) {
  HEADRACE_ASSIGN(const auto file, OpenRegularFile(path));
  std::array<char, kFooterRecord> bytes{};
  const bool whole = file.bytes >= bytes.size() &&
                     pread(file.descriptor.get(), bytes.data(), bytes.size(),
                           static_cast<off_t>(file.bytes - bytes.size())) == static_cast<ssize_t>(bytes.size());
  const std::string_view footer(bytes.data() + tfrecord::kHeaderBytes, kFooter.size() + sizeof(uint64_t));
  const auto count = Load<uint64_t>(footer.data() + kFooter.size());
  if (!whole || !tfrecord::IsHeader(bytes.data()) || !footer.starts_with(kFooter) ||
      Load<uint32_t>(footer.data() + footer.size()) != tfrecord::MaskedCrc(footer) || count > INT64_MAX)
    return Fail(ErrorCode::kDataLoss, "{}: not a whole file of elements, as Dataset::save() and cache() write them",
                path);
  return static_cast<int64_t>(count);
}

Result<ElementsReader> ElementsReader::Open(const std::string& path, StopFlag stop) {
  HEADRACE_ASSIGN(const int64_t count, CountElements(path));
  // What a record says of its length takes no memory before its bytes are there.
  const ReaderOptions options{.compression = Compression::kNone, .max_record_bytes = kLargestLimit};
  HEADRACE_ASSIGN(auto records, OpenTFRecord(path, options, std::move(stop)));
  HEADRACE_ASSIGN(const auto header, records->Next());
  if (!header || *header != kHeader)
    return Fail(ErrorCode::kDataLoss, "{}: begins not as a file of elements, as Dataset::save() and cache() write them",
                path);
  return ElementsReader(path, std::move(records), count);
}

Result<std::optional<Element>> ElementsReader::Next() {
  if (left_ == 0) return std::nullopt;
  HEADRACE_ASSIGN(const auto record, records_->Next());
  if (!record) return Fail(ErrorCode::kDataLoss, "{}: ends {} elements too early", path_, left_);
  HEADRACE_ASSIGN(Element element, ParseElement(*record, path_));
  --left_;
  return element;
}

Result<int64_t> ElementsReader::Skip(int64_t count) {
  HEADRACE_ASSIGN(const int64_t skipped, records_->Skip(std::min(count, left_)));
  left_ -= skipped;
  return skipped;
}

}  // namespace headrace::data
