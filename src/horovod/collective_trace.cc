#include "horovod/collective_trace.h"

#include <cctype>

#include <fmt/ranges.h>

namespace headrace::hvd {
namespace {

std::string Uppercase(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace

void CollectiveTrace::Enqueued(const Collective& collective) const {
  if (Timeline* timeline = timeline_.load())
    timeline->Begin(collective.name, "NEGOTIATE_" + Uppercase(NameOf(collective.type)));
}

void CollectiveTrace::AskedBy(int rank, const std::string& name) const {
  if (Timeline* timeline = timeline_.load()) timeline->Mark(name, std::to_string(rank));
}

void CollectiveTrace::Began(const std::vector<const Collective*>& parts, bool remote) const {
  Timeline* timeline = timeline_.load();
  if (timeline == nullptr) return;
  for (const Collective* part : parts) {
    if (part == nullptr) continue;
    const std::string type = Uppercase(NameOf(part->type));
    timeline->End(part->name);
    timeline->Begin(part->name, type);
    timeline->Begin(part->name, (remote ? "MPI_" : "SHARED_MEMORY_") + type);
  }
}

void CollectiveTrace::Ended(const std::vector<const Collective*>& parts) const {
  Timeline* timeline = timeline_.load();
  if (timeline == nullptr) return;
  for (const Collective* part : parts) {
    if (part == nullptr) continue;
    timeline->End(part->name);
    timeline->End(part->name, NameOf(part->dtype), fmt::format("[{}]", fmt::join(part->shape, ", ")));
  }
}

}  // namespace headrace::hvd
