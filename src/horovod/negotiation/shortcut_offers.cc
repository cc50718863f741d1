#include "horovod/negotiation/shortcut_offers.h"

#include <utility>

#include "horovod/negotiation/messages.h"

namespace headrace::hvd {

int64_t ShortcutOffers::Offer(const Collective& collective) {
  const size_t bytes = Shortcut::BytesFor(collective, places_);
  if (bytes == 0 || bytes > places_.room - used_ || refused_.contains(collective.name)) return -1;
  std::string description = Encode(Request{RequestKind::kCollective, collective});
  const auto seen = seen_.find(collective.name);
  if (seen == seen_.end() || seen->second != description) {
    Remember(collective.name, std::move(description));
    return -1;
  }
  offered_.insert(collective.name);
  return static_cast<int64_t>(std::exchange(used_, used_ + bytes));
}

// Names that never come again must not fill the memory.
void ShortcutOffers::Remember(const std::string& name, std::string description) {
  if (remembered_ == 0) return;
  if (seen_.insert_or_assign(name, std::move(description)).second) order_.push_back(name);
  if (order_.size() <= remembered_) return;
  seen_.erase(order_.front());
  order_.pop_front();
}

void ShortcutOffers::TakeBack(const std::string& name, int64_t rounds) {
  if (offered_.erase(name) == 0) return;
  refused_.insert(name);
  taken_back_.push_back({name, rounds});
}

std::vector<ShortcutOffers::Taken> ShortcutOffers::TakenBack() { return std::exchange(taken_back_, {}); }

}  // namespace headrace::hvd
