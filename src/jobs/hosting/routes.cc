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
  std::shared_ptr<Target> best;
  const size_t count = chosen->targets.size();
  for (size_t i = 0; i < count; ++i) {
    const auto& target = chosen->targets[(i + requests_) % count];  // of equals another one each time
    if (target.get() != except && (!best || target->in_flight.load() < best->in_flight.load())) best = target;
  }
  if (!best) return {{}, Missing::kInstance};
  best->in_flight.fetch_add(1, std::memory_order_relaxed);
  return {Lease(std::move(best), chosen->name, std::max(chosen->instances, 1)), {}};
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
