#include "jobs/hosting/routes.h"

#include <algorithm>

namespace headrace::jobs {

// Requests are spread evenly rather than by chance: multiples of the golden ratio fall everywhere alike.
const VariantRoute* EndpointRoutes::ByWeight(const Route& route) {
  double sum = 0;
  for (const auto& variant : route) sum += variant.weight;
  const uint64_t spread = ++requests_ * 0x9e3779b97f4a7c15;
  double place = static_cast<double>(spread >> 11) / static_cast<double>(uint64_t{1} << 53) * sum;
  for (const auto& variant : route) {
    if (variant.weight > 0 && place < variant.weight) return &variant;
    place -= variant.weight;
  }
  return route.empty() ? nullptr : &route.back();
}

std::shared_ptr<Target> EndpointRoutes::LeastBusy(const VariantRoute& variant, const Target* except) const {
  std::shared_ptr<Target> best;
  const size_t count = variant.targets.size();
  for (size_t i = 0; i < count; ++i) {
    const auto& target = variant.targets[(i + requests_) % count];  // of equals another one each time
    if (target.get() != except && (!best || target->in_flight.load() < best->in_flight.load())) best = target;
  }
  return best;
}

std::shared_ptr<Target> EndpointRoutes::AnyOf(const VariantRoute& variant, const Target* except) {
  const auto& targets = variant.targets;
  const size_t count = targets.size();
  if (count == 0) return nullptr;
  const size_t first = std::uniform_int_distribution<size_t>(0, count - 1)(random_);
  if (targets[first].get() != except) return targets[first];
  if (count == 1) return nullptr;
  return targets[(first + std::uniform_int_distribution<size_t>(1, count - 1)(random_)) % count];
}

EndpointRoutes::Choice EndpointRoutes::Take(const std::string& account, const std::string& endpoint,
                                            const std::string& variant, const Target* except) {
  const std::lock_guard lock(mutex_);
  const auto route = routes_.find({account, endpoint});
  if (route == routes_.end()) return {{}, Missing::kEndpoint};
  const VariantRoute* chosen = nullptr;
  if (variant.empty()) {
    chosen = ByWeight(route->second);
  } else {
    for (const auto& each : route->second)
      if (each.name == variant) chosen = &each;
  }
  if (chosen == nullptr) return {{}, Missing::kVariant};
  auto target = chosen->random ? AnyOf(*chosen, except) : LeastBusy(*chosen, except);
  const int instances = std::max(chosen->instances, 1);
  if (!target) return {{}, Missing::kInstance, chosen->name, instances};
  target->in_flight.fetch_add(1, std::memory_order_relaxed);
  return {Lease(std::move(target), chosen->name, instances), {}};
}

void EndpointRoutes::Publish(const std::string& account, const std::string& endpoint, Route route) {
  const std::lock_guard lock(mutex_);
  routes_[{account, endpoint}] = std::move(route);
}

void EndpointRoutes::Remove(const std::string& account, const std::string& endpoint) {
  const std::lock_guard lock(mutex_);
  routes_.erase({account, endpoint});
}

}  // namespace headrace::jobs
