// ShortcutOffers: which named allreduces need no negotiation any more, because all ranks have asked for the same twice.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "horovod/communicator.h"

namespace headrace::hvd {

class ShortcutOffers {
 public:
  // room: bytes of one rank, 0: nothing is offered. remembered: names.
  ShortcutOffers(size_t ranks, size_t room, size_t remembered) : ranks_(ranks), room_(room), remembered_(remembered) {}

  // All ranks have asked for it: the place of its shortcut from now on, or -1.
  int64_t Offer(const Collective& collective);
  // A rank has asked for something of the name through the negotiation: it has another wish. A name that was taken back
  // is not offered again.
  void TakeBack(const std::string& name);
  void TakeBackAll();
  // Since the last call.
  std::vector<std::string> TakenBack();

 private:
  void Remember(const std::string& name, std::string description);

  const size_t ranks_, room_, remembered_;
  size_t used_ = 0;
  std::map<std::string, std::string> seen_;  // name and what was asked for
  std::deque<std::string> order_;            // of seen_, the oldest first
  std::set<std::string> offered_, refused_;
  std::vector<std::string> taken_back_;
};

}  // namespace headrace::hvd
