#include "horovod/negotiation/agreement.h"

#include <algorithm>
#include <numeric>

#include <fmt/ranges.h>

namespace headrace::hvd {
namespace {

std::string Shown(const std::vector<int64_t>& shape) { return fmt::format("({})", fmt::join(shape, ", ")); }

// Allgather and alltoall may differ in the first dimension.
std::vector<int64_t> FixedPart(const Collective& collective) {
  const bool free_rows = collective.type == CollectiveType::kAllgather || collective.type == CollectiveType::kAlltoall;
  if (!free_rows || collective.shape.empty()) return collective.shape;
  return {collective.shape.begin() + 1, collective.shape.end()};
}

bool HasNegative(const std::vector<int64_t>& numbers) {
  return std::any_of(numbers.begin(), numbers.end(), [](int64_t number) { return number < 0; });
}

bool AddUpTo(const std::vector<int64_t>& splits, int64_t rows) {
  for (const int64_t split : splits) {
    if (split < 0 || split > rows) return false;
    rows -= split;
  }
  return rows == 0;
}

std::optional<std::string> WrongSplits(const Collective& collective, size_t members, const std::string& who) {
  const auto& [rows, splits] = std::tie(collective.shape[0], collective.splits);
  if (splits.empty() && rows % static_cast<int64_t>(members) != 0)
    return fmt::format("{} has {} rows, wanted a multiple of {} or splits", who, rows, members);
  if (!splits.empty() && (splits.size() != members || !AddUpTo(splits, rows)))
    return fmt::format("{} has the splits {}, wanted {} numbers that add up to its {} rows", who, Shown(splits),
                       members, rows);
  return std::nullopt;
}

// No machine has memory for more; products and sums of sizes below it do not overflow.
constexpr int64_t kMostElements = int64_t{1} << 48;

// A dimension of none does not excuse the others: rows are counted without the first.
bool IsTooLarge(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t dim : shape)
    if (__builtin_mul_overflow(count, std::max<int64_t>(dim, 1), &count) || count > kMostElements) return true;
  return false;
}

std::optional<std::string> WrongProcessSet(const std::vector<int64_t>& wanted, const std::vector<int>& all) {
  if (!wanted.empty() && std::adjacent_find(wanted.begin(), wanted.end(), std::greater_equal<>()) == wanted.end() &&
      wanted.front() >= 0 && wanted.back() < static_cast<int64_t>(all.size()))
    return std::nullopt;
  return fmt::format("process set {}: wanted ranks from 0 to {}, each once", Shown(wanted), all.size() - 1);
}

bool IsFloat(DataType type) {
  return type == DataType::kFloat16 || type == DataType::kBFloat16 || type == DataType::kFloat32 ||
         type == DataType::kFloat64;
}

bool Reduces(const Collective& c) {
  return c.type == CollectiveType::kAllreduce || c.type == CollectiveType::kReducescatter;
}

std::optional<std::string> WrongReduction(const Collective& collective, size_t members) {
  if (collective.dtype == DataType::kBool && collective.op == ReduceOp::kAverage)
    return "bool has no average; wanted sum (or), min or max";
  if (collective.op != ReduceOp::kAdasum) return std::nullopt;
  if (collective.type != CollectiveType::kAllreduce) return "adasum is an operation of allreduce only";
  if (!IsFloat(collective.dtype)) return fmt::format("adasum: found {}, wanted a float", NameOf(collective.dtype));
  if (collective.process_set != 0) return "adasum works on all ranks only, not on a process set";
  if ((members & (members - 1)) != 0) return fmt::format("adasum: found {} ranks, wanted a power of two", members);
  return std::nullopt;
}

}  // namespace

std::optional<Disagreed> Difference(const Request& first, const Request& second) {
  const Collective &a = first.collective, &b = second.collective;
  const auto differ = [](const char* what, auto x, auto y) {
    return Disagreed{what, fmt::format("{}", x), fmt::format("{}", y)};
  };
  if (first.kind != second.kind) return differ("request", static_cast<int>(first.kind), static_cast<int>(second.kind));
  if (a.type != b.type) return differ("type", NameOf(a.type), NameOf(b.type));
  if (a.dtype != b.dtype) return differ("dtype", NameOf(a.dtype), NameOf(b.dtype));
  if (FixedPart(a) != FixedPart(b) || a.shape.size() != b.shape.size())
    return Disagreed{"shape", Shown(a.shape), Shown(b.shape)};
  if (a.op != b.op) return differ("op", NameOf(a.op), NameOf(b.op));
  if (a.root != b.root) return differ("root", a.root, b.root);
  if (a.prescale != b.prescale) return differ("prescale_factor", a.prescale, b.prescale);
  if (a.postscale != b.postscale) return differ("postscale_factor", a.postscale, b.postscale);
  if (a.compression != b.compression)
    return differ("compression", static_cast<int>(a.compression), static_cast<int>(b.compression));
  if (a.group != b.group || a.group_size != b.group_size) return differ("group", a.group, b.group);
  if (a.process_set != b.process_set) return differ("process set", a.process_set, b.process_set);
  return std::nullopt;
}

std::optional<std::string> Impossible(const Request& request, const std::map<int, Request>& by_rank,
                                      const std::vector<int>& ranks, const std::map<int, Request>& joined,
                                      const std::function<std::string(int)>& name_of_rank) {
  const Collective& wanted = request.collective;
  const auto error = [&](std::string text) {
    return fmt::format("{} \"{}\": {}", NameOf(wanted.type), wanted.name, std::move(text));
  };
  if (request.kind == RequestKind::kAddProcessSet) return WrongProcessSet(wanted.shape, ranks);
  if (request.kind != RequestKind::kCollective) return std::nullopt;
  for (const auto& [rank, each] : by_rank)
    if (!std::binary_search(ranks.begin(), ranks.end(), rank))
      return error(fmt::format("{} is not in process set {}", name_of_rank(rank), wanted.process_set));
  for (const auto& [rank, each] : by_rank)
    if (HasNegative(each.collective.shape) || IsTooLarge(each.collective.shape))
      return error(fmt::format("{} has the shape {}, wanted no negative dimension and at most 2^48 elements",
                               name_of_rank(rank), Shown(each.collective.shape)));
  const bool plain_sum = wanted.op == ReduceOp::kSum || wanted.op == ReduceOp::kAverage;
  if (by_rank.size() < ranks.size() && (wanted.type != CollectiveType::kAllreduce || !plain_sum))
    return error(fmt::format("{} has called join(); until all have, only allreduces of sum and average go on",
                             name_of_rank(joined.begin()->first)));
  if (wanted.type == CollectiveType::kBroadcast && !std::binary_search(ranks.begin(), ranks.end(), wanted.root))
    return error(fmt::format("found root {}, wanted a rank of process set {}", wanted.root, wanted.process_set));
  const bool needs_rows = wanted.type == CollectiveType::kAllgather || wanted.type == CollectiveType::kAlltoall ||
                          wanted.type == CollectiveType::kReducescatter;
  if (needs_rows && wanted.shape.empty()) return error("found a scalar, wanted at least one dimension");
  if (Reduces(wanted))
    if (const auto wrong = WrongReduction(wanted, ranks.size())) return error(*wrong);
  for (const auto& [rank, each] : by_rank) {
    if (wanted.type == CollectiveType::kAlltoall)
      if (const auto wrong = WrongSplits(each.collective, ranks.size(), name_of_rank(rank))) return error(*wrong);
  }
  return std::nullopt;
}

}  // namespace headrace::hvd
