#include "http/request_parser.h"

#include <boost/beast/http.hpp>

namespace headrace::http {
namespace {

namespace net = boost::asio;
namespace beast = boost::beast::http;

// "http://host:port/path?query" is what clients send to proxies; the path behind the authority is what counts.
std::string_view WithoutAuthority(std::string_view target) {
  if (target.starts_with('/')) return target;
  const size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return target;
  const size_t path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

BadHead Refusal(const boost::system::error_code& error) {
  if (error == beast::error::header_limit) return {431, "the request's head is larger than the limit"};
  if (error == beast::error::bad_version) return {505, "only HTTP/1.0 and HTTP/1.1 are spoken here"};
  return {400, "malformed request: " + error.message()};
}

}  // namespace

struct RequestParser::State {
  beast::request_parser<beast::buffer_body> parser;
};

RequestParser::RequestParser(size_t header_limit) : state_(std::make_unique<State>()) {
  state_->parser.header_limit(static_cast<std::uint32_t>(header_limit));
  state_->parser.body_limit(boost::none);
}

RequestParser::~RequestParser() = default;

tl::expected<size_t, BadHead> RequestParser::ParseHead(std::string_view bytes) {
  auto& parser = state_->parser;
  boost::system::error_code error;
  const size_t taken = parser.put(net::buffer(bytes), error);
  if (error == beast::error::need_more) return 0;
  // Beast may already ask for room for the body; that comes later.
  if (error && !(parser.is_header_done() && error == beast::error::need_buffer)) return tl::unexpected(Refusal(error));
  const auto& head = parser.get();
  if (head.version() == 11 && head.count(beast::field::host) != 1)
    return tl::unexpected(BadHead{400, "malformed request: exactly one Host header is wanted"});
  if (head.count(beast::field::transfer_encoding) != 0 && !parser.chunked())
    return tl::unexpected(BadHead{501, "Transfer-Encoding: only chunked is known"});
  return taken;
}

Request RequestParser::TakeRequest() {
  const auto& head = state_->parser.get();
  Request request;
  request.method = std::string(head.method_string());
  request.target = std::string(WithoutAuthority(std::string_view(head.target().data(), head.target().size())));
  const size_t question = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, question);
  request.query = request.target.substr(std::min(question + 1, request.target.size()));
  for (const auto& field : head) request.headers.Add(std::string(field.name_string()), std::string(field.value()));
  if (!chunked()) request.content_length = state_->parser.content_length().value_or(0);
  return request;
}

bool RequestParser::chunked() const { return state_->parser.chunked(); }
bool RequestParser::keep_alive() const { return state_->parser.keep_alive(); }
bool RequestParser::http_1_0() const { return state_->parser.get().version() < 11; }
bool RequestParser::body_done() const { return state_->parser.is_done(); }

Result<RequestParser::Piece> RequestParser::DecodeChunked(std::string_view bytes, std::span<char> into) {
  auto& parser = state_->parser;
  auto& body = parser.get().body();
  Piece piece;
  while (piece.consumed < bytes.size() && piece.produced < into.size() && !parser.is_done()) {
    body.data = into.data() + piece.produced;
    body.size = into.size() - piece.produced;
    body.more = true;
    const size_t room = body.size;
    boost::system::error_code error;
    piece.consumed += parser.put(net::buffer(bytes.substr(piece.consumed)), error);
    piece.produced += room - body.size;
    if (error == beast::error::need_more) break;
    if (error && error != beast::error::need_buffer)
      return Fail(ErrorCode::kInvalidArgument, "chunked body: {}", error.message());
  }
  return piece;
}

std::string_view ReasonPhrase(int status) {
  const auto reason = beast::obsolete_reason(beast::int_to_status(static_cast<unsigned>(status)));
  return reason.starts_with("<") ? std::string_view("Unknown") : std::string_view(reason.data(), reason.size());
}

}  // namespace headrace::http
