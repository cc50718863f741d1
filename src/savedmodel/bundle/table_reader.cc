#include <optional>

#include "headrace/data.h"

#include "savedmodel/bundle/coding.h"
#include "savedmodel/bundle/table.h"

namespace headrace::savedmodel {
namespace {

constexpr uint64_t kMagic = 0xdb4775248b80fb57u;
constexpr size_t kFooterBytes = 48, kTrailerBytes = 5;
constexpr size_t kMaxKeyBytes = size_t{1} << 16;
constexpr size_t kMaxAllKeyBytes = size_t{64} << 20;  // shared prefixes let a small file describe very many bytes

struct Entry {
  std::string key;
  std::string_view value;
};

class TableReader {
 public:
  TableReader(std::string_view file, const std::string& path) : file_(file), path_(path) {}

  Result<TableEntries> Read() {
    if (file_.size() < kFooterBytes)
      return Fail(ErrorCode::kDataLoss, "{}: {} bytes, wanted at least the {} of a table's footer", path_, file_.size(),
                  kFooterBytes);
    std::string_view footer = file_.substr(file_.size() - kFooterBytes);
    if (const uint64_t magic = FixedAt(footer.substr(40), 8); magic != kMagic)
      return Fail(ErrorCode::kDataLoss, "{}: magic number {:#018x} in the footer, wanted {:#018x}", path_, magic,
                  kMagic);
    footer = footer.substr(0, 40);
    HEADRACE_ASSIGN(auto metaindex, TakeHandle(footer, "metaindex"));
    HEADRACE_TRY(ReadBlock(metaindex, "metaindex"));
    HEADRACE_ASSIGN(auto index_bytes, TakeHandle(footer, "index"));
    HEADRACE_ASSIGN(const auto index, ReadBlock(index_bytes, "index"));

    TableEntries entries;
    const char* last = file_.data() - 1;
    for (const Entry& pointer : index) {
      std::string_view handle = pointer.value;
      HEADRACE_ASSIGN(auto bytes, TakeHandle(handle, "data"));
      if (bytes.data() <= last)  // else a small file could make us read one block very often
        return Fail(ErrorCode::kDataLoss, "{}: the data blocks are not in increasing order", path_);
      last = bytes.data();
      HEADRACE_ASSIGN(auto block, ReadBlock(bytes, "data"));
      for (Entry& entry : block) {
        if (!entries.empty() && entry.key <= entries.rbegin()->first)
          return Fail(ErrorCode::kDataLoss, "{}: the key '{}' follows '{}', wanted increasing keys", path_, entry.key,
                      entries.rbegin()->first);
        entries.emplace_hint(entries.end(), std::move(entry.key), entry.value);
      }
    }
    return entries;
  }

 private:
  // The bytes of the block, without the trailer, whose handle is at the front of `in`; its checksum is right.
  Result<std::string_view> TakeHandle(std::string_view& in, const char* what) {
    const auto offset = TakeVarint(in);
    const auto size = offset ? TakeVarint(in) : std::nullopt;
    if (!size) return Fail(ErrorCode::kDataLoss, "{}: the handle of the {} block is malformed", path_, what);
    const size_t end = file_.size() - kFooterBytes;
    if (*offset > end || end - *offset < kTrailerBytes || *size > end - *offset - kTrailerBytes)
      return Fail(ErrorCode::kDataLoss, "{}: the {} block at offset {} of {} bytes reaches beyond the file's {}", path_,
                  what, *offset, *size, file_.size());
    const std::string_view block = file_.substr(*offset, *size + 1);  // with the type
    const auto stored = static_cast<uint32_t>(FixedAt(file_.substr(*offset + *size + 1), 4));
    if (const uint32_t found = data::MaskCrc(data::Crc32c(block)); found != stored)
      return Fail(ErrorCode::kDataLoss,
                  "{}: the {} block at offset {} has checksum {:#010x}, its trailer says {:#010x}", path_, what,
                  *offset, found, stored);
    const int type = static_cast<uint8_t>(block.back());
    if (type != 0)
      return Fail(ErrorCode::kInvalidArgument, "{}: the {} block at offset {} is compressed ({}), wanted none", path_,
                  what, *offset, type == 1 ? "snappy" : "unknown type " + std::to_string(type));
    return block.substr(0, *size);
  }

  // entries, then the offsets of full keys, then their count (both little-endian, 4 bytes each).
  Result<std::vector<Entry>> ReadBlock(std::string_view block, const char* what) {
    const auto corrupt = [&](const char* problem) {
      return Fail(ErrorCode::kDataLoss, "{}: the {} block is malformed: {}", path_, what, problem);
    };
    if (block.size() < 4) return corrupt("too short");
    const uint64_t restarts = FixedAt(block.substr(block.size() - 4), 4);
    if (restarts > (block.size() - 4) / 4) return corrupt("more restarts than bytes");
    std::string_view in = block.substr(0, block.size() - 4 - 4 * restarts);

    std::vector<Entry> entries;
    std::string key;
    while (!in.empty()) {
      const auto shared = TakeVarint(in);
      const auto unshared = shared ? TakeVarint(in) : std::nullopt;
      const auto length = unshared ? TakeVarint(in) : std::nullopt;
      if (!length) return corrupt("an entry is cut off");
      if (*shared > key.size()) return corrupt("an entry shares more than the key before it");
      if (*unshared > in.size() || *length > in.size() - *unshared) return corrupt("an entry reaches beyond it");
      if (*unshared > kMaxKeyBytes - *shared) return corrupt("a key is too long");
      key.resize(*shared);
      key += in.substr(0, *unshared);
      if ((key_bytes_ += key.size()) > kMaxAllKeyBytes)
        return Fail(ErrorCode::kResourceExhausted, "{}: its keys exceed the limit of {} bytes", path_, kMaxAllKeyBytes);
      entries.push_back({key, in.substr(*unshared, *length)});
      in.remove_prefix(*unshared + *length);
    }
    return entries;
  }

  std::string_view file_;
  const std::string& path_;
  size_t key_bytes_ = 0;
};

}  // namespace

Result<TableEntries> ReadTable(std::string_view file, const std::string& path) {
  return TableReader(file, path).Read();
}

}  // namespace headrace::savedmodel
