#include "pipe_filesystem/chunk_tickets.h"

#include <charconv>
#include <utility>

#include "pipe_filesystem/pipe_path.h"

namespace headrace::pipe_filesystem {
namespace {

std::string TicketPrefix() { return std::string(kScheme) + "://chunk/"; }

class TicketStream : public data::RecordStream {
 public:
  TicketStream(std::unique_ptr<data::RecordStream> records, std::shared_ptr<ChunkTable> chunks)
      : records_(std::move(records)), chunks_(std::move(chunks)) {}
  ~TicketStream() override {
    // At the end of the epoch, or at an error, TensorFlow closes the file with tickets still to be read.
    if (!over_) chunks_->DropAllOf(this);
  }

  Result<std::optional<std::string_view>> Next() override {
    over_ = true;
    HEADRACE_ASSIGN(auto chunk, RecordChunk::Next(*records_, error_));
    if (!chunk) return std::nullopt;
    over_ = false;
    ticket_ = TicketPrefix() + std::to_string(chunks_->Put(std::move(*chunk), this));
    return ticket_;
  }
  bool HasMore() const override { return records_->HasMore(); }
  std::shared_ptr<void> owner() override { return nullptr; }
  Result<int64_t> Skip(int64_t count) override { return records_->Skip(count); }
  data::RecordPosition position() const override { return records_->position(); }

 private:
  std::unique_ptr<data::RecordStream> records_;
  std::shared_ptr<ChunkTable> chunks_;
  std::optional<Error> error_;
  std::string ticket_;
  bool over_ = false;
};

}  // namespace

uint64_t ChunkTable::Put(RecordChunk chunk, const void* epoch) {
  const std::lock_guard lock(mutex_);
  chunks_.emplace(next_, Entry{std::move(chunk), epoch});
  return next_++;
}

void ChunkTable::DropAllOf(const void* epoch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(chunks_, [epoch](const auto& entry) { return entry.second.epoch == epoch; });
}

Result<uint64_t> ChunkTable::SizeOf(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = chunks_.find(number);
  if (found == chunks_.end()) return NotThere(number);
  return found->second.chunk.size();
}

Result<RecordChunk> ChunkTable::Take(uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = chunks_.find(number);
  if (found == chunks_.end()) return NotThere(number);
  RecordChunk chunk = std::move(found->second.chunk);
  chunks_.erase(found);
  return chunk;
}

tl::unexpected<Error> ChunkTable::NotThere(uint64_t number) {
  return Fail(ErrorCode::kNotFound, "{}{}: the chunk has been read already, or its epoch is closed", TicketPrefix(),
              number);
}

std::unique_ptr<data::RecordStream> TicketsOf(std::unique_ptr<data::RecordStream> records,
                                              std::shared_ptr<ChunkTable> chunks) {
  return std::make_unique<TicketStream>(std::move(records), std::move(chunks));
}

std::optional<uint64_t> TicketNumber(std::string_view name) {
  const std::string prefix = TicketPrefix();
  if (name.substr(0, prefix.size()) != prefix) return std::nullopt;
  name.remove_prefix(prefix.size());
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size()) return std::nullopt;
  return number;
}

}  // namespace headrace::pipe_filesystem
