#include "horovod/keras/plan_check.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "horovod/keras/hash.h"

namespace headrace::hvd {
namespace {

// Entries as text: each string behind its length, so that any character may stand in it.
std::string Encode(const std::vector<PlanEntry>& entries) {
  std::string text;
  const auto append = [&text](const std::string& part) { text += std::to_string(part.size()) + ":" + part; };
  for (const PlanEntry& entry : entries) {
    append(entry.what);
    append(entry.value);
  }
  return text;
}

// Of Encode()'s own output.
std::vector<PlanEntry> Decode(std::string_view text) {
  std::vector<PlanEntry> entries;
  const auto next = [&text] {
    const size_t colon = text.find(':');
    const size_t length = std::stoul(std::string(text.substr(0, colon)));
    std::string part(text.substr(colon + 1, length));
    text.remove_prefix(colon + 1 + length);
    return part;
  };
  while (!text.empty()) {
    PlanEntry entry;
    entry.what = next();
    entry.value = next();
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<std::vector<std::byte>> GatherBytes(Communicator& communicator, const std::string& name, const void* data,
                                           size_t bytes) {
  Collective gather{.type = CollectiveType::kAllgather, .name = name, .dtype = DataType::kUInt8};
  gather.shape = {static_cast<int64_t>(bytes)};
  gather.input = data;
  HEADRACE_ASSIGN(Outcome outcome, Run(communicator, std::move(gather)));
  return std::move(outcome.output);
}

template <typename T>
std::vector<T> As(const std::vector<std::byte>& bytes) {
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

}  // namespace

std::string Difference(int rank, const std::vector<PlanEntry>& of_rank, const std::vector<PlanEntry>& of_root) {
  for (size_t i = 0; i < std::max(of_rank.size(), of_root.size()); ++i) {
    if (i >= of_rank.size())
      return fmt::format("rank 0 has {}: {}; rank {} has nothing like it", of_root[i].what, of_root[i].value, rank);
    if (i >= of_root.size())
      return fmt::format("rank {} has {}: {}; rank 0 has nothing like it", rank, of_rank[i].what, of_rank[i].value);
    if (of_rank[i].what != of_root[i].what)
      return fmt::format("rank {} has {}: {} where rank 0 has {}: {}", rank, of_rank[i].what, of_rank[i].value,
                         of_root[i].what, of_root[i].value);
    if (of_rank[i].value != of_root[i].value)
      return fmt::format("{}: found {} on rank {} and {} on rank 0", of_rank[i].what, of_rank[i].value, rank,
                         of_root[i].value);
  }
  return "";
}

Status CompareAcrossRanks(Communicator& communicator, const std::string& name, const std::vector<PlanEntry>& entries,
                          const std::string& remedy) {
  if (communicator.place().size == 1) return {};
  const std::string text = Encode(entries);
  const uint64_t mine[2] = {Hash(text.data(), text.size()), text.size()};
  HEADRACE_ASSIGN(const auto hash_bytes, GatherBytes(communicator, name + ".hash", mine, sizeof(mine)));
  const auto hashes = As<uint64_t>(hash_bytes);
  const auto same = [&](size_t rank) { return hashes[2 * rank] == hashes[0] && hashes[2 * rank + 1] == hashes[1]; };
  const size_t ranks = hashes.size() / 2;
  size_t other = 1;
  while (other < ranks && same(other)) ++other;
  if (other == ranks) return {};

  HEADRACE_ASSIGN(const auto texts, GatherBytes(communicator, name + ".text", text.data(), text.size()));
  std::vector<std::vector<PlanEntry>> of_ranks;
  size_t at = 0;
  for (size_t rank = 0; rank < ranks; ++rank) {
    of_ranks.push_back(Decode({reinterpret_cast<const char*>(texts.data()) + at, hashes[2 * rank + 1]}));
    at += hashes[2 * rank + 1];
  }
  return Fail(ErrorCode::kInvalidArgument, "the ranks differ in {}{}",
              Difference(static_cast<int>(other), of_ranks[other], of_ranks[0]), remedy);
}

}  // namespace headrace::hvd
