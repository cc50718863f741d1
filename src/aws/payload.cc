#include "aws/payload.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <fmt/format.h>

#include "aws/digest.h"
#include "aws/limits.h"
#include "aws/sign.h"

namespace headrace::aws {
namespace {

using http::Task;

constexpr std::string_view kEmptySha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// What x-amz-content-sha256 says about the body.
enum class Framing {
  kPlain,                   // the body is the object
  kChunked,                 // STREAMING-UNSIGNED-PAYLOAD-TRAILER
  kSignedChunks,            // STREAMING-AWS4-HMAC-SHA256-PAYLOAD
  kSignedChunksAndTrailer,  // STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER
};

struct Expectations {
  Framing framing = Framing::kPlain;
  std::string sha256;                     // hex; empty: not said
  std::string md5;                        // bytes; empty: not said
  std::optional<uint64_t> size;           // decoded
  std::optional<ChecksumValue> checksum;  // from a header
  std::optional<ChecksumAlgorithm> in_trailer;
};

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

Reply<void> ReadFraming(const http::Request& request, Expectations& expected) {
  const std::string said = request.headers.Get("x-amz-content-sha256");
  if (said.empty() || said == kUnsignedPayload) return {};
  if (said == "STREAMING-UNSIGNED-PAYLOAD-TRAILER") {
    expected.framing = Framing::kChunked;
  } else if (said == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD") {
    expected.framing = Framing::kSignedChunks;
  } else if (said == "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER") {
    expected.framing = Framing::kSignedChunksAndTrailer;
  } else if (std::string hash = Lower(said); IsSha256(hash)) {
    expected.sha256 = std::move(hash);
  } else {
    return Refuse("InvalidArgument",
                  fmt::format("x-amz-content-sha256 '{}': wanted UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, "
                              "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a "
                              "SHA-256 in hexadecimal digits.",
                              said.substr(0, 80)));
  }
  return {};
}

Reply<void> ReadSize(const http::Request& request, Expectations& expected) {
  if (expected.framing == Framing::kPlain) {
    expected.size = request.content_length;
    return {};
  }
  const std::string text = request.headers.Get("x-amz-decoded-content-length");
  uint64_t size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (text.empty() || error != std::errc() || end != text.data() + text.size())
    return Refuse("MissingContentLength",
                  "You must provide the x-amz-decoded-content-length HTTP header with a chunked body.", 411);
  expected.size = size;
  return {};
}

Reply<void> ReadMd5(const http::Request& request, Expectations& expected) {
  const std::string* text = request.headers.Find("content-md5");
  if (text == nullptr) return {};
  auto bytes = DecodeBase64(*text);
  if (!bytes || bytes->size() != 16) return Refuse("InvalidDigest", "The Content-MD5 you specified is not valid.");
  expected.md5 = std::move(*bytes);
  return {};
}

Reply<void> CheckChecksumText(std::string_view header, const ChecksumValue& value) {
  const auto bytes = DecodeBase64(value.base64);
  if (bytes && bytes->size() == ChecksumBytes(value.algorithm)) return {};
  return Refuse("InvalidRequest", fmt::format("Value for {} header is invalid.", header));
}

// CompleteMultipartUpload's x-amz-checksum-* is the whole object's, not that of its XML body.
bool ChecksumIsOfObject(const http::Request& request) {
  if (request.method != "POST") return false;
  for (const auto& [name, value] : http::QueryParameters(request.query))
    if (name == "uploadId") return true;
  return false;
}

Reply<void> ReadChecksums(const http::Request& request, Expectations& expected) {
  if (ChecksumIsOfObject(request)) return {};
  for (const auto& field : request.headers.fields()) {
    const auto algorithm = ChecksumByHeader(field.name);
    if (!algorithm) continue;
    if (expected.checksum)
      return Refuse("InvalidRequest",
                    "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
    expected.checksum = ChecksumValue{*algorithm, field.value};
    if (auto good = CheckChecksumText(Lower(field.name), *expected.checksum); !good) return good;
  }
  const std::string trailer = request.headers.Get("x-amz-trailer");
  if (trailer.empty()) {
    if (request.headers.Has("x-amz-sdk-checksum-algorithm") && !expected.checksum)
      return Refuse("InvalidRequest",
                    "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer "
                    "headers were found.");
    return {};
  }
  expected.in_trailer = ChecksumByHeader(Trim(trailer));
  if (!expected.in_trailer)
    return Refuse("InvalidRequest",
                  fmt::format("x-amz-trailer '{}': wanted one x-amz-checksum-* name.", trailer.substr(0, 80)));
  if (expected.checksum)
    return Refuse("InvalidRequest",
                  "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.");
  if (expected.framing == Framing::kPlain || expected.framing == Framing::kSignedChunks)
    return Refuse("InvalidRequest", "x-amz-trailer: x-amz-content-sha256 announces no trailer.");
  return {};
}

ServiceError Wrong(std::string code, std::string message, int status = 400) {
  return {std::move(code), std::move(message), status, {}, {}};
}

ServiceError Incomplete() {
  return Wrong(
      "IncompleteBody",
      "You did not provide the number of bytes specified by the Content-Length or x-amz-decoded-content-length "
      "HTTP header.");
}

ServiceError TooSlow() {
  return Wrong("RequestTimeout",
               "Your socket connection to the server was not read from or written to within the timeout period. Idle "
               "connections will be closed.");
}

ServiceError BadFraming(std::string_view what) {
  return Wrong("InvalidRequest", fmt::format("The aws-chunked body is malformed: {}.", what));
}

ServiceError BadChunkSignature() {
  return Wrong("SignatureDoesNotMatch",
               "The chunk signature we calculated does not match the signature you provided. Check your AWS Secret "
               "Access Key and signing method.",
               403);
}

class Payload : public PayloadReader {
 public:
  Payload(http::BodyReader& raw, Expectations expected, std::optional<ChunkSigning> signing)
      : raw_(raw), expected_(std::move(expected)), signing_(std::move(signing)), md5_hash_(Hash::Kind::kMd5) {
    if (!expected_.sha256.empty()) sha256_.emplace(Hash::Kind::kSha256);
    if (SignsChunks()) chunk_sha256_.emplace(Hash::Kind::kSha256);
    if (signing_) previous_signature_ = signing_->seed_signature;
    if (expected_.checksum) Compute(expected_.checksum->algorithm);
    if (expected_.in_trailer) Compute(*expected_.in_trailer);
  }

  void Compute(ChecksumAlgorithm algorithm) override {
    for (const Checksum& running : running_)
      if (running.algorithm() == algorithm) return;
    running_.emplace_back(algorithm);
  }

  void ComputeOneAtLeast(ChecksumAlgorithm algorithm) override {
    if (running_.empty()) Compute(algorithm);
  }

  std::optional<ChecksumAlgorithm> announced_checksum() const override {
    if (expected_.checksum) return expected_.checksum->algorithm;
    return expected_.in_trailer;
  }

  std::vector<Hasher> TakeHashers() override {
    deferred_ = true;
    std::vector<Hasher> hashers = {{[this](std::string_view bytes) { md5_hash_.Update(bytes); }, true}};
    if (sha256_) hashers.push_back({[this](std::string_view bytes) { sha256_->Update(bytes); }, true});
    for (Checksum& running : running_) {
      const bool is_crc =
          running.algorithm() != ChecksumAlgorithm::kSha1 && running.algorithm() != ChecksumAlgorithm::kSha256;
      hashers.push_back({[&running](std::string_view bytes) { running.Update(bytes); }, !is_crc});
    }
    return hashers;
  }

  Task<Result<size_t>> Read(std::span<char> into) override {
    if (ended_) co_return size_t{0};
    if (failure_) co_return Broken();
    if (expected_.framing == Framing::kPlain) co_return co_await ReadPlain(into);
    co_return co_await ReadChunked(into);
  }

  const std::optional<ServiceError>& failure() const override { return failure_; }
  const std::string& md5() const override { return md5_; }
  uint64_t size() const override { return size_; }
  std::optional<uint64_t> announced_size() const override { return expected_.size; }

  std::optional<ChecksumValue> checksum() const override {
    if (values_.empty()) return std::nullopt;
    return values_.front();
  }
  std::optional<ChecksumValue> checksum(ChecksumAlgorithm algorithm) const override {
    for (const ChecksumValue& value : values_)
      if (value.algorithm == algorithm) return value;
    return std::nullopt;
  }

 private:
  bool SignsChunks() const {
    return expected_.framing == Framing::kSignedChunks || expected_.framing == Framing::kSignedChunksAndTrailer;
  }

  tl::unexpected<Error> Broken() const {
    return Fail(ErrorCode::kDataLoss, "{}: {}", failure_->code, failure_->message);
  }
  tl::unexpected<Error> Refuse(ServiceError error) {
    failure_ = std::move(error);
    ended_ = false;
    return Broken();
  }

  void Take(std::string_view bytes) {
    size_ += bytes.size();
    if (chunk_sha256_) chunk_sha256_->Update(bytes);
    if (deferred_) return;
    md5_hash_.Update(bytes);
    if (sha256_) sha256_->Update(bytes);
    for (Checksum& running : running_) running.Update(bytes);
  }

  Task<Result<size_t>> ReadPlain(std::span<char> into) {
    auto count = co_await ReadRaw(into);
    if (!count) co_return count;
    if (*count == 0) co_return End();
    Take({into.data(), *count});
    co_return count;
  }

  Task<Result<size_t>> ReadRaw(std::span<char> into) {
    auto count = co_await raw_.Read(into);
    if (!count) co_return Refuse(count.error().code() == ErrorCode::kUnavailable ? TooSlow() : Incomplete());
    co_return count;
  }

  Task<Result<size_t>> ReadChunked(std::span<char> into) {
    if (chunk_left_ == 0) {
      if (auto opened = co_await OpenChunk(); !opened) co_return tl::unexpected(opened.error());
      if (chunk_left_ == 0) co_return End();
    }
    auto count = co_await ReadData(into.first(std::min<uint64_t>(into.size(), chunk_left_)));
    if (!count) co_return count;
    if (*count == 0) co_return Refuse(Incomplete());
    Take({into.data(), *count});
    chunk_left_ -= *count;
    if (chunk_left_ == 0)
      if (auto closed = co_await CloseChunk(); !closed) co_return tl::unexpected(closed.error());
    co_return count;
  }

  // What is buffered, else straight from the connection.
  Task<Result<size_t>> ReadData(std::span<char> into) {
    if (start_ == end_) co_return co_await ReadRaw(into);
    const size_t count = std::min(into.size(), end_ - start_);
    std::memcpy(into.data(), buffer_.data() + start_, count);
    start_ += count;
    co_return count;
  }

  // A line without its CRLF; nothing at the body's end.
  Task<Result<std::optional<std::string>>> ReadLine() {
    std::string line;
    while (true) {
      const std::string_view rest(buffer_.data() + start_, end_ - start_);
      const size_t feed = rest.find('\n');
      const size_t count = feed == std::string_view::npos ? rest.size() : feed + 1;
      line.append(rest.substr(0, count));
      start_ += count;
      if (line.size() > kMaxChunkLine) co_return Refuse(BadFraming("a line is too long"));
      if (feed != std::string_view::npos) {
        if (!line.ends_with("\r\n")) co_return Refuse(BadFraming("a line does not end with CRLF"));
        line.resize(line.size() - 2);
        co_return line;
      }
      auto more = co_await ReadRaw(buffer_);
      if (!more) co_return tl::unexpected(more.error());
      start_ = 0;
      end_ = *more;
      if (*more == 0) {
        if (line.empty()) co_return std::optional<std::string>();
        co_return Refuse(Incomplete());
      }
    }
  }

  // "HEX" or "HEX;chunk-signature=SIGNATURE". After the chunk of size 0 come the trailers.
  Task<Status> OpenChunk() {
    auto line = co_await ReadLine();
    if (!line) co_return tl::unexpected(line.error());
    if (!*line) co_return Refuse(Incomplete());
    const std::string& text = **line;
    uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size, 16);
    if (error != std::errc() || end == text.data() || size > kMaxChunkBytes)
      co_return Refuse(BadFraming("a chunk's size is not a hexadecimal number in range"));
    std::string_view extension(end, static_cast<size_t>(text.data() + text.size() - end));
    if (SignsChunks()) {
      constexpr std::string_view kName = ";chunk-signature=";
      if (!extension.starts_with(kName)) co_return Refuse(BadFraming("a chunk has no signature"));
      chunk_signature_ = extension.substr(kName.size());
    } else if (!extension.empty() && extension.front() != ';') {
      co_return Refuse(BadFraming("a chunk's size is followed by something else"));
    }
    if (size > *expected_.size - size_) co_return Refuse(Incomplete());
    chunk_left_ = size;
    if (size > 0) co_return Status();
    if (SignsChunks() && !ChunkSignatureMatches()) co_return Refuse(BadChunkSignature());
    co_return co_await ReadTrailers();
  }

  Task<Status> CloseChunk() {
    auto line = co_await ReadLine();
    if (!line) co_return tl::unexpected(line.error());
    if (!*line) co_return Refuse(Incomplete());
    if (!(*line)->empty()) co_return Refuse(BadFraming("a chunk is longer than its size says"));
    if (SignsChunks() && !ChunkSignatureMatches()) co_return Refuse(BadChunkSignature());
    co_return Status();
  }

  bool ChunkSignatureMatches() {
    const std::string text =
        fmt::format("AWS4-HMAC-SHA256-PAYLOAD\n{}\n{}\n{}\n{}\n{}", signing_->date, signing_->scope,
                    previous_signature_, kEmptySha256, Hex(chunk_sha256_->Finish()));
    previous_signature_ = Hex(HmacSha256(signing_->key, text));
    return SameSecret(previous_signature_, chunk_signature_);
  }

  // Up to the empty line; some clients leave that out.
  Task<Status> ReadTrailers() {
    std::string signed_text, trailer_signature;
    size_t bytes = 0;
    while (true) {
      auto line = co_await ReadLine();
      if (!line) co_return tl::unexpected(line.error());
      if (!*line || (*line)->empty()) break;
      if ((bytes += (*line)->size()) > kMaxTrailerBytes) co_return Refuse(BadFraming("the trailers are too long"));
      const std::string& text = **line;
      const size_t colon = std::min(text.find(':'), text.size());
      const std::string name = Lower(std::string(Trim(std::string_view(text).substr(0, colon))));
      const std::string value(Trim(std::string_view(text).substr(std::min(colon + 1, text.size()))));
      if (name == "x-amz-trailer-signature") {
        trailer_signature = value;
        continue;
      }
      signed_text += fmt::format("{}:{}\n", name, value);
      if (auto taken = TakeTrailer(name, value); !taken) co_return taken;
    }
    if (expected_.framing == Framing::kSignedChunksAndTrailer &&
        !TrailerSignatureMatches(signed_text, trailer_signature))
      co_return Refuse(BadChunkSignature());
    // The connection's own end of body; anything else here is not part of the object.
    char extra = 0;
    auto more = co_await ReadData({&extra, 1});
    if (!more) co_return tl::unexpected(more.error());
    if (*more != 0) co_return Refuse(BadFraming("bytes follow its end"));
    co_return Status();
  }

  Status TakeTrailer(const std::string& name, const std::string& value) {
    const auto algorithm = ChecksumByHeader(name);
    if (!algorithm || algorithm != expected_.in_trailer)
      return Refuse(
          Wrong("MalformedTrailerError", fmt::format("Trailer '{}' was not announced in x-amz-trailer.", name)));
    expected_.checksum = ChecksumValue{*algorithm, value};
    if (auto good = CheckChecksumText(name, *expected_.checksum); !good) return Refuse(good.error());
    return {};
  }

  bool TrailerSignatureMatches(const std::string& signed_text, const std::string& signature) const {
    const std::string text = fmt::format("AWS4-HMAC-SHA256-TRAILER\n{}\n{}\n{}\n{}", signing_->date, signing_->scope,
                                         previous_signature_, Hex(Sha256(signed_text)));
    return SameSecret(Hex(HmacSha256(signing_->key, text)), signature);
  }

  Result<size_t> End() {
    if (expected_.size && size_ != *expected_.size) return Refuse(Incomplete());
    ended_ = true;
    if (deferred_) return size_t{0};
    if (const Status verified = Verify(); !verified) return tl::unexpected<Error>(verified.error());
    return size_t{0};
  }

  // Everything that was said about the body against what came.
  Status Verify() override {
    md5_ = md5_hash_.Finish();
    for (Checksum& running : running_) values_.push_back({running.algorithm(), Base64(running.Finish())});
    if (sha256_) {
      const std::string computed = Hex(sha256_->Finish());
      if (computed != expected_.sha256) {
        ServiceError error = Wrong("XAmzContentSHA256Mismatch",
                                   "The provided 'x-amz-content-sha256' header does not match what was computed.");
        error.details = {{"ClientComputedContentSHA256", expected_.sha256}, {"S3ComputedContentSHA256", computed}};
        return Refuse(std::move(error));
      }
    }
    if (!expected_.md5.empty() && md5_ != expected_.md5) {
      ServiceError error = Wrong("BadDigest", "The Content-MD5 you specified did not match what we received.");
      error.details = {{"ExpectedDigest", Base64(expected_.md5)}, {"CalculatedDigest", Base64(md5_)}};
      return Refuse(std::move(error));
    }
    if (expected_.in_trailer && !expected_.checksum)
      return Refuse(
          Wrong("MalformedTrailerError", fmt::format("The trailer {} that x-amz-trailer announces is missing.",
                                                     ChecksumHeader(*expected_.in_trailer))));
    if (expected_.checksum && *checksum(expected_.checksum->algorithm) != *expected_.checksum)
      return Refuse(Wrong("BadDigest", fmt::format("The {} you specified did not match the calculated checksum.",
                                                   ChecksumName(expected_.checksum->algorithm))));
    return {};
  }

  http::BodyReader& raw_;
  Expectations expected_;
  const std::optional<ChunkSigning> signing_;

  uint64_t size_ = 0;
  Hash md5_hash_;
  std::optional<Hash> sha256_, chunk_sha256_;
  std::vector<Checksum> running_;

  std::vector<char> buffer_ = std::vector<char>(expected_.framing == Framing::kPlain ? 0 : size_t{4096});
  size_t start_ = 0, end_ = 0;  // what of buffer_ is unread
  uint64_t chunk_left_ = 0;
  std::string chunk_signature_, previous_signature_;

  bool ended_ = false, deferred_ = false;
  std::optional<ServiceError> failure_;
  std::string md5_;
  std::vector<ChecksumValue> values_;
};

}  // namespace

PayloadReader::~PayloadReader() = default;

Reply<std::unique_ptr<PayloadReader>> PayloadReader::Make(const http::Request& request, http::BodyReader& raw,
                                                          std::optional<ChunkSigning> signing) {
  Expectations expected;
  for (auto* read : {ReadFraming, ReadSize, ReadMd5, ReadChecksums})
    if (auto done = read(request, expected); !done) return tl::unexpected(done.error());
  const bool signs = expected.framing == Framing::kSignedChunks || expected.framing == Framing::kSignedChunksAndTrailer;
  if (signs && !signing)
    return Refuse("InvalidRequest", "Signed chunks need a request that is signed in its Authorization header.");
  return std::make_unique<Payload>(raw, std::move(expected), std::move(signing));
}

PayloadReader& PayloadReader::Of(http::Request& request) { return dynamic_cast<PayloadReader&>(*request.body); }

}  // namespace headrace::aws
