#include "http/request_body.h"

#include <algorithm>
#include <cstring>

namespace headrace::http {

RequestBody::RequestBody(Transport& transport, Input& input, RequestParser& parser, const Limits& limits,
                         const Request& request, bool expects_continue)
    : transport_(transport),
      input_(input),
      parser_(parser),
      pace_(limits),
      chunked_(parser.chunked()),
      expects_continue_(expects_continue),
      left_(request.content_length.value_or(0)) {}

Task<Result<size_t>> RequestBody::Read(std::span<char> into) {
  if (into.empty()) co_return size_t{0};
  // Also for an empty body: botocore as the AWS CLI 1 bundles it takes a final answer without the 100 for that of the
  // connection's next request, too, and then waits for the real one in vain.
  if (expects_continue_) {
    if (auto told = co_await Continue(); !told) co_return tl::unexpected<Error>(std::move(told.error()));
  }
  if (done()) co_return size_t{0};
  // Not `a ? co_await b : co_await c`: GCC 12 destroys the awaited temporaries twice.
  Result<size_t> size = size_t{0};
  if (chunked_)
    size = co_await ReadChunked(into);
  else
    size = co_await ReadSized(into);
  if (size) received_ += *size;
  co_return size;
}

Task<Status> RequestBody::Continue() {
  expects_continue_ = false;
  if (!input_.unread().empty()) co_return Status();  // the client did not wait
  std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  while (!line.empty()) {
    auto sent = co_await transport_.WriteSome(line, {}, pace_.Allowance());
    if (!sent) co_return tl::unexpected<Error>(std::move(sent.error()));
    line.remove_prefix(*sent);
  }
  co_return Status();
}

// Straight into the handler's memory once the bytes that came with the head are used up.
Task<Result<size_t>> RequestBody::ReadSized(std::span<char> into) {
  into = into.first(static_cast<size_t>(std::min<uint64_t>(into.size(), left_)));
  const std::string_view at_hand = input_.unread().substr(0, into.size());
  if (!at_hand.empty()) {
    std::memcpy(into.data(), at_hand.data(), at_hand.size());
    left_ -= at_hand.size();
    const size_t size = at_hand.size();
    input_.Consume(size);
    co_return size;
  }
  auto size = co_await Receive(into);
  if (size) left_ -= *size;
  co_return size;
}

Task<Result<size_t>> RequestBody::ReadChunked(std::span<char> into) {
  constexpr size_t kBuffer = 131072;
  while (!parser_.body_done()) {
    auto piece = parser_.DecodeChunked(input_.unread(), into);
    if (!piece) co_return tl::unexpected<Error>(std::move(piece.error()));
    input_.Consume(piece->consumed);
    if (piece->produced > 0 || parser_.body_done()) co_return piece->produced;
    const auto room = input_.Room(kBuffer);
    if (room.empty()) co_return Fail(ErrorCode::kInvalidArgument, "chunked body: a chunk's head is too long");
    auto size = co_await Receive(room);
    if (!size) co_return size;
    input_.Filled(*size);
  }
  co_return size_t{0};
}

Task<Result<size_t>> RequestBody::Receive(std::span<char> into) {
  pace_.Begin();
  auto size = co_await transport_.ReadSome(into, pace_.Allowance());
  pace_.End(size.value_or(0));
  if (!size && transport_.timed_out()) co_return Fail(ErrorCode::kUnavailable, "body: the client is too slow");
  if (!size || *size == 0)
    co_return Fail(ErrorCode::kDataLoss, "body: the client closed the connection before its end");
  co_return size;
}

}  // namespace headrace::http
