#include "pipe_filesystem/ticket_file.h"

#include "data/tfrecord_format.h"

namespace headrace::pipe_filesystem {
namespace {

using namespace data::tfrecord;

template <typename T>
std::string BytesOf(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

}  // namespace

Result<size_t> TicketFile::Read(uint64_t offset, char* out, size_t size) {
  if (header_.empty() && rest_.empty()) {
    HEADRACE_ASSIGN(const bool more, NextFrame());
    if (!more) return 0;
  }
  std::string& piece = header_.empty() ? rest_ : header_;
  if (offset != position_ || size != piece.size())
    return Fail(ErrorCode::kFailedPrecondition,
                "PipeModeDataset: a channel is read from front to back, so its iterators cannot be restored from a "
                "checkpoint: found {} bytes at byte {} asked for, wanted {} at byte {}",
                size, offset, piece.size(), position_);
  piece.copy(out, size);
  piece.clear();
  position_ += size;
  return size;
}

Result<bool> TicketFile::NextFrame() {
  HEADRACE_ASSIGN(const auto record, records_->Next());
  if (!record) return false;
  header_ = BytesOf(uint64_t{record->size()});
  header_ += BytesOf(MaskedCrc(header_));
  rest_ = std::string(*record) + BytesOf(MaskedCrc(*record));
  return true;
}

}  // namespace headrace::pipe_filesystem
