#include "horovod/comparison.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "horovod/hash.h"
#include "horovod/negotiation/wire.h"

namespace headrace::hvd {
namespace {

std::string Encode(const std::vector<Fact>& facts) {
  Writer out;
  for (const Fact& fact : facts) {
    out.Text(fact.what);
    out.Text(fact.value);
  }
  return out.Take();
}

std::vector<Fact> Decode(std::string_view text) {
  std::vector<Fact> facts;
  for (Reader in(text); in.ok() && !in.at_end();) {
    Fact fact;
    fact.what = in.Text();
    fact.value = in.Text();
    facts.push_back(std::move(fact));
  }
  return facts;
}

std::string Difference(const std::string& rank, const std::vector<Fact>& of_rank, const std::string& root,
                       const std::vector<Fact>& of_root) {
  for (size_t i = 0; i < std::max(of_rank.size(), of_root.size()); ++i) {
    if (i >= of_rank.size())
      return fmt::format("{} has {}: {}; {} has nothing like it", root, of_root[i].what, of_root[i].value, rank);
    if (i >= of_root.size())
      return fmt::format("{} has {}: {}; {} has nothing like it", rank, of_rank[i].what, of_rank[i].value, root);
    if (of_rank[i].what != of_root[i].what)
      return fmt::format("{} has {}: {} where {} has {}: {}", rank, of_rank[i].what, of_rank[i].value, root,
                         of_root[i].what, of_root[i].value);
    if (of_rank[i].value != of_root[i].value)
      return fmt::format("{}: found {} on {} and {} on {}", of_rank[i].what, of_rank[i].value, rank, of_root[i].value,
                         root);
  }
  return "";
}

Result<std::vector<std::byte>> Gather(Communicator& communicator, std::string name, const void* data, size_t bytes) {
  Collective gather{.type = CollectiveType::kAllgather, .name = std::move(name), .dtype = DataType::kUInt8};
  gather.shape = {static_cast<int64_t>(bytes)};
  gather.input = data;
  HEADRACE_ASSIGN(Outcome outcome, Run(communicator, std::move(gather)));
  return std::move(outcome.output);
}

}  // namespace

Result<std::vector<std::string>> GatherTexts(Communicator& communicator, const std::string& name,
                                             const std::string& mine) {
  const uint64_t length = mine.size();
  HEADRACE_ASSIGN(const auto lengths, Gather(communicator, name + ".length", &length, sizeof length));
  HEADRACE_ASSIGN(const auto texts, Gather(communicator, name + ".text", mine.data(), mine.size()));
  std::vector<std::string> all;
  const auto* at = reinterpret_cast<const char*>(texts.data());
  for (size_t rank = 0; rank < lengths.size() / sizeof length; ++rank) {
    uint64_t of_rank = 0;
    std::memcpy(&of_rank, lengths.data() + rank * sizeof of_rank, sizeof of_rank);
    all.emplace_back(at, of_rank);
    at += of_rank;
  }
  return all;
}

Status CompareAcrossRanks(Communicator& communicator, const std::string& name, const std::vector<Fact>& facts,
                          const std::string& remedy) {
  if (communicator.place().size == 1) return {};
  const std::string text = Encode(facts);
  const uint64_t hash = Hash(text.data(), text.size());
  HEADRACE_ASSIGN(const auto hashes, Gather(communicator, name + ".hash", &hash, sizeof hash));
  const auto same = [&](size_t at) { return std::memcmp(hashes.data() + at, hashes.data(), sizeof hash) == 0; };
  size_t other = 1;
  while (other * sizeof hash < hashes.size() && same(other * sizeof hash)) ++other;
  if (other * sizeof hash == hashes.size()) return {};

  HEADRACE_ASSIGN(const auto texts, GatherTexts(communicator, name, text));
  return Fail(ErrorCode::kInvalidArgument, "the ranks differ in {}{}",
              Difference(communicator.NameOf(static_cast<int>(other)), Decode(texts[other]), communicator.NameOf(0),
                         Decode(texts[0])),
              remedy);
}

}  // namespace headrace::hvd
