#include "keras/hdf5/stored.h"

#include <algorithm>
#include <array>
#include <vector>

#include <hdf5.h>
#include <zlib.h>

#include "base/result.h"
#include "keras/hdf5/file.h"

namespace headrace::keras::internal::hdf5 {
namespace {

// Below these a dataset may declare what it does not store (zeros that were never written, or that compress well).
constexpr uint64_t kUnwritten = uint64_t{1} << 20;
constexpr uint64_t kCompressible = uint64_t{64} << 20;
// Above that, compressed values may be this many times what is stored. Trained weights hardly shrink at all.
constexpr uint64_t kMostRatio = 100;
constexpr uint64_t kMostChunks = uint64_t{1} << 20;
constexpr uint64_t kChecksumBytes = 4;  // of fletcher32, behind a chunk

template <typename... Args>
void Need(bool condition, fmt::format_string<Args...> format, Args&&... args) {
  if (!condition) throw MakeError(ErrorCode::kDataLoss, format, std::forward<Args>(args)...);
}

const char* KindOfLink(H5L_type_t type) {
  if (type == H5L_TYPE_SOFT) return "a soft link";
  if (type == H5L_TYPE_EXTERNAL) return "an external link into another file";
  return "a link of an unknown kind";
}

Handle OwnProperties(hid_t id) {
  return {id, [](int64_t open) { return static_cast<int>(H5Pclose(open)); }};
}
Handle OwnSpace(hid_t id) {
  return {id, [](int64_t open) { return static_cast<int>(H5Sclose(open)); }};
}
Handle OwnType(hid_t id) {
  return {id, [](int64_t open) { return static_cast<int>(H5Tclose(open)); }};
}

void RequireInside(hid_t properties, const std::string& shown) {
  const H5D_layout_t layout = H5Pget_layout(properties);
  Need(layout != H5D_VIRTUAL, "{}: found a virtual dataset, whose values lie in other files; wanted them in this one",
       shown);
  Need(layout == H5D_COMPACT || layout == H5D_CONTIGUOUS || layout == H5D_CHUNKED, "{}: its layout cannot be read",
       shown);
  Need(layout == H5D_CHUNKED || H5Pget_external_count(properties) <= 0,
       "{}: found external storage, values that lie in another file; wanted them in this one", shown);
}

// Keras's files are not compressed; h5py's repacked ones are, with these in this order: each at most once.
void ReadFilters(hid_t properties, StoredDataset& stored, const std::string& shown) {
  if (H5Pget_layout(properties) != H5D_CHUNKED) return;
  constexpr std::array<H5Z_filter_t, 3> kKnown = {H5Z_FILTER_SHUFFLE, H5Z_FILTER_DEFLATE, H5Z_FILTER_FLETCHER32};
  stored.filters = H5Pget_nfilters(properties);
  size_t next = 0;
  for (int i = 0; i < stored.filters; ++i) {
    unsigned flags = 0, config = 0;
    size_t values = 0;
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &values, nullptr, 0, nullptr, &config);
    while (next < kKnown.size() && kKnown[next] != filter) ++next;
    Need(next < kKnown.size(),
         "{}: found the filter {} at place {}, wanted none, or shuffle, gzip and fletcher32, in this order", shown,
         filter, i + 1);
    ++next;
    if (filter == H5Z_FILTER_DEFLATE) stored.deflate_at = i;
  }
}

// Elements, with an eye on products that do not fit.
uint64_t ReadShape(hid_t dataset, Shape& shape, const std::string& shown) {
  const Handle space = OwnSpace(H5Dget_space(dataset));
  const int rank = H5Sget_simple_extent_ndims(space.id());
  Need(rank >= 0 && H5Sget_simple_extent_type(space.id()) != H5S_NULL, "{}: it has no shape", shown);
  std::vector<hsize_t> dims(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), dims.data(), nullptr);
  uint64_t elements = 1;
  for (const hsize_t dim : dims)
    Need(dim <= uint64_t{INT64_MAX} && !__builtin_mul_overflow(elements, static_cast<uint64_t>(dim), &elements) &&
             elements <= uint64_t{INT64_MAX},
         "{}: its shape names more elements than can be counted", shown);
  shape = Shape(std::vector<int64_t>(dims.begin(), dims.end()));
  return elements;
}

size_t ElementBytes(hid_t dataset, const std::string& shown) {
  const Handle type = OwnType(H5Dget_type(dataset));
  const H5T_class_t kind = H5Tget_class(type.id());
  const size_t bytes = H5Tget_size(type.id());
  Need((kind == H5T_FLOAT || kind == H5T_INTEGER || kind == H5T_ENUM) && bytes >= 1 && bytes <= 16,
       "{}: its elements cannot be read as numbers", shown);
  return bytes;
}

std::vector<hsize_t> ChunkOf(hid_t properties, size_t rank, const std::string& shown) {
  std::vector<hsize_t> chunk(rank);
  Need(H5Pget_chunk(properties, static_cast<int>(rank), chunk.data()) == static_cast<int>(rank) &&
           std::all_of(chunk.begin(), chunk.end(), [](hsize_t dim) { return dim > 0; }),
       "{}: its chunks cannot be read", shown);
  return chunk;
}

uint64_t ChunkBytes(const std::vector<hsize_t>& chunk, size_t element, const std::string& shown) {
  uint64_t bytes = element;
  for (const hsize_t dim : chunk)
    Need(!__builtin_mul_overflow(bytes, static_cast<uint64_t>(dim), &bytes), "{}: its chunks are too large", shown);
  return bytes;
}

// The bytes that a chunk inflates to, never more than `most` + 1: as much is counted, nothing kept.
uint64_t InflatedBytes(const std::string& bytes, uint64_t most) {
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) return most + 1;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::array<Bytef, 1 << 16> out;
  uint64_t count = 0;
  int state = Z_OK;
  while (state == Z_OK && count <= most) {
    stream.next_out = out.data();
    stream.avail_out = out.size();
    state = inflate(&stream, Z_NO_FLUSH);
    count += out.size() - stream.avail_out;
  }
  inflateEnd(&stream);
  return std::min(count, most + 1);
}

// The position of the next chunk, the last axis first; false behind the last one.
bool NextChunk(std::vector<hsize_t>& at, const std::vector<hsize_t>& chunk, const Shape& shape) {
  for (size_t axis = at.size(); axis-- > 0;) {
    at[axis] += chunk[axis];
    if (at[axis] < static_cast<hsize_t>(shape[axis])) return true;
    at[axis] = 0;
  }
  return false;
}

void RequireFewChunks(const std::vector<hsize_t>& chunk, const Shape& shape, const std::string& shown) {
  uint64_t chunks = 1;
  for (size_t axis = 0; axis < chunk.size(); ++axis) {
    const uint64_t along = (static_cast<uint64_t>(shape[axis]) + chunk[axis] - 1) / chunk[axis];
    Need(!__builtin_mul_overflow(chunks, along, &chunks) && chunks <= kMostChunks, "{}: more than {} filtered chunks",
         shown, kMostChunks);
  }
}

}  // namespace

void RequireHardLinks(int64_t group, const std::string& name, const char* what, const std::string& shown) {
  for (size_t begin = 0; begin < name.size();) {
    const size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(0, end);
    if (end > begin && name.substr(begin, end - begin) != ".") {
      H5L_info_t info = {};
      if (H5Lget_info(group, part.c_str(), &info, H5P_DEFAULT) < 0) return;
      Need(info.type == H5L_TYPE_HARD,
           "{}: {} \"{}\": \"{}\" is {}, which Keras never writes; wanted what it holds in its own place", shown, what,
           name, part, KindOfLink(info.type));
    }
    begin = end + 1;
  }
}

StoredDataset CheckStored(int64_t dataset, uint64_t file_bytes, const std::string& shown) {
  const Handle properties = OwnProperties(H5Dget_create_plist(dataset));
  Need(properties.id() >= 0, "{}: its properties cannot be read", shown);
  RequireInside(properties.id(), shown);  // before the shape: asking a virtual dataset for it opens the other files
  StoredDataset stored;
  const uint64_t elements = ReadShape(dataset, stored.shape, shown);
  const size_t element = ElementBytes(dataset, shown);
  ReadFilters(properties.id(), stored, shown);
  stored.stored = H5Dget_storage_size(dataset);
  Need(!__builtin_mul_overflow(elements, uint64_t{element}, &stored.declared),
       "{}: its shape {} names more bytes than can be counted", shown, stored.shape.ToString());
  Need(stored.stored <= file_bytes, "{}: its shape {} declares {} bytes, {} of them stored in a file of {} bytes",
       shown, stored.shape.ToString(), stored.declared, stored.stored, file_bytes);
  const uint64_t free = stored.compressed() ? kCompressible : kUnwritten;
  const uint64_t ratio = stored.compressed() ? kMostRatio : 1;
  Need(stored.declared <= std::max(free, stored.stored * ratio),
       "{}: its shape {} declares {} bytes and the file stores {} of them; wanted them all stored{}", shown,
       stored.shape.ToString(), stored.declared, stored.stored,
       stored.compressed() ? fmt::format(", or compressed at most {} times", kMostRatio) : "");
  return stored;
}

void CheckChunks(int64_t dataset, const StoredDataset& stored, const std::string& shown) {
  if (stored.filters == 0 || stored.declared == 0) return;
  const Handle properties = OwnProperties(H5Dget_create_plist(dataset));
  const std::vector<hsize_t> chunk = ChunkOf(properties.id(), stored.shape.rank(), shown);
  const uint64_t whole = ChunkBytes(chunk, ElementBytes(dataset, shown), shown);
  Need(whole <= std::max(kCompressible, 2 * stored.declared), "{}: a chunk of {} bytes for a shape {} of {} bytes",
       shown, whole, stored.shape.ToString(), stored.declared);
  RequireFewChunks(chunk, stored.shape, shown);
  std::vector<hsize_t> at(chunk.size(), 0);
  std::string bytes;
  do {
    hsize_t size = 0;
    if (H5Dget_chunk_storage_size(dataset, at.data(), &size) < 0 || size == 0) continue;  // never written: zeros
    Need(size <= stored.stored, "{}: a chunk of {} bytes, of {} that are stored in all", shown, size, stored.stored);
    bytes.resize(size);
    uint32_t skipped = 0;  // a filter whose bit is set was left out for this chunk
    Need(H5Dread_chunk(dataset, H5P_DEFAULT, at.data(), &skipped, bytes.data()) >= 0, "{}: a chunk cannot be read",
         shown);
    const bool deflated = stored.compressed() && (skipped >> stored.deflate_at & 1) == 0;
    const uint64_t made = deflated ? InflatedBytes(bytes, whole) : size;
    Need(made == whole || (!deflated && made == whole + kChecksumBytes),
         "{}: a chunk of {} stored bytes makes {} bytes{}, wanted the {} it declares", shown, size, made,
         made > whole ? " or more" : "", whole);
  } while (NextChunk(at, chunk, stored.shape));
}

}  // namespace headrace::keras::internal::hdf5
