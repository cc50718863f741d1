// Load on an HTTP server: one thread, many connections, one POST request again and again.
//
// usage: bench_serving_load PORT PATH BODY_FILE CONTENT_TYPE ACCEPT CLIENTS SECONDS [RATE even|poisson]
//
// Without RATE every client sends its next request when it has its answer. With RATE requests start that many times a
// second whether or not answers come, on the first client that is free, and latency counts from when a request should
// have started; the program then asks the kernel for real-time priority, as if it had a machine of its own. One JSON
// line: requests, failed, seconds, rate, p50, p95, p99, max (milliseconds), late: the part of the requests that this
// program itself started more than 0.2 ms too late, on a free client, and typical_tail: p99 over p50 of a thousand
// requests in a row, the median of all thousands, which a few pauses of the machine do not decide.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Clock = std::chrono::steady_clock;

double Seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

struct Client {
  int socket = -1;
  bool busy = false, writing = false;
  size_t sent = 0;
  std::string answer;    // its head, until that is complete
  size_t body_left = 0;  // of the answer
  bool in_body = false;
  Clock::time_point start;  // when the request should have started
};

class Load {
 public:
  Load(uint16_t port, std::string request, size_t clients) : request_(std::move(request)), clients_(clients) {
    epoll_ = ::epoll_create1(0);
    for (size_t i = 0; i < clients; ++i) {
      Client& client = clients_[i];
      client.socket = ::socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (::connect(client.socket, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) Die("connect");
      const int on = 1;
      ::setsockopt(client.socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.socket, &event);
      idle_.push_back(i);
    }
  }

  // `gap`: seconds to the next start; below 0: as soon as a client is free.
  template <typename Gap>
  void Run(double seconds, const Gap& gap) {
    const auto begin = Clock::now(), end = begin + Duration(seconds);
    auto next = begin;
    std::deque<Clock::time_point> due;
    const bool closed = gap() < 0;
    while (true) {
      const auto now = Clock::now();
      if (closed && now < end) {
        while (!idle_.empty()) Start(Clock::now());
      } else if (!closed) {
        for (; next <= now && next < end; next += Duration(gap())) due.push_back(next);
        for (; !due.empty() && !idle_.empty(); due.pop_front()) {
          if (now - due.front() > kLate && idle_.size() > clients_.size() / 2) ++late_;
          Start(due.front());
        }
      }
      if (now >= end && due.empty() && idle_.size() == clients_.size()) break;
      if (now >= end + std::chrono::seconds(60)) Die("no answer for a minute");
      // Until the next start, when there is a client for it.
      const bool starts = !closed && next < end && !idle_.empty();
      Wait(starts ? std::clamp(Seconds(next - Clock::now()), 0.0, 0.1) : 0.1);
    }
    elapsed_ = Seconds(Clock::now() - begin);
  }

  void Print() const {
    const auto at = [&](double part) { return Quantile(latencies_, part); };
    std::printf(
        "{\"requests\": %zu, \"failed\": %zu, \"seconds\": %.3f, \"rate\": %.2f, \"p50\": %.4f, \"p95\": %.4f, "
        "\"p99\": %.4f, \"max\": %.4f, \"late\": %.5f, \"typical_tail\": %.3f}\n",
        latencies_.size(), failed_, elapsed_, double(latencies_.size()) / elapsed_, at(0.5), at(0.95), at(0.99), at(1),
        latencies_.empty() ? 0 : double(late_) / double(latencies_.size()), TypicalTail());
  }

 private:
  static double Quantile(std::vector<double> values, double part) {
    if (values.empty()) return 0;
    const auto at =
        values.begin() + static_cast<long>(std::min(values.size() - 1, size_t(part * double(values.size()))));
    std::nth_element(values.begin(), at, values.end());
    return *at;
  }
  // In the order of the answers; fewer than a thousand are one piece.
  double TypicalTail() const {
    constexpr size_t kPiece = 1000;
    std::vector<double> tails;
    for (size_t begin = 0; begin == 0 || begin + kPiece <= latencies_.size(); begin += kPiece) {
      const auto first = latencies_.begin() + static_cast<long>(begin);
      const std::vector<double> piece(first, first + static_cast<long>(std::min(kPiece, latencies_.size() - begin)));
      const double half = Quantile(piece, 0.5);
      tails.push_back(half > 0 ? Quantile(piece, 0.99) / half : 0);
    }
    return Quantile(tails, 0.5);
  }
  static Clock::duration Duration(double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  }
  [[noreturn]] static void Die(const char* what) {
    std::fprintf(stderr, "bench_serving_load: %s: %s\n", what, std::strerror(errno));
    std::exit(1);
  }

  void Start(Clock::time_point when) {
    Client& client = clients_[idle_.back()];
    const size_t index = idle_.back();
    idle_.pop_back();
    client.busy = true;
    client.sent = 0;
    client.answer.clear();
    client.in_body = false;
    client.start = when;
    Write(index);
  }

  void Write(size_t index) {
    Client& client = clients_[index];
    while (client.sent < request_.size()) {
      const ssize_t n = ::send(client.socket, request_.data() + client.sent, request_.size() - client.sent,
                               MSG_DONTWAIT | MSG_NOSIGNAL);
      if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
      if (n <= 0) Die("send");
      client.sent += static_cast<size_t>(n);
    }
    const bool writing = client.sent < request_.size();
    if (writing == client.writing) return;
    client.writing = writing;
    epoll_event event{};
    event.events = EPOLLIN | (writing ? unsigned{EPOLLOUT} : 0u);
    event.data.u64 = index;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, client.socket, &event);
  }

  void Read(size_t index) {
    Client& client = clients_[index];
    static char buffer[1 << 18];
    const ssize_t n = ::recv(client.socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) Die("the server closed the connection");
    size_t got = static_cast<size_t>(n);
    if (!client.in_body) {
      client.answer.append(buffer, got);
      const size_t end = client.answer.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (client.answer.compare(9, 3, "200") != 0) {
        if (failed_++ == 0) std::fprintf(stderr, "bench_serving_load: %s\n", client.answer.substr(0, 500).c_str());
      }
      std::string head = client.answer.substr(0, end);
      std::transform(head.begin(), head.end(), head.begin(), [](unsigned char c) { return std::tolower(c); });
      const size_t length = head.find("content-length:");
      if (length == std::string::npos) Die("an answer without Content-Length");
      client.body_left = std::strtoull(head.c_str() + length + 15, nullptr, 10);
      client.in_body = true;
      got = client.answer.size() - end - 4;
    }
    client.body_left -= std::min(got, client.body_left);
    if (client.body_left > 0) return;
    latencies_.push_back(Seconds(Clock::now() - client.start) * 1e3);
    client.busy = false;
    idle_.push_back(index);
  }

  void Wait(double seconds) {
    epoll_event events[64];
    const auto nanoseconds = static_cast<long>(seconds * 1e9);
    const timespec time{0, std::min(nanoseconds, 999999999L)};
    const int count = ::epoll_pwait2(epoll_, events, 64, &time, nullptr);
    for (int i = 0; i < count; ++i) {
      const auto index = static_cast<size_t>(events[i].data.u64);
      if ((events[i].events & EPOLLOUT) != 0) Write(index);
      if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && clients_[index].busy) Read(index);
    }
  }

  static constexpr std::chrono::microseconds kLate{200};
  const std::string request_;
  std::vector<Client> clients_;
  std::vector<size_t> idle_;
  std::vector<double> latencies_;
  size_t failed_ = 0, late_ = 0;
  double elapsed_ = 0;
  int epoll_ = -1;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8 && argc != 10) {
    std::fputs(
        "usage: bench_serving_load PORT PATH BODY_FILE CONTENT_TYPE ACCEPT CLIENTS SECONDS [RATE even|poisson]\n",
        stderr);
    return 2;
  }
  std::ifstream file(argv[3], std::ios::binary);
  std::stringstream body;
  body << file.rdbuf();
  std::string request = std::string("POST ") + argv[2] + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: " + argv[4] +
                        "\r\nAccept: " + argv[5] + "\r\nContent-Length: " + std::to_string(body.str().size()) +
                        "\r\n\r\n";
  Load load(static_cast<uint16_t>(std::atoi(argv[1])), request + body.str(), std::strtoul(argv[6], nullptr, 10));
  const double rate = argc == 10 ? std::atof(argv[8]) : 0;
  const bool poisson = argc == 10 && std::strcmp(argv[9], "poisson") == 0;
  std::mt19937 random(1);
  std::exponential_distribution<double> between(rate > 0 ? rate : 1);
  // Without the right to it, `late` tells.
  const sched_param first{.sched_priority = 1};
  if (rate > 0) ::sched_setscheduler(0, SCHED_FIFO, &first);
  load.Run(std::atof(argv[7]), [&] { return rate <= 0 ? -1.0 : poisson ? between(random) : 1 / rate; });
  load.Print();
  return 0;
}
