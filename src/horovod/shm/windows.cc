#include "horovod/shm/windows.h"

#include <algorithm>
#include <optional>

namespace headrace::hvd {

size_t Windows::BytesFor(int members) {
  const auto count = static_cast<size_t>(members);
  return count * 2 * kBytes + count * count * sizeof(Flag);
}

Windows::Windows(Segment segment, Machine& machine)
    : segment_(std::move(segment)),
      machine_(machine),
      sent_(static_cast<size_t>(machine.size())),
      seen_(static_cast<size_t>(machine.size())) {}

Flag& Windows::signal(int from, int to) const {
  auto* flags = reinterpret_cast<Flag*>(segment_.data() + static_cast<size_t>(machine_.size()) * 2 * kBytes);
  return flags[from * machine_.size() + to];
}

Status Windows::Barrier(const std::vector<int>& members, const std::string& what,
                        const std::function<Status()>& interrupted) {
  const int self = machine_.index();
  for (const int member : members)
    if (member != self) signal(self, member).Raise(++sent_[static_cast<size_t>(member)]);
  machine_.Ring(Bell::kBackground);
  for (const int member : members)
    if (member != self) ++seen_[static_cast<size_t>(member)];
  const auto came = [&](int member) {
    return member == self || signal(member, self).Reached(seen_[static_cast<size_t>(member)]);
  };
  std::optional<StallWatch> watch;
  return machine_.Await(
      Bell::kBackground, [&] { return std::all_of(members.begin(), members.end(), came); },
      [&]() -> Status {
        HEADRACE_TRY(interrupted());
        std::vector<int> missing;
        for (const int member : members)
          if (!came(member)) missing.push_back(member);
        if (!watch) watch.emplace(machine_.Watch(what));
        return watch->Check(machine_.Describe(missing), true);
      });
}

}  // namespace headrace::hvd
