// MachineLinks: what one rank of each machine does for all of its machine: it exchanges sums with those of the others.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "horovod/settings.h"
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
  Transfers(const Settings& settings, const Clock& clock, std::function<Status()> interrupted,
            std::function<bool()> hurried, const RankNames& names)
      : settings_(settings),
        clock_(clock),
        interrupted_(std::move(interrupted)),
        hurried_(std::move(hurried)),
        names_(names) {}

  // `peer` is named when it does not come.
  Status Add(Result<std::unique_ptr<Transfer>> transfer, int peer);
  size_t size() const { return all_.size(); }
  // Until all are done; `each` is called once for every transfer, in the order in which they were added, and may add
  // more.
  Status Wait(const Purpose& what, const std::function<Status(size_t)>& each = nullptr);

 private:
  struct Entry {
    std::unique_ptr<Transfer> transfer;
    int peer;
  };
  const Settings& settings_;
  const Clock& clock_;
  const std::function<Status()> interrupted_;
  const std::function<bool()> hurried_;
  const RankNames names_;
  std::vector<Entry> all_;
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

class MachineLinks {
 public:
  // `leaders`: one rank of each machine, in an order that all agree on; this one's place is `self`. `interrupted` is
  // asked while waiting: an error ends the wait.
  MachineLinks(Transport& transport, Lane lane, std::vector<int> leaders, size_t self, const Settings& settings,
               const Clock& clock, std::function<Status()> interrupted, RankNames names);

  // All leaders call it with the same sizes. The same bits on all machines: values are added in the order of the
  // leaders.
  Status Allreduce(const LinkedReduction& reduction);

  // Whether somebody has nothing to do but wait for this: then it keeps the processor busy for longer before it sleeps.
  void set_hurried(std::function<bool()> hurried) { hurried_ = std::move(hurried); }

  Transfers NewTransfers() const { return {settings_, clock_, interrupted_, hurried_, names_}; }

 private:
  // Everybody gets everything: with two machines as many bytes as the other way, and one message fewer to wait for.
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
  std::function<bool()> hurried_ = [] { return true; };
  const RankNames names_;
  std::vector<std::byte> received_, packed_, reduced_;  // kept from call to call
};

}  // namespace headrace::hvd
