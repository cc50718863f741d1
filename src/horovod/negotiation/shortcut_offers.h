// ShortcutOffers: which named allreduces need no negotiation any more, because all ranks have asked for the same twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "horovod/communicator.h"
#include "horovod/shortcut.h"

namespace headrace::hvd {

class ShortcutOffers {
 public:
  // Where `places` has no room nothing is offered. remembered: names.
  ShortcutOffers(const ShortcutPlaces& places, size_t remembered) : places_(places), remembered_(remembered) {}

  // All ranks have asked for it: the place of its shortcut from now on, or -1.
  int64_t Offer(const Collective& collective);
  // A rank has begun so many rounds on the name's shortcut, and begins no more. A name that was taken back is not
  // offered again.
  void TakeBack(const std::string& name, int64_t rounds);
  struct Taken {
    std::string name;
    int64_t rounds;
  };
  // Since the last call.
  std::vector<Taken> TakenBack();

 private:
  void Remember(const std::string& name, std::string description);

  const ShortcutPlaces places_;
  const size_t remembered_;
  size_t used_ = 0;
  std::map<std::string, std::string> seen_;  // name and what was asked for
  std::deque<std::string> order_;            // of seen_, the oldest first
  std::set<std::string> offered_, refused_;
  std::vector<Taken> taken_back_;
};

}  // namespace headrace::hvd
