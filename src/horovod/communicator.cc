#include "horovod/communicator.h"

namespace headrace::hvd {

const char* NameOf(CollectiveType type) {
  switch (type) {
    case CollectiveType::kAllreduce:
      return "allreduce";
    case CollectiveType::kAllgather:
      return "allgather";
    case CollectiveType::kBroadcast:
      return "broadcast";
    case CollectiveType::kJoin:
      return "join";
    case CollectiveType::kAlltoall:
      return "alltoall";
    case CollectiveType::kBarrier:
      return "barrier";
    case CollectiveType::kReducescatter:
      return "reducescatter";
  }
  return "?";
}

Result<Outcome> Run(Communicator& communicator, Collective collective) {
  HEADRACE_ASSIGN(const Handle handle, communicator.Enqueue(std::move(collective)));
  return communicator.Synchronize(handle);
}

}  // namespace headrace::hvd
