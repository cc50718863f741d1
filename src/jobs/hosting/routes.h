// EndpointRoutes: where requests to endpoints go. The runner of an endpoint publishes a route; invocations take an
// instance from it for the time of one request.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace headrace::jobs {

// One model server that answers.
struct Target {
  Target(std::string id, std::string at) : instance(std::move(id)), socket(std::move(at)) {}
  const std::string instance;
  const std::string socket;  // its path: only this process's user sees it
  std::atomic<int> in_flight = 0;
};

struct VariantRoute {
  std::string name;
  double weight = 1;
  int instances = 1;  // that there should be
  std::vector<std::shared_ptr<Target>> targets;
  bool random = false;  // any instance; otherwise the least busy one
};
using Route = std::vector<VariantRoute>;

// An instance, busy with one request as long as this lives.
class Lease {
 public:
  Lease(std::shared_ptr<Target> target, std::string variant, int instances)
      : target_(std::move(target)), variant_(std::move(variant)), instances_(instances) {}
  Lease(Lease&&) noexcept = default;
  Lease& operator=(Lease&& other) noexcept {
    Release();
    target_ = std::move(other.target_);
    variant_ = std::move(other.variant_);
    instances_ = other.instances_;
    return *this;
  }
  ~Lease() { Release(); }
  const std::shared_ptr<Target>& target() const { return target_; }
  const std::string& variant() const { return variant_; }
  int instances() const { return instances_; }

 private:
  void Release() {
    if (target_) target_->in_flight.fetch_sub(1, std::memory_order_release);
    target_.reset();
  }
  std::shared_ptr<Target> target_;
  std::string variant_;
  int instances_ = 1;
};

class EndpointRoutes {
 public:
  enum class Missing { kEndpoint, kVariant, kInstance };
  struct Choice {
    std::optional<Lease> lease;
    Missing missing = Missing::kEndpoint;  // without a lease: what there is none of
    // Of kInstance: the variant that the request would have gone to, and how many instances it should have.
    std::string variant = {};
    int instances = 1;
  };

  // The variant asked for, or one by weight; of it an instance as its route says, but not `except`, which has just
  // failed.
  Choice Take(const std::string& account, const std::string& endpoint, const std::string& variant = {},
              const Target* except = nullptr);

  void Publish(const std::string& account, const std::string& endpoint, Route route);
  void Remove(const std::string& account, const std::string& endpoint);

 private:
  using Key = std::pair<std::string, std::string>;
  const VariantRoute* ByWeight(const Route& route);
  std::shared_ptr<Target> LeastBusy(const VariantRoute& variant, const Target* except) const;
  std::shared_ptr<Target> AnyOf(const VariantRoute& variant, const Target* except);

  std::mutex mutex_;
  std::map<Key, Route> routes_;
  uint64_t requests_ = 0;
  std::minstd_rand random_{std::random_device()()};
};

}  // namespace headrace::jobs
