#include "api/console/sessions.h"

#include <algorithm>
#include <utility>

#include "store/random.h"

namespace headrace::api::console {
namespace {

constexpr size_t kIdDigits = 64;  // hexadecimal: 256 bits

}  // namespace

std::string Sessions::Open(SignedIn who) {
  const std::lock_guard lock(mutex_);
  return Insert(sessions_, std::move(who), kSessionMillis);
}

std::string Sessions::MakeTicket(SignedIn who) {
  const std::lock_guard lock(mutex_);
  return Insert(tickets_, std::move(who), kTicketMillis);
}

std::optional<SignedIn> Sessions::Find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  DropEnded(sessions_);
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return std::nullopt;
  found->second.used = steady_.Now();
  return found->second.who;
}

void Sessions::Close(std::string_view id) {
  const std::lock_guard lock(mutex_);
  if (const auto found = sessions_.find(id); found != sessions_.end()) sessions_.erase(found);
}

std::optional<SignedIn> Sessions::Redeem(std::string_view ticket) {
  const std::lock_guard lock(mutex_);
  DropEnded(tickets_);
  const auto found = tickets_.find(ticket);
  if (found == tickets_.end()) return std::nullopt;
  SignedIn who = std::move(found->second.who);
  tickets_.erase(found);
  return who;
}

std::string Sessions::Insert(Table& table, SignedIn who, int64_t lifetime_ms) {
  DropEnded(table);
  if (table.size() >= kMostSessions)
    table.erase(std::min_element(table.begin(), table.end(),
                                 [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
  std::string id = store::RandomText(store::kHexDigits, kIdDigits);
  const UnixMillis now = steady_.Now();
  table.emplace(id, Entry{std::move(who), now, now + lifetime_ms});
  return id;
}

void Sessions::DropEnded(Table& table) const {
  const UnixMillis now = steady_.Now();
  std::erase_if(
      table, [now](const auto& entry) { return now >= entry.second.ends || now - entry.second.used >= kIdleMillis; });
}

}  // namespace headrace::api::console
