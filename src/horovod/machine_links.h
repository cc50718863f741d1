// MachineLinks: what one rank of each machine does for all of its machine: it exchanges sums with those of the others.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "horovod/settings.h"
#include "horovod/stall_watch.h"
#include "horovod/transport.h"

namespace headrace::hvd {

// How messages call ranks: this one, and the host of each.
struct RankNames {
  std::string self;
  std::vector<std::string> hosts;
};

// What a wait is for, asked when a message needs it: "allreduce \"loss\"".
using Purpose = std::function<std::string()>;

// Several transfers, and a wait for them that has an end.
class Transfers {
 public:
  Transfers(const Settings& settings, const Clock& clock, std::function<Status()> interrupted, const RankNames& names)
      : settings_(settings), clock_(clock), interrupted_(std::move(interrupted)), names_(names) {}

  // `peer` is named when it does not come.
  Status Add(Result<std::unique_ptr<Transfer>> transfer, int peer);
  void Reserve(size_t transfers) { all_.reserve(transfers); }
  size_t size() const { return all_.size(); }
  bool all_done() const { return done_ == all_.size(); }
  int peer() const { return all_[done_].peer; }  // of the transfer that is waited for
  // Whether one more is done: the next one, in the order in which they were added.
  Result<bool> NextIsDone();
  Status Wait(const Purpose& what);
  void Clear() {
    all_.clear();
    done_ = 0;
  }

 private:
  struct Entry {
    std::unique_ptr<Transfer> transfer;
    int peer;
  };
  const Settings& settings_;
  const Clock& clock_;
  const std::function<Status()> interrupted_;
  const RankNames& names_;
  std::vector<Entry> all_;
  size_t done_ = 0;
};

struct LinkedReduction {
  std::byte* data = nullptr;  // the machine's sum; becomes the sum of all machines
  int64_t count = 0;
  DataType dtype = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;  // kSum, kMin, kMax, kProduct
  double scale = 1;              // applied to the result
  Compression compression = Compression::kNone;
  Purpose what;
};

enum class Advanced { kNothing, kMoved, kOver };

// One reduction that is under way.
class LinkedExchange {
 public:
  virtual ~LinkedExchange() = default;
  // Does what can be done at once.
  virtual Result<Advanced> Advance() = 0;
  virtual int peer() const = 0;  // the rank that is waited for
};

class MachineLinks {
 public:
  // `leaders`: one rank of each machine, in an order that all agree on; this one's place is `self`. `interrupted` is
  // asked while waiting: an error ends the wait.
  MachineLinks(Transport& transport, Lane lane, std::vector<int> leaders, size_t self, const Settings& settings,
               const Clock& clock, std::function<Status()> interrupted, RankNames names);

  // All leaders call it with the same sizes, for one reduction after the other. The same bits on all machines: values
  // are added in the order of the leaders. `reduction` and its memory are the caller's until it is over.
  Result<std::unique_ptr<LinkedExchange>> Start(const LinkedReduction& reduction);
  // Whether all messages of a sum of so many bytes leave at once, whatever the other machines do meanwhile.
  static bool LeavesAtOnce(size_t bytes, size_t machines);
  // Start, and all that follows.
  Status Allreduce(const LinkedReduction& reduction);
  // Of an exchange that is waited for.
  Status Check(const LinkedExchange& exchange, StallWatch& watch) const;

  Transfers NewTransfers() const { return {settings_, clock_, interrupted_, names_}; }

 private:
  // Everybody gets everything: with two machines as many bytes as the other way, and one message fewer to wait for.
  class NoExchange;
  class PieceExchange;
  class SliceExchange;

  Status Send(Transfers& transfers, size_t leader, const std::byte* data, size_t bytes);
  Status Receive(Transfers& transfers, size_t leader, std::byte* data, size_t bytes);

  Transport& transport_;
  const Lane lane_;
  const std::vector<int> leaders_;
  const size_t self_;
  const Settings& settings_;
  const Clock& clock_;
  const std::function<Status()> interrupted_;
  const RankNames names_;
  std::vector<std::byte> received_, packed_, reduced_;  // kept from call to call
};

}  // namespace headrace::hvd
