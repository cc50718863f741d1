// HostingService: keeps the endpoints of the metadata database serving. Each endpoint has a thread (endpoint_runner.h)
// that fetches models, starts and restarts model servers, and publishes where requests go.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/hosting/invocation_metrics.h"
#include "jobs/hosting/routes.h"
#include "store/access/account_objects.h"

namespace headrace::store {
class Database;
}  // namespace headrace::store

namespace headrace::jobs {

class Machine;
struct HostingMachine;

struct HostingOptions {
  store::Database* database = nullptr;  // outlives the service
  store::ObjectAccess objects;
  const Clock* clock = nullptr;  // outlives the service
  std::string data_dir;          // models lie in data_dir/endpoints/ACCOUNT/NAME
  std::string headrace_binary;   // absolute path; run as `headrace model-server`
  Machine* machine = nullptr;    // outlives the service
  // Whether model servers of this account may run here; the error says why not. Empty: all may.
  std::function<Status(const std::string& account)> may_run = {};
  int drain_seconds = 70;  // that an instance on its way out may take for the requests it has
};

class HostingService {
 public:
  explicit HostingService(HostingOptions options);
  HostingService(const HostingService&) = delete;
  HostingService& operator=(const HostingService&) = delete;
  ~HostingService();  // Stop()

  // Brings all endpoints back that an earlier process had, and ends deletions it had begun. Returns at once: requests
  // wait for the instances.
  Status Start();
  // Ends all model servers; the endpoints stay as they are and come back with the next Start().
  void Stop();

  // The endpoint's row has changed, or is new: its thread looks at it. Any thread.
  void Wake(const std::string& account, const std::string& name);

  EndpointRoutes& routes();
  InvocationMetrics& metrics();
  HostingMachine& machine();  // for what else runs model servers here (generation.h)

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace headrace::jobs
