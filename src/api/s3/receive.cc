#include "api/s3/receive.h"

#include <algorithm>
#include <optional>
#include <span>

#include "api/s3/piece_lanes.h"
#include "aws/digest.h"
#include "aws/payload.h"
#include "http/blocking.h"

namespace headrace::api::s3 {
namespace {

using http::Task;

constexpr uint64_t kMaxObjectBytes = uint64_t{5} << 30;
// Up to this size the bytes wait in memory, and one visit to the pool does all.
constexpr uint64_t kSmallBytes = 256 << 10;
// Larger ones are read into one buffer while others are hashed and written.
constexpr size_t kBufferBytes = 512 << 10;
constexpr size_t kBuffers = 4;

Refusal TooLarge(uint64_t size, uint64_t most) {
  ServiceError error{"EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, {}, {}};
  error.details = {{"ProposedSize", std::to_string(size)}, {"MaxSizeAllowed", std::to_string(most)}};
  return Refusal(std::move(error));
}

Refusal TooSmall(uint64_t size, uint64_t least) {
  ServiceError error{"EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400, {}, {}};
  error.details = {{"ProposedSize", std::to_string(size)}, {"MinSizeAllowed", std::to_string(least)}};
  return Refusal(std::move(error));
}

Reply<uint64_t> AnnouncedSize(const aws::PayloadReader& payload) {
  const auto size = payload.announced_size();
  if (!size) return aws::Refuse("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  if (*size > kMaxObjectBytes) return TooLarge(*size, kMaxObjectBytes);
  return *size;
}

Refusal ReadFailure(const aws::PayloadReader& payload) {
  if (payload.failure()) return Refusal(*payload.failure());
  return aws::Refuse("IncompleteBody",
                     "You did not provide the number of bytes specified by the Content-Length HTTP header");
}

// Fills `buffer` up to the end of the body; returns how much of it is filled.
Task<Result<size_t>> Fill(aws::PayloadReader& payload, std::span<char> buffer) {
  size_t filled = 0;
  while (filled < buffer.size()) {
    const auto size = co_await payload.Read(buffer.subspan(filled));
    if (!size) co_return size;
    if (*size == 0) break;
    filled += *size;
  }
  co_return filled;
}

// As Fill, when there is room yet: a body that ends with the buffer must still be read to its end to be verified.
Task<Reply<std::string>> ReadSmall(aws::PayloadReader& payload, uint64_t size) {
  std::string bytes(size + 1, '\0');
  const auto filled = co_await Fill(payload, bytes);
  if (!filled) co_return ReadFailure(payload);
  if (*filled > size) co_return ReadFailure(payload);
  bytes.resize(*filled);
  co_return bytes;
}

template <typename Work>
Task<Outcome> OnPool(Exchange& exchange, Work work) {
  auto outcome = co_await http::OnPool(exchange.pool, [&]() -> Result<Outcome> { return work(); });
  if (!outcome) co_return StoreFailure(outcome.error());
  co_return std::move(*outcome);
}

// What is slow has a lane of its own; the rest goes along with the writing.
std::vector<PieceLanes::Work> LanesFor(aws::PayloadReader& payload, store::BlobWriter& writer) {
  std::vector<PieceLanes::Work> lanes;
  std::vector<std::function<void(std::string_view)>> quick;
  for (auto& hasher : payload.TakeHashers()) {
    if (hasher.slow) {
      lanes.push_back([update = std::move(hasher.update)](std::string_view piece) {
        update(piece);
        return Status();
      });
    } else {
      quick.push_back(std::move(hasher.update));
    }
  }
  lanes.push_back([quick = std::move(quick), &writer](std::string_view piece) {
    for (const auto& update : quick) update(piece);
    return writer.Write(piece);
  });
  return lanes;
}

// Reads the body while what has arrived is hashed and written.
Task<Reply<void>> Stream(Exchange& exchange, aws::PayloadReader& payload, store::BlobWriter& writer, SizeRange range) {
  const uint64_t announced = payload.announced_size().value_or(kBufferBytes);
  PieceLanes lanes(exchange.pool, LanesFor(payload, writer), kBuffers,
                   static_cast<size_t>(std::min<uint64_t>(announced + 1, kBufferBytes)));
  uint64_t size = 0;
  while (true) {
    const auto buffer = co_await lanes.Buffer();
    if (!buffer) co_return StoreFailure(buffer.error());
    const auto filled = co_await Fill(payload, *buffer);
    if (!filled) co_return ReadFailure(payload);
    if (*filled == 0) break;
    size += *filled;
    if (size > range.most) co_return TooLarge(size, range.most);
    lanes.Send(*filled);
  }
  if (size < range.least) co_return TooSmall(size, range.least);
  const auto finished = co_await lanes.Finish();
  if (!finished) co_return StoreFailure(finished.error());
  if (!payload.Verify()) co_return ReadFailure(payload);
  co_return Reply<void>();
}

http::Task<Outcome> ReceiveLarge(Exchange& exchange, SizeRange range, const std::function<Reply<void>()>& check,
                                 const std::function<Outcome(store::BlobWriter)>& finish) {
  auto& payload = aws::PayloadReader::Of(exchange.request);
  std::optional<store::BlobWriter> writer;
  auto opened = co_await OnPool(exchange, [&]() -> Outcome {
    S3_TRY(check());
    S3_STORE(store::BlobWriter fresh, exchange.objects.NewBlob(store::Hashing::kByCaller));
    writer.emplace(std::move(fresh));
    return http::Response();
  });
  if (!opened) co_return opened;
  auto streamed = co_await Stream(exchange, payload, *writer, range);
  if (!streamed) co_return Refusal(streamed.error());
  co_return co_await OnPool(exchange, [&]() -> Outcome {
    writer->SetMd5(aws::Hex(payload.md5()));
    return finish(std::move(*writer));
  });
}

http::Task<Outcome> ReceiveSmall(Exchange& exchange, uint64_t size, const std::function<Reply<void>()>& check,
                                 const std::function<Outcome(store::BlobWriter)>& finish) {
  auto& payload = aws::PayloadReader::Of(exchange.request);
  const auto bytes = co_await ReadSmall(payload, size);
  if (!bytes) co_return Refusal(bytes.error());
  co_return co_await OnPool(exchange, [&]() -> Outcome {
    S3_TRY(check());
    S3_STORE(store::BlobWriter writer, exchange.objects.NewBlob(store::Hashing::kByCaller));
    if (const Status written = writer.Write(*bytes); !written) return StoreFailure(written.error());
    writer.SetMd5(aws::Hex(payload.md5()));
    return finish(std::move(writer));
  });
}

}  // namespace

http::Task<Outcome> Receive(Exchange& exchange, Check when, std::function<Reply<void>()> check,
                            std::function<Outcome(store::BlobWriter)> finish) {
  const auto size = AnnouncedSize(aws::PayloadReader::Of(exchange.request));
  if (!size) co_return Refusal(size.error());
  if (*size <= kSmallBytes && when == Check::kBeforeKeeping)
    co_return co_await ReceiveSmall(exchange, *size, check, finish);
  co_return co_await ReceiveLarge(exchange, {0, kMaxObjectBytes}, check, finish);
}

http::Task<Outcome> ReceiveUnannounced(Exchange& exchange, SizeRange range, std::function<Reply<void>()> check,
                                       std::function<Outcome(store::BlobWriter)> finish) {
  range.most = std::min(range.most, kMaxObjectBytes);
  co_return co_await ReceiveLarge(exchange, range, check, finish);
}

}  // namespace headrace::api::s3
