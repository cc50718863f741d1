#include "sagemaker/transport/curl_sender.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <utility>
#include <vector>

#include <curl/curl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace headrace::sagemaker {
namespace {

using std::chrono::steady_clock;

constexpr size_t kMaxErrorBody = size_t{1} << 20;
constexpr size_t kMaxHeaderBytes = size_t{256} << 10;
constexpr int kPollMillis = 1000;
constexpr size_t kMaxIdle = 16;

// A handle of libcurl's with its connections, for one request at a time.
class Line {
 public:
  Line() : easy_(curl_easy_init()), multi_(curl_multi_init()) {}
  ~Line() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  bool usable() const { return easy_ != nullptr && multi_ != nullptr; }
  CURL* easy() const { return easy_; }
  CURLM* multi() const { return multi_; }

 private:
  CURL* easy_;
  CURLM* multi_;
};

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// One request under way; what libcurl's callbacks see.
struct Exchange {
  const HttpRequest& request;
  HttpReply reply;
  uint64_t sent = 0;  // bytes of the body
  size_t header_bytes = 0;
  bool moved = false;  // a byte, since it was last looked at
  std::optional<ServiceError> failure;
};

uint64_t BodyBytes(const HttpRequest& request) { return request.file ? request.file->bytes : request.body.size(); }

size_t OnHeader(char* data, size_t, size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.moved = true;
  std::string_view line(data, size);
  exchange.header_bytes += size;
  if (exchange.header_bytes > kMaxHeaderBytes) return 0;
  while (!line.empty() && (line.back() == '\r' || line.back() == '\n')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {  // the head of this answer, or of an interim one before it
    exchange.reply.headers.clear();
    const size_t space = line.find(' ');
    exchange.reply.status = space == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(space)).c_str());
    return size;
  }
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size;
  std::string_view value = line.substr(colon + 1);
  while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
  exchange.reply.headers.push_back({std::string(line.substr(0, colon)), std::string(value)});
  return size;
}

size_t OnBody(char* data, size_t, size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.moved = true;
  const bool good = exchange.reply.status / 100 == 2;
  if (good && exchange.request.sink) {
    if (auto taken = exchange.request.sink({data, size}); !taken) {
      exchange.failure = taken.error();
      return 0;
    }
    return size;
  }
  const size_t limit = good ? exchange.request.max_reply_bytes : kMaxErrorBody;
  if (exchange.reply.body.size() + size > limit) {
    exchange.failure = LocalError(ErrorCode::kResourceExhausted, "InvalidReply",
                                  fmt::format("the answer is longer than {} bytes", limit));
    return 0;
  }
  exchange.reply.body.append(data, size);
  return size;
}

size_t OnSend(char* into, size_t unit, size_t count, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  exchange.moved = true;
  const uint64_t left = BodyBytes(exchange.request) - exchange.sent;
  const size_t room = std::min<uint64_t>(left, unit * count);
  if (room == 0) return 0;
  if (!exchange.request.file) {
    std::memcpy(into, exchange.request.body.data() + exchange.sent, room);
    exchange.sent += room;
    return room;
  }
  const FilePart& file = *exchange.request.file;
  const ssize_t size = ::pread(file.descriptor, into, room, static_cast<off_t>(file.offset + exchange.sent));
  if (size > 0) {
    exchange.sent += static_cast<uint64_t>(size);
    return static_cast<size_t>(size);
  }
  exchange.failure = LocalError(ErrorCode::kDataLoss, "File",
                                size == 0 ? std::string("the file became shorter while it was sent")
                                          : fmt::format("cannot read the file to send: {}", std::strerror(errno)));
  return CURL_READFUNC_ABORT;
}

int OnSeek(void* context, curl_off_t offset, int origin) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (origin != SEEK_SET || offset < 0) return CURL_SEEKFUNC_CANTSEEK;
  exchange.sent = static_cast<uint64_t>(offset);
  return CURL_SEEKFUNC_OK;
}

// libcurl leaves HTTP_PROXY alone, which a CGI program's client could set; botocore reads it.
const char* UpperCaseProxy(const std::string& url) {
  if (!url.starts_with("http://") || std::getenv("http_proxy") != nullptr) return nullptr;
  return std::getenv("REQUEST_METHOD") != nullptr ? nullptr : std::getenv("HTTP_PROXY");
}

void SetMethod(CURL* easy, Exchange& exchange) {
  const HttpRequest& request = exchange.request;
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
  } else if (request.method == "PUT" || request.method == "POST") {
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(BodyBytes(request)));
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, OnSend);
    curl_easy_setopt(easy, CURLOPT_READDATA, &exchange);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, OnSeek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, &exchange);
  } else if (request.method != "GET") {
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  }
}

void SetOptions(CURL* easy, const CurlOptions& options, Exchange& exchange, const HeaderList& headers) {
  curl_easy_reset(easy);  // keeps connections
  const std::string& url = exchange.request.url;
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);  // as it was signed
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers.get());
  if (!options.ca_bundle.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_bundle.c_str());
  if (!options.proxies) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
  } else if (const char* proxy = UpperCaseProxy(url)) {
    curl_easy_setopt(easy, CURLOPT_PROXY, proxy);
  }
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &exchange);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, OnBody);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &exchange);
  SetMethod(easy, exchange);
}

class CurlSender : public HttpSender {
 public:
  explicit CurlSender(CurlOptions options) : options_(std::move(options)) {
    static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
    started_ = kStarted;
  }

  Outcome<HttpReply> Send(const HttpRequest& request, Deadline deadline, const std::stop_token& stop) override {
    if (stop.stop_requested()) return Cancelled(request);
    std::unique_ptr<Line> line = Take();
    if (started_ != CURLE_OK || !line->usable())
      return LocalError(ErrorCode::kResourceExhausted, "ConnectionError", "cannot start libcurl");
    Exchange exchange{request, {}, 0, 0, false, {}};
    HeaderList headers;
    for (const HttpHeader& header : request.headers)
      headers.Add(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
    for (const char* name : {"Accept:", "Content-Type:"}) {  // what libcurl would add of its own
      const bool ours = std::any_of(request.headers.begin(), request.headers.end(),
                                    [&](const HttpHeader& header) { return header.name + ":" == name; });
      if (!ours) headers.Add(name);
    }
    if (request.restart_sink) request.restart_sink();
    SetOptions(line->easy(), options_, exchange, headers);
    auto outcome = Perform(*line, exchange, deadline, stop);
    if (outcome.ok()) Return(std::move(line));  // else its connection is in no known state
    return outcome;
  }

 private:
  static ServiceError Cancelled(const HttpRequest& request) {
    return LocalError(ErrorCode::kUnavailable, "Cancelled", request.method + " " + request.url + ": cancelled");
  }

  Outcome<HttpReply> Perform(Line& line, Exchange& exchange, Deadline deadline, const std::stop_token& stop) const {
    curl_multi_add_handle(line.multi(), line.easy());
    const struct Removal {
      Line& line;
      ~Removal() { curl_multi_remove_handle(line.multi(), line.easy()); }
    } removal{line};
    const std::stop_callback wake(stop, [&line] { curl_multi_wakeup(line.multi()); });
    auto last_byte = steady_clock::now();
    while (true) {
      int running = 0;
      const CURLMcode performed = curl_multi_perform(line.multi(), &running);
      if (performed != CURLM_OK)
        return LocalError(ErrorCode::kUnavailable, "ConnectionError", curl_multi_strerror(performed), true);
      if (running == 0) return Finish(line, exchange);
      if (stop.stop_requested()) return Cancelled(exchange.request);
      const auto now = steady_clock::now();
      if (std::exchange(exchange.moved, false)) last_byte = now;
      if (deadline && now >= *deadline) return TimedOut(exchange.request, "the call's time is over", false);
      if (now - last_byte >= options_.connect_timeout + options_.idle_timeout)
        return TimedOut(exchange.request, "nothing has come or gone for too long", true);
      auto wait = std::chrono::milliseconds(kPollMillis);
      if (deadline) wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(*deadline - now));
      curl_multi_poll(line.multi(), nullptr, 0, static_cast<int>(wait.count()), nullptr);
    }
  }

  static ServiceError TimedOut(const HttpRequest& request, const char* why, bool retryable) {
    return LocalError(ErrorCode::kUnavailable, "Timeout", fmt::format("{} {}: {}", request.method, request.url, why),
                      retryable);
  }

  static Outcome<HttpReply> Finish(Line& line, Exchange& exchange) {
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(line.multi(), &left);
    const CURLcode code = message != nullptr ? message->data.result : CURLE_RECV_ERROR;
    if (exchange.failure) return *exchange.failure;
    if (code == CURLE_OK) return std::move(exchange.reply);
    const std::string what =
        fmt::format("{} {}: {}", exchange.request.method, exchange.request.url, curl_easy_strerror(code));
    if (code == CURLE_OPERATION_TIMEDOUT) return LocalError(ErrorCode::kUnavailable, "Timeout", what, true);
    // Settings and certificates do not mend themselves.
    const bool lasting = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
                         code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL;
    return LocalError(lasting ? ErrorCode::kFailedPrecondition : ErrorCode::kUnavailable, "ConnectionError", what,
                      !lasting);
  }

  std::unique_ptr<Line> Take() {
    const std::lock_guard lock(mutex_);
    if (idle_.empty()) return std::make_unique<Line>();
    auto line = std::move(idle_.back());
    idle_.pop_back();
    return line;
  }
  void Return(std::unique_ptr<Line> line) {
    const std::lock_guard lock(mutex_);
    if (idle_.size() < kMaxIdle) idle_.push_back(std::move(line));
  }

  const CurlOptions options_;
  CURLcode started_ = CURLE_OK;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Line>> idle_;
};

}  // namespace

std::unique_ptr<HttpSender> MakeCurlSender(const CurlOptions& options) { return std::make_unique<CurlSender>(options); }

}  // namespace headrace::sagemaker
