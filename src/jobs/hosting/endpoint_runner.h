// EndpointRunner: the thread of one endpoint. It reads what is wanted from the endpoint's row, brings a generation of
// instances there, publishes the route to it, and only then lets the generation before go.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "jobs/hosting/endpoint_status.h"
#include "jobs/hosting/generation.h"
#include "jobs/hosting/instance_log.h"
#include "jobs/hosting/use_report.h"
#include "jobs/hosting/wakeup.h"
#include "store/meta/endpoints.h"

namespace headrace::jobs {

class EndpointRunner {
 public:
  // `may_end` is asked on the runner's thread when the endpoint is gone: false when it has been woken meanwhile.
  EndpointRunner(HostingMachine& machine, EndpointRoutes& routes, std::string account, std::string name,
                 std::function<bool()> may_end);
  ~EndpointRunner();  // Stop()
  EndpointRunner(const EndpointRunner&) = delete;
  EndpointRunner& operator=(const EndpointRunner&) = delete;

  void Wake();         // the row has changed; any thread
  void RequestStop();  // any thread; the destructor waits for it

 private:
  void Run();
  void Poll(UnixMillis until);

  void ReadRow();
  void Follow(const store::Endpoint& row);
  Generation& Ensure(const Deployment& deployment);
  void ComeBack(Generation& generation);
  UnixMillis Step();
  void GoOnline(Generation& generation);
  void GiveUp(Generation& generation);
  void TakeBack(const std::string& reason);
  bool WriteFailure(const std::string& reason, bool back);
  void FinishUpdate();
  bool FinishDeletion();
  void RemoveUnused();
  bool WriteLines(bool all);
  UnixMillis WriteUse(UnixMillis now);
  Status Change(const store::Endpoints::Change& change);
  std::string Directory() const;

  HostingMachine& machine_;
  EndpointRoutes& routes_;
  const std::string account_, name_;
  const std::function<bool()> may_end_;
  Wakeup wakeup_;
  InstanceLog log_;
  UseReport use_report_;
  std::atomic<bool> woken_ = true, stop_ = false;

  std::optional<EndpointStatus> status_;  // of the row, when it was read last; none: not yet
  bool row_gone_ = false;
  std::map<int64_t, std::unique_ptr<Generation>> generations_;
  int64_t wanted_ = 0, online_ = 0;  // ids; 0: none
  bool settled_ = true;              // the row says what is: nothing to finish
  std::thread thread_;               // last: it uses the rest
};

}  // namespace headrace::jobs
