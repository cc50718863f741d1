// Transport: messages between all ranks of the job, wherever they are. MPI between processes (mpi/), queues between the
// threads of a test (threads/). Nothing here waits, except Exchange.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "horovod/communicator.h"

namespace headrace::hvd {

// Bulk transfers of one purpose; two ranks start those of one lane in the same order. Each shortcut has a lane of its
// own.
enum class Lane : int { kPlans, kCollectives, kFirstShortcut };

// One bulk transfer that is under way. Destroying it before it is done is for when the other side will not do its part,
// or the group has failed: a receive writes nothing any more.
class Transfer {
 public:
  virtual ~Transfer() = default;
  virtual Result<bool> Done() = 0;
};

struct Message {
  int from = 0;
  std::string bytes;
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual const Place& place() const = 0;

  // Everyone's text, by rank. All ranks call it, one thread each, before the background threads run. Waits for all.
  virtual Result<std::vector<std::string>> Exchange(const std::string& mine) = 0;

  // Control messages arrive whole, and those of one sender in order.
  virtual Status Send(int to, std::string bytes) = 0;
  virtual Result<std::optional<Message>> Receive() = 0;

  // Any size; the other side names the same. The memory is the caller's until the transfer is done.
  virtual Result<std::unique_ptr<Transfer>> StartSend(Lane lane, int to, const void* data, size_t bytes) = 0;
  virtual Result<std::unique_ptr<Transfer>> StartReceive(Lane lane, int from, void* data, size_t bytes) = 0;

  // Waits until all messages are on their way, and ends what was started for the transport. Nothing is called after it.
  virtual void Finish() = 0;
};

}  // namespace headrace::hvd
