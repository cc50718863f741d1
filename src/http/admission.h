// Admission: the connections of a server, and which of them goes when there are too many.
//
// A connection is a stranger's until a handler has found out who asks (Request::Trust). Strangers never get the places
// that are kept for the others, so whoever opens connections without a key pushes out only strangers: the one that has
// kept the server waiting first. Only where no stranger can go, the others' longest idle connection does.
#pragma once

#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>

#include <boost/asio/any_io_executor.hpp>

#include "http/connection.h"

namespace headrace::http {

// Thread-safe.
class Admission {
 public:
  // `most` connections at a time, of which strangers get all but `kept` (half at most).
  Admission(size_t most, size_t kept);

  struct Guest {
    boost::asio::any_io_executor strand;
    std::shared_ptr<Connection> connection;
    enum class Kind { kStranger, kTrusted, kLeaving } kind = Kind::kStranger;
  };
  using Place = std::list<Guest>::iterator;

  // Whether one more may come. Tells somebody to go where that makes the room; he needs a moment, see Crowded.
  bool MakeRoom();
  // Too many of those who were told to go are still there: the next one must wait.
  bool Crowded() const;
  // Tells somebody to go whatever the number is, for the sake of his descriptors. False when nobody can.
  bool SendOneAway();

  Place Add(Guest guest);
  void Remove(Place place);
  size_t size() const;
  size_t most() const { return most_; }

  void ForEach(void (*act)(Connection&));  // on each one's strand
  // Waits until all are gone; false when that takes longer than `limit`.
  bool AwaitNone(std::chrono::milliseconds limit);

 private:
  using Guests = std::list<Guest>;
  Guests& ListOf(Guest::Kind kind);
  size_t Present() const { return strangers_.size() + trusted_.size(); }
  void MoveTrusted();
  bool SendStrangerAway();
  bool SendIdleAway();
  void SendAway(Guests& from, Place place);
  void Keep(const Connection& connection);

  const size_t most_, for_strangers_, overlap_;
  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable none_left_;
  // Strangers in the order they came. Who is trusted meanwhile is moved when he is met.
  Guests strangers_, trusted_, leaving_;
};

}  // namespace headrace::http
