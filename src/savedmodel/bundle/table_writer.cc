#include "headrace/data.h"

#include "savedmodel/bundle/coding.h"
#include "savedmodel/bundle/table.h"

namespace headrace::savedmodel {
namespace {

constexpr size_t kBlockBytes = 262144;
constexpr uint64_t kMagic = 0xdb4775248b80fb57u;
constexpr char kUncompressed = 0;

struct Handle {
  uint64_t offset = 0, size = 0;  // without the trailer
};

void AppendHandle(std::string& out, Handle handle) {
  AppendVarint(out, handle.offset);
  AppendVarint(out, handle.size);
}

// Entries share the beginnings of their keys; every `interval` entries a full key starts over.
class BlockBuilder {
 public:
  explicit BlockBuilder(int interval) : interval_(interval) {}

  void Add(std::string_view key, std::string_view value) {
    size_t shared = 0;
    if (count_ % interval_ == 0) {
      if (count_ > 0) restarts_.push_back(static_cast<uint32_t>(bytes_.size()));
    } else {
      while (shared < key.size() && shared < last_key_.size() && key[shared] == last_key_[shared]) ++shared;
    }
    AppendVarint(bytes_, shared);
    AppendVarint(bytes_, key.size() - shared);
    AppendVarint(bytes_, value.size());
    bytes_ += key.substr(shared);
    bytes_ += value;
    last_key_ = key;
    ++count_;
  }

  bool empty() const { return count_ == 0; }
  size_t size() const { return bytes_.size() + 4 * (restarts_.size() + 1); }
  const std::string& last_key() const { return last_key_; }

  // Appends the block with its trailer to `file` and starts an empty one.
  Handle Finish(std::string& file) {
    for (const uint32_t restart : restarts_) AppendFixed(bytes_, restart, 4);
    AppendFixed(bytes_, restarts_.size(), 4);
    const Handle handle{file.size(), bytes_.size()};
    bytes_.push_back(kUncompressed);
    file += bytes_;
    AppendFixed(file, data::MaskCrc(data::Crc32c(bytes_)), 4);
    *this = BlockBuilder(interval_);
    return handle;
  }

 private:
  int interval_;
  int count_ = 0;
  std::string bytes_, last_key_;
  std::vector<uint32_t> restarts_ = {0};
};

// The shortest key that is not below `key`: cut behind its first byte below 0xff, which is incremented.
std::string ShortSuccessor(std::string key) {
  for (size_t i = 0; i < key.size(); ++i) {
    if (static_cast<uint8_t>(key[i]) == 0xff) continue;
    key[i] = static_cast<char>(key[i] + 1);
    key.resize(i + 1);
    break;
  }
  return key;
}

}  // namespace

std::string BuildTable(const TableEntries& entries) {
  std::string file;
  BlockBuilder block(16), index(1);
  const auto finish = [&](const std::string& separator) {
    std::string handle;
    AppendHandle(handle, block.Finish(file));
    index.Add(separator, handle);
  };
  for (const auto& [key, value] : entries) {
    if (block.size() >= kBlockBytes) finish(std::string(block.last_key()));
    block.Add(key, value);
  }
  if (!block.empty()) finish(ShortSuccessor(block.last_key()));

  std::string footer;
  AppendHandle(footer, BlockBuilder(1).Finish(file));  // the metaindex, which is empty
  AppendHandle(footer, index.Finish(file));
  footer.resize(40);
  AppendFixed(footer, kMagic, 8);
  return file + footer;
}

}  // namespace headrace::savedmodel
