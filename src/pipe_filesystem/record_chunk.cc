#include "pipe_filesystem/record_chunk.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace headrace::pipe_filesystem {
namespace {

// A chunk stays in the processor's caches on its way, and is worth the way.
constexpr uint64_t kEnoughBytes = uint64_t{256} << 10;
constexpr size_t kMostRecords = 4096;

void AppendVarint(std::string& out, uint64_t value) {
  for (; value >= 128; value >>= 7) out.push_back(static_cast<char>(value | 128));
  out.push_back(static_cast<char>(value));
}

// A field of bytes: its number, its length; the bytes are to follow.
void AppendLength(std::string& out, int field, uint64_t bytes) {
  AppendVarint(out, static_cast<uint64_t>(field) << 3 | 2);
  AppendVarint(out, bytes);
}

void AppendNumber(std::string& out, int field, uint64_t value) {
  AppendVarint(out, static_cast<uint64_t>(field) << 3);
  AppendVarint(out, value);
}

}  // namespace

Result<std::optional<RecordChunk>> RecordChunk::Next(data::RecordStream& records, std::optional<Error>& error) {
  RecordChunk chunk;
  do {
    if (error) break;
    const auto record = records.Next();
    if (!record)
      error = record.error();
    else if (*record)
      chunk.Add(**record, records.owner());
    if (!record || !*record) break;
  } while (records.HasMore() && chunk.size_ < kEnoughBytes && chunk.pieces_.size() <= kMostRecords);
  if (chunk.pieces_.size() > 1) {
    chunk.Seal();
    return chunk;
  }
  if (error) return tl::unexpected<Error>(*error);
  return std::nullopt;
}

void RecordChunk::Add(std::string_view record, std::shared_ptr<void> owner) {
  if (pieces_.empty()) pieces_.emplace_back();
  pieces_.push_back(record);
  size_ += record.size();
  if (owners_.empty() || owners_.back() != owner) owners_.push_back(std::move(owner));
}

// tensorflow/core/framework/tensor.proto: dtype = 1 (DT_STRING is 7), tensor_shape = 2 {dim = 2 {size = 1}},
// tensor_content = 4; the content of strings is the lengths of all, as varints, and then their bytes
// (tensorflow/core/platform/tensor_coding.cc).
void RecordChunk::Seal() {
  const size_t count = pieces_.size() - 1;
  std::string lengths, size, dim, head;
  for (size_t i = 1; i <= count; ++i) AppendVarint(lengths, pieces_[i].size());
  AppendNumber(size, 1, count);
  AppendLength(dim, 2, size.size());
  dim += size;
  AppendNumber(head, 1, 7);
  AppendLength(head, 2, dim.size());
  head += dim;
  AppendLength(head, 4, lengths.size() + size_);
  head += lengths;
  head_ = std::make_unique<std::string>(std::move(head));
  pieces_[0] = *head_;
  size_ += head_->size();
}

size_t RecordChunk::Read(uint64_t offset, char* out, size_t size) const {
  size_t copied = 0;
  for (std::string_view piece : pieces_) {
    if (copied == size) break;
    if (offset >= piece.size()) {
      offset -= piece.size();
      continue;
    }
    piece.remove_prefix(std::exchange(offset, 0));
    const size_t n = std::min(piece.size(), size - copied);
    std::memcpy(out + copied, piece.data(), n);
    copied += n;
  }
  return copied;
}

}  // namespace headrace::pipe_filesystem
