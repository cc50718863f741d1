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

// Several transfers, and a wait for them that has an end.
class Transfers {
 public:
  Transfers(const Settings& settings, const Clock& clock, std::function<Status()> interrupted)
      : settings_(settings), clock_(clock), interrupted_(std::move(interrupted)) {}

  // `peer` is named when it does not come.
  Status Add(Result<std::unique_ptr<Transfer>> transfer, int peer);
  size_t size() const { return all_.size(); }
  // Until the first `count` that were added are done; `each` is called once for every transfer, in the order in which
  // they were added. `what`: for messages.
  Status Wait(const std::string& what, const std::function<Status(size_t)>& each = nullptr);

 private:
  struct Entry {
    std::unique_ptr<Transfer> transfer;
    int peer;
  };
  const Settings& settings_;
  const Clock& clock_;
  const std::function<Status()> interrupted_;
  std::vector<Entry> all_;
};

struct LinkedReduction {
  std::byte* data = nullptr;  // the machine's sum; becomes the sum of all machines
  int64_t count = 0;
  DataType dtype = DataType::kFloat32;
  ReduceOp op = ReduceOp::kSum;  // kSum, kMin, kMax, kProduct
  double scale = 1;              // applied to the result
  Compression compression = Compression::kNone;
  std::string what;  // for messages
};

class MachineLinks {
 public:
  // `leaders`: one rank of each machine, in an order that all agree on; this one's place is `self`. `interrupted` is
  // asked while waiting: an error ends the wait.
  MachineLinks(Transport& transport, Lane lane, std::vector<int> leaders, size_t self, const Settings& settings,
               const Clock& clock, std::function<Status()> interrupted);

  // All leaders call it with the same sizes. The same bits on all machines: values are added in the order of the
  // leaders.
  Status Allreduce(const LinkedReduction& reduction);

  Transfers NewTransfers() const { return {settings_, clock_, interrupted_}; }

 private:
  // Everybody gets everything and adds it up: one message each way.
  Status ExchangeAll(const LinkedReduction& reduction);
  // Each leader adds up one slice and hands it out, piece after piece.
  Status ExchangeSlices(const LinkedReduction& reduction);

  Transport& transport_;
  const Lane lane_;
  const std::vector<int> leaders_;
  const size_t self_;
  const Settings& settings_;
  const Clock& clock_;
  const std::function<Status()> interrupted_;
  std::vector<std::byte> received_, packed_, reduced_;  // kept from call to call
};

}  // namespace headrace::hvd
