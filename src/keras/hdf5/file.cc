#include "keras/hdf5/file.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include <hdf5.h>
#include <unistd.h>

#include "base/file.h"
#include "base/result.h"

namespace headrace::keras::internal::hdf5 {
namespace {

// What fits into an object header, as Keras counts it.
constexpr size_t kAttributeLimit = 64512;
// No list of names in a Keras file comes near this; a damaged file may claim anything.
constexpr hssize_t kMostTexts = 1 << 20;
// Texts of variable length may all name the same long one: what they could make together.
constexpr uint64_t kMostTextBytes = uint64_t{1} << 30;

template <herr_t (*close)(hid_t)>
Handle Own(hid_t id) {
  return {id, [](int64_t open) { return static_cast<int>(close(open)); }};
}

// The library prints every failure unless told otherwise; we throw instead.
class Quiet {
 public:
  Quiet() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

template <typename... Args>
void Require(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw MakeError(ErrorCode::kDataLoss, format, std::forward<Args>(args)...);
}

Handle FixedTextType(size_t size) {
  Handle type = Own<H5Tclose>(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), std::max<size_t>(size, 1));
  H5Tset_strpad(type.id(), H5T_STR_NULLPAD);
  return type;
}

Handle VariableTextType(H5T_cset_t cset) {
  Handle type = Own<H5Tclose>(H5Tcopy(H5T_C_S1));
  H5Tset_size(type.id(), H5T_VARIABLE);
  H5Tset_cset(type.id(), cset);
  return type;
}

// Keras 2 takes lists of names as fixed-size bytes only.
void WriteTexts(hid_t group, const std::string& name, const std::string* texts, size_t count, size_t size) {
  const Handle type = FixedTextType(size);
  const hsize_t dims[] = {count};
  const Handle space = Own<H5Sclose>(H5Screate_simple(1, dims, nullptr));
  const Handle attribute =
      Own<H5Aclose>(H5Acreate2(group, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT));
  std::string bytes(std::max<size_t>(count * std::max<size_t>(size, 1), 1), '\0');
  for (size_t i = 0; i < count; ++i) texts[i].copy(bytes.data() + i * size, size);
  if (attribute.id() < 0 || H5Awrite(attribute.id(), type.id(), bytes.data()) < 0)
    throw MakeError(ErrorCode::kUnavailable, "attribute {} cannot be written", name);
}

std::vector<std::string> ReadVariable(hid_t attribute, hid_t file_type, size_t count) {
  const Handle type = VariableTextType(H5Tget_cset(file_type));
  std::vector<char*> pointers(count, nullptr);
  std::vector<std::string> texts;
  if (H5Aread(attribute, type.id(), pointers.data()) < 0) return texts;
  for (char* pointer : pointers) {
    texts.emplace_back(pointer == nullptr ? "" : pointer);
    H5free_memory(pointer);
  }
  return texts;
}

std::vector<std::string> ReadFixed(hid_t attribute, hid_t file_type, size_t count) {
  const size_t size = H5Tget_size(file_type);
  std::string bytes(size * count, '\0');
  std::vector<std::string> texts;
  if (H5Aread(attribute, file_type, bytes.data()) < 0) return texts;
  for (size_t i = 0; i < count; ++i) {
    std::string text = bytes.substr(i * size, size);
    text.resize(std::min(text.find('\0'), text.size()));
    texts.push_back(std::move(text));
  }
  return texts;
}

Handle SpaceOf(const Shape& shape) {
  if (shape.rank() == 0) return Own<H5Sclose>(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> dims(shape.dims().begin(), shape.dims().end());
  return Own<H5Sclose>(H5Screate_simple(static_cast<int>(dims.size()), dims.data(), nullptr));
}

}  // namespace

Handle::Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
Handle& Handle::operator=(Handle&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(close_, other.close_);
  return *this;
}
Handle::~Handle() {
  if (id_ >= 0) close_(id_);
}

std::string Group::path() const {
  std::string name(static_cast<size_t>(std::max<ssize_t>(H5Iget_name(handle_.id(), nullptr, 0), 0)), '\0');
  H5Iget_name(handle_.id(), name.data(), name.size() + 1);
  return file_ + ": " + name;
}

Group Group::CreateGroup(const std::string& name) {
  const Quiet quiet;
  Handle group = Own<H5Gclose>(H5Gcreate2(handle_.id(), name.c_str(), H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
  if (group.id() < 0) throw MakeError(ErrorCode::kUnavailable, "{}/{}: the group cannot be made", path(), name);
  return {std::move(group), file_, file_bytes_};
}

Group Group::OpenGroup(const std::string& name) const {
  const Quiet quiet;
  RequireHardLinks(handle_.id(), name, "group", path());
  Handle group = Own<H5Gclose>(H5Gopen2(handle_.id(), name.c_str(), H5P_DEFAULT));
  Require(group.id() >= 0, "{}: no group \"{}\"", path(), name);
  return {std::move(group), file_, file_bytes_};
}

bool Group::HasGroup(const std::string& name) const {
  const Quiet quiet;
  RequireHardLinks(handle_.id(), name, "group", path());
  return Own<H5Gclose>(H5Gopen2(handle_.id(), name.c_str(), H5P_DEFAULT)).id() >= 0;
}

bool Group::HasAttribute(const std::string& name) const { return H5Aexists(handle_.id(), name.c_str()) > 0; }

// Of variable length: such text lives outside the object header and may be longer than it.
void Group::SetText(const std::string& name, const std::string& text) {
  const Quiet quiet;
  const Handle type = VariableTextType(H5T_CSET_UTF8);
  const Handle space = Own<H5Sclose>(H5Screate(H5S_SCALAR));
  const Handle attribute =
      Own<H5Aclose>(H5Acreate2(handle_.id(), name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT));
  const char* pointer = text.c_str();
  if (attribute.id() < 0 || H5Awrite(attribute.id(), type.id(), &pointer) < 0)
    throw MakeError(ErrorCode::kUnavailable, "{}: attribute {} cannot be written", path(), name);
}

void Group::SetTexts(const std::string& name, const std::vector<std::string>& texts) {
  const Quiet quiet;
  size_t size = 0;
  for (const std::string& text : texts) size = std::max(size, text.size());
  if (size > kAttributeLimit)
    throw MakeError(ErrorCode::kInvalidArgument, "{}: {}: found a name of {} bytes, wanted at most {}", path(), name,
                    size, kAttributeLimit);
  const size_t chunk = std::max<size_t>(kAttributeLimit / std::max<size_t>(size, 1), 1);
  if (texts.size() <= chunk) return WriteTexts(handle_.id(), name, texts.data(), texts.size(), size);
  for (size_t begin = 0; begin < texts.size(); begin += chunk)
    WriteTexts(handle_.id(), name + std::to_string(begin / chunk), texts.data() + begin,
               std::min(chunk, texts.size() - begin), size);
}

std::vector<std::string> Group::ReadTexts(const std::string& name) const {
  const Handle attribute = Own<H5Aclose>(H5Aopen(handle_.id(), name.c_str(), H5P_DEFAULT));
  const Handle type = Own<H5Tclose>(H5Aget_type(attribute.id()));
  const Handle space = Own<H5Sclose>(H5Aget_space(attribute.id()));
  const hssize_t count = H5Sget_simple_extent_npoints(space.id());
  if (count == 0) return {};  // Keras writes an empty list as numbers
  Require(count > 0 && count <= kMostTexts && H5Tget_class(type.id()) == H5T_STRING,
          "{}: attribute {}: found {} values, wanted text", path(), name, count);
  const bool variable = H5Tis_variable_str(type.id()) > 0;
  const uint64_t each = variable ? file_bytes_ : H5Tget_size(type.id()), most = variable ? kMostTextBytes : file_bytes_;
  Require(count == 1 ? each <= file_bytes_ : each <= most / static_cast<uint64_t>(count),
          "{}: attribute {}: found {} texts of up to {} bytes in a file of {} bytes, wanted {}", path(), name, count,
          each, file_bytes_, variable ? "texts of fixed length, as Keras writes them" : "no more than it stores");
  auto texts = variable ? ReadVariable(attribute.id(), type.id(), static_cast<size_t>(count))
                        : ReadFixed(attribute.id(), type.id(), static_cast<size_t>(count));
  Require(texts.size() == static_cast<size_t>(count), "{}: attribute {} cannot be read", path(), name);
  return texts;
}

std::optional<std::string> Group::Text(const std::string& name) const {
  const Quiet quiet;
  if (!HasAttribute(name)) return std::nullopt;
  std::vector<std::string> texts = ReadTexts(name);
  Require(texts.size() == 1, "{}: attribute {}: found {} texts, wanted one", path(), name, texts.size());
  return std::move(texts[0]);
}

std::optional<std::vector<std::string>> Group::Texts(const std::string& name) const {
  const Quiet quiet;
  if (HasAttribute(name)) return ReadTexts(name);
  if (!HasAttribute(name + "0")) return std::nullopt;
  std::vector<std::string> texts;
  for (int i = 0; HasAttribute(name + std::to_string(i)); ++i) {
    std::vector<std::string> chunk = ReadTexts(name + std::to_string(i));
    std::move(chunk.begin(), chunk.end(), std::back_inserter(texts));
  }
  return texts;
}

void Group::Write(const std::string& name, const Tensor& value) {
  const Quiet quiet;
  const bool integer = value.dtype() == DType::kInt64;
  const Handle links = Own<H5Pclose>(H5Pcreate(H5P_LINK_CREATE));
  H5Pset_create_intermediate_group(links.id(), 1);
  const Handle space = SpaceOf(value.shape());
  const Handle dataset = Own<H5Dclose>(H5Dcreate2(handle_.id(), name.c_str(), integer ? H5T_STD_I64LE : H5T_IEEE_F32LE,
                                                  space.id(), links.id(), H5P_DEFAULT, H5P_DEFAULT));
  const hid_t type = integer ? H5T_NATIVE_INT64 : H5T_NATIVE_FLOAT;
  if (dataset.id() < 0 || H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.raw()) < 0)
    throw MakeError(ErrorCode::kUnavailable, "{}/{}: the dataset cannot be written", path(), name);
}

std::string Group::Shown(const std::string& dataset) const {
  return fmt::format("{}: dataset \"{}\"", path(), dataset);
}

Handle Group::OpenDataset(const std::string& name) const {
  RequireHardLinks(handle_.id(), name, "dataset", path());
  Handle dataset = Own<H5Dclose>(H5Dopen2(handle_.id(), name.c_str(), H5P_DEFAULT));
  Require(dataset.id() >= 0, "{}: no dataset \"{}\"", path(), name);
  return dataset;
}

StoredDataset Group::StoredAs(const std::string& name) const {
  const Quiet quiet;
  const Handle dataset = OpenDataset(name);
  return CheckStored(dataset.id(), file_bytes_, Shown(name));
}

Tensor Group::ReadFloats(const std::string& name) const {
  const Quiet quiet;
  const Handle dataset = OpenDataset(name);
  const StoredDataset stored = CheckStored(dataset.id(), file_bytes_, Shown(name));
  CheckChunks(dataset.id(), stored, Shown(name));
  Tensor value(DType::kFloat32, stored.shape);
  Require(H5Dread(dataset.id(), H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, value.raw()) >= 0,
          "{}: dataset \"{}\" cannot be read as numbers", path(), name);
  return value;
}

int64_t Group::ReadInteger(const std::string& name) const {
  const Quiet quiet;
  const Handle dataset = OpenDataset(name);
  const StoredDataset stored = CheckStored(dataset.id(), file_bytes_, Shown(name));
  Require(stored.shape.size() == 1, "{}: found shape {}, wanted a scalar", Shown(name), stored.shape.ToString());
  CheckChunks(dataset.id(), stored, Shown(name));
  int64_t value = 0;
  Require(H5Dread(dataset.id(), H5T_NATIVE_INT64, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0,
          "{}: dataset \"{}\" cannot be read as a number", path(), name);
  return value;
}

File File::Create(const std::string& path, const std::string& shown) {
  const Quiet quiet;
  Handle file = Own<H5Fclose>(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
  if (file.id() < 0) throw MakeError(ErrorCode::kUnavailable, "{}: the file cannot be written", shown);
  return {std::move(file), shown, 0};
}

File File::Open(const std::string& path) {
  const Quiet quiet;
  std::error_code error;
  if (!std::filesystem::exists(path, error) && !error) throw MakeError(ErrorCode::kNotFound, "{}: no such file", path);
  const RegularFile regular = ValueOrThrow(OpenRegularFile(path));
  char begin[4] = {};
  const bool zip = ::pread(regular.descriptor.get(), begin, sizeof begin, 0) == 4 && std::string(begin, 4) == "PK\3\4";
  Require(!zip, "{}: found a zip file, such as Keras 3's .keras, wanted its legacy HDF5 format (model.save(\"x.h5\"))",
          path);
  Handle file = Own<H5Fclose>(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
  Require(file.id() >= 0, "{}: found no HDF5 file, or a damaged one", path);
  return {std::move(file), path, regular.bytes};
}

Group File::Root() const {
  const Quiet quiet;
  Handle root = Own<H5Gclose>(H5Gopen2(handle_.id(), "/", H5P_DEFAULT));
  Require(root.id() >= 0, "{}: no root group", name_);
  return {std::move(root), name_, bytes_};
}

void File::Flush() {
  if (H5Fflush(handle_.id(), H5F_SCOPE_GLOBAL) < 0)
    throw MakeError(ErrorCode::kUnavailable, "{}: the file cannot be written", name_);
}

}  // namespace headrace::keras::internal::hdf5
