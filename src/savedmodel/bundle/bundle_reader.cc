#include "savedmodel/bundle/bundle_reader.h"

#include <cerrno>
#include <set>

#include <unistd.h>

#include "headrace/data.h"

#include "base/file.h"
#include "savedmodel/bundle/table.h"
#include "savedmodel/tensor_proto.h"

namespace headrace::savedmodel {
namespace {

constexpr size_t kMaxIndexBytes = size_t{256} << 20;
constexpr int kMaxShards = 99999;  // five digits in a file name

Result<tf::BundleHeaderProto> ParseHeader(const TableEntries& table, const std::string& path) {
  tf::BundleHeaderProto header;
  const auto found = table.find("");
  if (found == table.end() || !header.ParseFromString(found->second))
    return Fail(ErrorCode::kDataLoss, "{}: no header under the empty key", path);
  if (header.endianness() != tf::BundleHeaderProto::LITTLE)
    return Fail(ErrorCode::kInvalidArgument, "{}: the bundle is big-endian, wanted little-endian", path);
  if (header.num_shards() < 1 || header.num_shards() > kMaxShards)
    return Fail(ErrorCode::kDataLoss, "{}: {} data files, wanted 1 to {}", path, header.num_shards(), kMaxShards);
  return header;
}

// Strings and other types may be in a bundle; they are refused when they are read.
Status CheckEntry(const tf::BundleEntryProto& entry, int num_shards, const std::string& what) {
  if (entry.slices_size() > 0)
    return Fail(ErrorCode::kInvalidArgument, "{}: stored in slices, wanted in one piece", what);
  if (entry.shard_id() < 0 || entry.shard_id() >= num_shards)
    return Fail(ErrorCode::kDataLoss, "{}: in data file {} of {}", what, entry.shard_id(), num_shards);
  if (entry.offset() < 0 || entry.size() < 0)
    return Fail(ErrorCode::kDataLoss, "{}: {} bytes at offset {}", what, entry.size(), entry.offset());
  HEADRACE_ASSIGN(const Shape shape, ShapeFromProto(entry.shape(), what));
  for (const int64_t dim : shape.dims())
    if (dim < 0) return Fail(ErrorCode::kDataLoss, "{}: a tensor of unknown shape {}", what, shape.ToString());
  const auto dtype = DTypeFromProto(entry.dtype(), what);
  if (!dtype) return {};
  const auto wanted = static_cast<unsigned __int128>(shape.size()) * SizeOf(*dtype);
  if (wanted != static_cast<unsigned __int128>(entry.size()))
    return Fail(ErrorCode::kDataLoss, "{}: {} bytes for {} {}", what, entry.size(), NameOf(*dtype), shape.ToString());
  return {};
}

std::string Quoted(const std::string& path, const std::string& name) {
  return fmt::format("{}: tensor '{}'", path, name);
}

// The file of data number `shard`, and that every tensor in it has its own bytes there: an index may name the same ones
// very often.
Status CheckShard(const BundleIndex& index, int shard, const std::string& path) {
  HEADRACE_ASSIGN(const RegularFile file, OpenRegularFile(path));
  uint64_t left = file.bytes;
  for (const auto& [name, entry] : index.entries) {
    if (entry.shard_id() != shard) continue;
    const auto offset = static_cast<uint64_t>(entry.offset()), size = static_cast<uint64_t>(entry.size());
    if (offset > file.bytes || size > file.bytes - offset)
      return Fail(ErrorCode::kDataLoss, "{}: {} bytes at offset {} in a file of {}", Quoted(path, name), size, offset,
                  file.bytes);
    if (size > left)
      return Fail(ErrorCode::kDataLoss, "{}: {} bytes, of which other tensors have {}, too, in a file of {}",
                  Quoted(path, name), size, size - left, file.bytes);
    left -= size;
  }
  return {};
}

// All of `size` bytes at `offset`.
bool ReadAt(int descriptor, void* out, uint64_t size, uint64_t offset) {
  for (uint64_t have = 0; have < size;) {
    const ssize_t n =
        ::pread(descriptor, static_cast<char*>(out) + have, size - have, static_cast<off_t>(offset + have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += static_cast<uint64_t>(n);
  }
  return true;
}

std::string DataPath(const std::string& prefix, int shard, int shards) {
  return fmt::format("{}.data-{:05}-of-{:05}", prefix, shard, shards);
}

}  // namespace

Result<BundleIndex> ParseBundleIndex(std::string_view file, const std::string& path) {
  HEADRACE_ASSIGN(const TableEntries table, ReadTable(file, path));
  HEADRACE_ASSIGN(const auto header, ParseHeader(table, path));
  BundleIndex index;
  index.num_shards = header.num_shards();
  for (const auto& [name, bytes] : table) {
    if (name.empty()) continue;
    tf::BundleEntryProto& entry = index.entries[name];
    if (!entry.ParseFromString(bytes)) return Fail(ErrorCode::kDataLoss, "{}: a malformed entry", Quoted(path, name));
    HEADRACE_TRY(CheckEntry(entry, index.num_shards, Quoted(path, name)));
  }
  return index;
}

Result<BundleReader> BundleReader::Open(const std::string& prefix, uint64_t max_bytes) {
  const std::string path = prefix + ".index";
  HEADRACE_ASSIGN(const std::string file, ReadRegularFile(path, kMaxIndexBytes));
  HEADRACE_ASSIGN(BundleIndex index, ParseBundleIndex(file, path));
  uint64_t left = max_bytes;
  for (const auto& [name, entry] : index.entries) {
    if (static_cast<uint64_t>(entry.size()) > left)
      return Fail(ErrorCode::kResourceExhausted, "{}: its tensors exceed the limit of {} bytes", path, max_bytes);
    left -= static_cast<uint64_t>(entry.size());
  }
  std::set<int> shards;
  for (const auto& [name, entry] : index.entries) shards.insert(entry.shard_id());
  for (const int shard : shards) HEADRACE_TRY(CheckShard(index, shard, DataPath(prefix, shard, index.num_shards)));
  return BundleReader(prefix, std::move(index));
}

std::vector<std::string> BundleReader::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : index_.entries) names.push_back(name);
  return names;
}

Result<Tensor> BundleReader::Read(const std::string& name) const {
  const auto found = index_.entries.find(name);
  if (found == index_.entries.end()) return Fail(ErrorCode::kNotFound, "{}.index: no tensor named '{}'", prefix_, name);
  const tf::BundleEntryProto& entry = found->second;
  const std::string path = DataPath(prefix_, entry.shard_id(), index_.num_shards);
  HEADRACE_ASSIGN(const DType dtype, DTypeFromProto(entry.dtype(), Quoted(path, name)));
  HEADRACE_ASSIGN(Shape shape, ShapeFromProto(entry.shape(), Quoted(path, name)));

  HEADRACE_ASSIGN(const RegularFile file, OpenRegularFile(path));
  const auto size = static_cast<uint64_t>(entry.size()), offset = static_cast<uint64_t>(entry.offset());
  if (offset > file.bytes || size > file.bytes - offset)  // it may have changed since Open
    return Fail(ErrorCode::kDataLoss, "{}: {} bytes at offset {} in a file of {}", Quoted(path, name), size, offset,
                file.bytes);
  Tensor tensor(dtype, std::move(shape));
  if (!ReadAt(file.descriptor.get(), tensor.raw(), size, offset))
    return Fail(ErrorCode::kDataLoss, "{}: cannot be read", Quoted(path, name));
  const uint32_t crc =
      data::MaskCrc(data::Crc32c({static_cast<const char*>(tensor.raw()), static_cast<size_t>(entry.size())}));
  if (crc != entry.crc32c())
    return Fail(ErrorCode::kDataLoss, "{}: its bytes at offset {} have checksum {:#010x}, the index says {:#010x}",
                Quoted(path, name), entry.offset(), crc, entry.crc32c());
  return tensor;
}

}  // namespace headrace::savedmodel
