#include "pipe_filesystem/framed_records.h"

#include <algorithm>
#include <cstring>

namespace headrace::pipe_filesystem {
namespace {

using namespace data::tfrecord;

template <typename T>
void Store(char* bytes, T value) {
  std::memcpy(bytes, &value, sizeof value);
}

}  // namespace

Result<size_t> FramedRecords::Read(uint64_t offset, char* out, size_t size) {
  if (offset < position_)
    return Fail(ErrorCode::kFailedPrecondition,
                "a channel in Pipe mode is read from front to back: found byte {} asked for, wanted {} or later",
                offset, position_);
  const uint64_t before = offset - position_;
  HEADRACE_ASSIGN(const uint64_t passed_over, Take(nullptr, before));
  if (passed_over < before) return 0;
  return Take(out, size);
}

Result<uint64_t> FramedRecords::Take(char* out, uint64_t size) {
  uint64_t taken = 0;
  while (taken < size) {
    if (piece_ == frame_.size()) {
      HEADRACE_ASSIGN(const bool more, NextFrame());
      if (!more) break;
    }
    std::string_view& piece = frame_[piece_];
    const auto n = static_cast<size_t>(std::min<uint64_t>(piece.size(), size - taken));
    if (out != nullptr) std::memcpy(out + taken, piece.data(), n);
    piece.remove_prefix(n);
    taken += n;
    if (piece.empty()) ++piece_;
  }
  position_ += taken;
  return taken;
}

Result<bool> FramedRecords::NextFrame() {
  HEADRACE_ASSIGN(const auto record, records_->Next());
  if (!record) return false;
  Store(header_, uint64_t{record->size()});
  Store(header_ + kLengthBytes, MaskedCrc({header_, kLengthBytes}));
  Store(footer_, MaskedCrc(*record));
  frame_ = {std::string_view(header_, kHeaderBytes), *record, std::string_view(footer_, kFooterBytes)};
  piece_ = 0;
  return true;
}

}  // namespace headrace::pipe_filesystem
