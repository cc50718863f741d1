// Who is signed in to the console. A session is a random identifier in the browser's cookie and, here in memory, the
// temporary credentials that its requests are signed with: a server that starts again has no sessions.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "aws/sign.h"
#include "base/clock.h"

namespace headrace::api::console {

struct SignedIn {
  std::string user, account_id;
  aws::Credentials credentials;  // temporary; they end with the session at the latest
};

inline constexpr int64_t kIdleMillis = INT64_C(30) * 60 * 1000;       // without a request: the session ends
inline constexpr int64_t kSessionMillis = INT64_C(12) * 3600 * 1000;  // it ends in any case
inline constexpr int64_t kTicketMillis = INT64_C(60) * 1000;          // until a sign-in link must have been opened
inline constexpr size_t kMostSessions = 1000;                         // one more ends the one that was idle longest

// Thread-safe. `steady` counts milliseconds and is set by nobody (BootClock).
class Sessions {
 public:
  explicit Sessions(const Clock& steady) : steady_(steady) {}

  // A new session's identifier: 256 random bits.
  std::string Open(SignedIn who);
  // Who a session is; it counts as used now.
  std::optional<SignedIn> Find(std::string_view id);
  void Close(std::string_view id);

  // A ticket opens one session, once.
  std::string MakeTicket(SignedIn who);
  std::optional<SignedIn> Redeem(std::string_view ticket);

 private:
  struct Entry {
    SignedIn who;
    UnixMillis used = 0, ends = 0;
  };
  using Table = std::map<std::string, Entry, std::less<>>;
  std::string Insert(Table& table, SignedIn who, int64_t lifetime_ms);
  void DropEnded(Table& table) const;

  const Clock& steady_;
  std::mutex mutex_;
  Table sessions_, tickets_;
};

}  // namespace headrace::api::console
