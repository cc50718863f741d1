#include "api/s3/receive.h"

#include <array>
#include <optional>
#include <span>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "aws/digest.h"
#include "aws/payload.h"
#include "http/blocking.h"

namespace headrace::api::s3 {
namespace {

using http::Task;

constexpr uint64_t kMaxObjectBytes = uint64_t{5} << 30;
// Up to this size the bytes wait in memory, and one visit to the pool does all.
constexpr uint64_t kSmallBytes = 256 << 10;
// Larger ones are read into one buffer while the other is written.
constexpr size_t kBufferBytes = 1 << 20;

Reply<uint64_t> AnnouncedSize(const aws::PayloadReader& payload) {
  const auto size = payload.announced_size();
  if (!size) return aws::Refuse("MissingContentLength", "You must provide the Content-Length HTTP header.", 411);
  if (*size > kMaxObjectBytes) {
    ServiceError error{"EntityTooLarge", "Your proposed upload exceeds the maximum allowed size", 400, {}, {}};
    error.details = {{"ProposedSize", std::to_string(*size)}, {"MaxSizeAllowed", std::to_string(kMaxObjectBytes)}};
    return Refusal(std::move(error));
  }
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

class Streaming {
 public:
  Streaming(Exchange& exchange, aws::PayloadReader& payload) : exchange_(exchange), payload_(payload) {}

  Task<Reply<void>> Run(store::BlobWriter& writer) {
    using namespace boost::asio::experimental::awaitable_operators;
    for (std::string& buffer : buffers_) buffer.resize(kBufferBytes);
    auto filled = co_await Fill(payload_, buffers_[0]);
    for (size_t current = 0; filled && *filled > 0; current ^= 1) {
      const std::string_view piece(buffers_[current].data(), *filled);
      auto [next, written] = co_await (Fill(payload_, buffers_[current ^ 1]) && Write(writer, piece));
      if (!written) co_return StoreFailure(written.error());
      filled = std::move(next);
    }
    if (!filled) co_return ReadFailure(payload_);
    co_return Reply<void>();
  }

 private:
  Task<Status> Write(store::BlobWriter& writer, std::string_view piece) {
    co_return co_await http::OnPool(exchange_.pool, [&] { return writer.Write(piece); });
  }

  Exchange& exchange_;
  aws::PayloadReader& payload_;
  std::array<std::string, 2> buffers_;
};

}  // namespace

http::Task<Outcome> Receive(Exchange& exchange, Check when, std::function<Reply<void>()> check,
                            std::function<Outcome(store::BlobWriter)> finish) {
  auto& payload = aws::PayloadReader::Of(exchange.request);
  const auto size = AnnouncedSize(payload);
  if (!size) co_return Refusal(size.error());
  std::optional<store::BlobWriter> writer;
  const auto open = [&]() -> Outcome {
    S3_TRY(check());
    S3_STORE(store::BlobWriter opened, exchange.objects.NewBlob(store::Hashing::kByCaller));
    writer.emplace(std::move(opened));
    return http::Response();
  };
  const auto close = [&]() -> Outcome {
    writer->SetMd5(aws::Hex(payload.md5()));
    return finish(std::move(*writer));
  };
  if (*size <= kSmallBytes && when == Check::kBeforeKeeping) {
    const auto bytes = co_await ReadSmall(payload, *size);
    if (!bytes) co_return Refusal(bytes.error());
    co_return co_await OnPool(exchange, [&]() -> Outcome {
      S3_TRY(open());
      if (const Status written = writer->Write(*bytes); !written) return StoreFailure(written.error());
      return close();
    });
  }
  auto opened = co_await OnPool(exchange, open);
  if (!opened) co_return opened;
  if (auto streamed = co_await Streaming(exchange, payload).Run(*writer); !streamed)
    co_return Refusal(streamed.error());
  co_return co_await OnPool(exchange, close);
}

}  // namespace headrace::api::s3
