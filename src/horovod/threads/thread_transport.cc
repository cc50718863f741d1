#include "horovod/threads/thread_transport.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <tuple>

namespace headrace::hvd {
namespace {

using Way = std::tuple<Lane, int, int>;  // sender and receiver

// The transfers of one way, numbered on both sides.
struct Pipe {
  uint64_t sent = 0, expected = 0;
  std::map<uint64_t, std::string> waiting;
};

// What the transports of a world share.
struct Post {
  explicit Post(size_t size) : control(size), texts(size) {}

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::deque<Message>> control;  // by receiver
  std::map<Way, Pipe> pipes;
  std::vector<std::string> texts;  // of the Exchange under way
  std::vector<std::string> exchanged;
  size_t arrived = 0, round = 0;
};

class Sent : public Transfer {
 public:
  Result<bool> Done() override { return true; }
};

class Receiving : public Transfer {
 public:
  Receiving(std::shared_ptr<Post> post, Way way, void* data, size_t bytes)
      : post_(std::move(post)), way_(way), data_(data), bytes_(bytes) {
    const std::lock_guard lock(post_->mutex);
    number_ = post_->pipes[way_].expected++;
  }

  Result<bool> Done() override {
    if (done_) return true;
    const std::lock_guard lock(post_->mutex);
    auto& waiting = post_->pipes[way_].waiting;
    const auto found = waiting.find(number_);
    if (found == waiting.end()) return false;
    if (found->second.size() != bytes_)
      return Fail(ErrorCode::kInternal, "transfer: found {} bytes, wanted {}", found->second.size(), bytes_);
    if (bytes_ > 0) std::memcpy(data_, found->second.data(), bytes_);
    waiting.erase(found);
    return done_ = true;
  }

 private:
  const std::shared_ptr<Post> post_;
  const Way way_;
  void* const data_;
  const size_t bytes_;
  uint64_t number_ = 0;
  bool done_ = false;
};

Place PlaceAmong(const std::vector<std::string>& hosts, size_t rank) {
  const auto count = [&](const std::string& host, size_t end) {
    return static_cast<int>(std::count(hosts.begin(), hosts.begin() + static_cast<long>(end), host));
  };
  Place place;
  place.rank = static_cast<int>(rank);
  place.size = static_cast<int>(hosts.size());
  place.host = hosts[rank];
  place.local_rank = count(hosts[rank], rank);
  place.local_size = count(hosts[rank], hosts.size());
  place.cross_size = 0;
  for (size_t other = 0; other < hosts.size(); ++other) {
    if (count(hosts[other], hosts.size()) != place.local_size) place.homogeneous = false;
    if (count(hosts[other], other) != place.local_rank) continue;
    if (other < rank) ++place.cross_rank;
    ++place.cross_size;
  }
  return place;
}

class ThreadTransport : public Transport {
 public:
  ThreadTransport(std::shared_ptr<Post> post, Place place) : post_(std::move(post)), place_(std::move(place)) {}

  const Place& place() const override { return place_; }

  Result<std::vector<std::string>> Exchange(const std::string& mine) override {
    std::unique_lock lock(post_->mutex);
    const size_t round = post_->round;
    post_->texts[static_cast<size_t>(place_.rank)] = mine;
    if (++post_->arrived == post_->texts.size()) {
      post_->exchanged = post_->texts;
      post_->arrived = 0;
      ++post_->round;
      post_->changed.notify_all();
    }
    post_->changed.wait(lock, [&] { return post_->round != round; });
    return post_->exchanged;
  }

  Status Send(int to, std::string bytes) override {
    const std::lock_guard lock(post_->mutex);
    post_->control[static_cast<size_t>(to)].push_back({place_.rank, std::move(bytes)});
    return {};
  }

  Result<std::optional<Message>> Receive() override {
    const std::lock_guard lock(post_->mutex);
    auto& queue = post_->control[static_cast<size_t>(place_.rank)];
    if (queue.empty()) return std::optional<Message>();
    std::optional<Message> message(std::move(queue.front()));
    queue.pop_front();
    return message;
  }

  Result<std::unique_ptr<Transfer>> StartSend(Lane lane, int to, const void* data, size_t bytes) override {
    const std::lock_guard lock(post_->mutex);
    Pipe& pipe = post_->pipes[{lane, place_.rank, to}];
    pipe.waiting.emplace(pipe.sent++, std::string(static_cast<const char*>(data), bytes));
    return std::unique_ptr<Transfer>(std::make_unique<Sent>());
  }

  Result<std::unique_ptr<Transfer>> StartReceive(Lane lane, int from, void* data, size_t bytes) override {
    return std::unique_ptr<Transfer>(std::make_unique<Receiving>(post_, Way(lane, from, place_.rank), data, bytes));
  }

  void Finish() override {}

 private:
  const std::shared_ptr<Post> post_;
  const Place place_;
};

}  // namespace

std::vector<std::unique_ptr<Transport>> MakeThreadTransports(const std::vector<std::string>& hosts) {
  const auto post = std::make_shared<Post>(hosts.size());
  std::vector<std::unique_ptr<Transport>> transports;
  for (size_t rank = 0; rank < hosts.size(); ++rank)
    transports.push_back(std::make_unique<ThreadTransport>(post, PlaceAmong(hosts, rank)));
  return transports;
}

}  // namespace headrace::hvd
