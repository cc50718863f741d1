#include "http/admission.h"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace headrace::http {
namespace {

namespace net = boost::asio;
using Kind = Admission::Guest::Kind;

// Where nobody is ever trusted, whose request is being handled may keep the server waiting for its body that long.
constexpr std::chrono::milliseconds kPatience{1000};

}  // namespace

Admission::Admission(size_t most, size_t kept)
    : most_(std::max<size_t>(most, 1)),
      for_strangers_(std::max<size_t>(most_ - std::min(kept, most_ / 2), 1)),
      overlap_(std::clamp<size_t>(most_ / 8, 1, 64)),
      patience_(kept == 0 ? kPatience : std::chrono::milliseconds(0)) {}

bool Admission::MakeRoom() {
  const std::lock_guard lock(mutex_);
  if (strangers_.size() < for_strangers_ && Present() < most_) return true;
  MoveTrusted();
  if (strangers_.size() < for_strangers_ && Present() < most_) return true;
  return SendStrangerAway() || Present() < most_ || SendIdleAway();
}

bool Admission::SendOneAway() {
  const std::lock_guard lock(mutex_);
  MoveTrusted();
  return SendStrangerAway() || SendIdleAway();
}

bool Admission::Crowded() const {
  const std::lock_guard lock(mutex_);
  return leaving_.size() > overlap_;
}

// Those at the front: each guest is moved once, so that the work is little however many there are.
void Admission::MoveTrusted() {
  while (!strangers_.empty() && strangers_.front().connection->trusted()) {
    strangers_.front().kind = Kind::kTrusted;
    trusted_.splice(trusted_.end(), strangers_, strangers_.begin());
  }
}

bool Admission::SendStrangerAway() {
  const auto now = std::chrono::steady_clock::now();
  for (const bool handled : {false, true}) {
    const auto since = now - (handled ? patience_ : std::chrono::milliseconds(0));
    for (auto guest = strangers_.begin(); guest != strangers_.end(); ++guest) {
      const Connection& connection = *guest->connection;
      if (connection.trusted() || !connection.WaitsSince(since, handled)) continue;
      SendAway(strangers_, guest);
      return true;
    }
  }
  return false;
}

bool Admission::SendIdleAway() {
  Guests* from = nullptr;
  Place longest;
  int64_t since = 0;
  for (Guests* guests : {&strangers_, &trusted_}) {
    for (auto guest = guests->begin(); guest != guests->end(); ++guest) {
      const int64_t idle = guest->connection->idle_since();
      if (idle == 0 || (from != nullptr && idle >= since)) continue;
      from = guests;
      longest = guest;
      since = idle;
    }
  }
  if (from != nullptr) SendAway(*from, longest);
  return from != nullptr;
}

// By the time it hears of it, it may have become trusted or begun to work: then it stays after all.
void Admission::SendAway(Guests& from, Place place) {
  const bool stranger = place->kind == Kind::kStranger && !place->connection->trusted();
  place->kind = Kind::kLeaving;
  leaving_.splice(leaving_.end(), from, place);
  net::post(place->strand, [this, connection = place->connection, stranger] {
    if (stranger && !connection->trusted()) return connection->Cut();
    if (!connection->StopWhenIdle()) Keep(*connection);
  });
}

void Admission::Keep(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  const auto place =
      std::ranges::find_if(leaving_, [&](const Guest& guest) { return guest.connection.get() == &connection; });
  if (place == leaving_.end()) return;
  place->kind = Kind::kTrusted;
  trusted_.splice(trusted_.end(), leaving_, place);
}

Admission::Guests& Admission::ListOf(Kind kind) {
  if (kind == Kind::kStranger) return strangers_;
  return kind == Kind::kTrusted ? trusted_ : leaving_;
}

Admission::Place Admission::Add(Guest guest) {
  const std::lock_guard lock(mutex_);
  return strangers_.insert(strangers_.end(), std::move(guest));
}

void Admission::Remove(Place place) {
  const std::lock_guard lock(mutex_);
  ListOf(place->kind).erase(place);
  if (Present() + leaving_.size() == 0) none_left_.notify_all();
}

size_t Admission::size() const {
  const std::lock_guard lock(mutex_);
  return Present() + leaving_.size();
}

void Admission::ForEach(void (*act)(Connection&)) {
  const std::lock_guard lock(mutex_);
  for (const Guests* guests : {&strangers_, &trusted_, &leaving_})
    for (const Guest& guest : *guests)
      net::post(guest.strand, [act, connection = guest.connection] { act(*connection); });
}

bool Admission::AwaitNone(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return none_left_.wait_for(lock, limit, [this] { return Present() + leaving_.size() == 0; });
}

}  // namespace headrace::http
