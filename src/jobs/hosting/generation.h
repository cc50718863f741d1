// Generation: one deployment of an endpoint on its way through life: its models are fetched, its instances start,
// serve, are started again when they end, and drain.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/ping.h"
#include "jobs/capture/instance_use.h"
#include "jobs/hosting/hosting_service.h"
#include "jobs/hosting/instance.h"
#include "jobs/hosting/slot_life.h"
#include "jobs/machine/machine.h"

namespace headrace::jobs {

// What the generations of all endpoints share.
struct HostingMachine {
  HostingOptions options;
  // By which all that has a time or a patience goes: a step of the wall's clock (options.clock, for what people read)
  // restarts no instance and ends no job.
  BootClock steady;
};

class Generation {
 public:
  // `directory`: of this generation alone. `wake` makes the polling thread come by; any thread.
  Generation(HostingMachine& machine, std::string account, Deployment deployment, std::string directory,
             std::function<void()> wake);
  ~Generation();  // kills what runs

  const Deployment& deployment() const { return deployment_; }
  // Other weights and numbers of instances; the same variants. Instances that do not come up get new chances.
  void Adjust(const Deployment& deployment);

  // Does what can be done now, of the machine's steady clock; returns when it wants to be called again at the latest,
  // 0: only when something happens.
  UnixMillis Step(UnixMillis now);
  void AddTo(std::vector<pollfd>& watched) const;

  bool Ready() const;                                      // every variant has all its instances serving
  const std::string& failure() const { return failure_; }  // why it cannot become ready; "" while it may
  // Of one that has served: why an instance has not come up, again and again since the last Adjust(); "" if all may.
  std::string Stuck() const;
  // What failure() says, without its words about endpoints.
  const std::string& cause() const { return cause_; }
  Route MakeRoute() const;  // the instances that serve now
  bool TakeRouteChanged() { return std::exchange(route_changed_, false); }
  // The last MakeRoute() is in force: instances that it leaves out get no more requests and may drain.
  void RoutePublished();
  void MakeInstancesPermanent() { has_served_ = true; }  // from now on they are started again when they end

  // No route leads here any more: instances end when they have answered.
  void Retire(UnixMillis now);
  void Kill();
  bool Ended() const { return slots_.empty() && !fetcher_.joinable(); }

  // What the instances that serve have used since the call before, or since they were started; one entry an instance.
  struct Use {
    std::string variant, instance;
    InstanceUse use;
  };
  std::vector<Use> SampleUse(UnixMillis now);

  struct Lines {
    std::string stream;
    std::vector<Instance::Line> lines;
  };
  std::vector<Lines> TakeLines();
  bool has_lines() const;

 private:
  enum class Fetch { kNotYet, kRunning, kDone };
  struct Slot {
    size_t variant = 0;
    CoreLease cores;
    std::unique_ptr<Instance> instance;
    SlotLife life;
    std::shared_ptr<Target> target;  // while it serves, or answers what it has
    std::optional<http::Ping> ping;  // under way
    std::string killed_for;          // why this platform killed the process; "" when it did not
    std::string last_end;            // how it ended last, with its last lines
    std::optional<UseSampler> use;   // of the process that serves
  };

  void StartFetch();
  void AddMissing();
  void LetExcessGo(UnixMillis now);
  void StartInstance(Slot& slot, UnixMillis now);
  UnixMillis StepSlot(Slot& slot, UnixMillis now);
  UnixMillis StartupLimit(const Slot& slot) const;
  void Observe(Slot& slot, UnixMillis now);
  void DropTarget(Slot& slot);
  void Leave(Slot& slot, UnixMillis now);
  void Close(Slot& slot);
  UnixMillis StepPing(Slot& slot, UnixMillis now);
  void OnAnswer(Slot& slot, UnixMillis now);
  void OnNoAnswer(Slot& slot, const Error& error, UnixMillis now);
  void GiveUpOn(Slot& slot, const std::string& why, UnixMillis now);
  void StartAgain(Slot& slot, const std::string& how, UnixMillis now);
  void TakeFetched();
  std::string ModelDirectory(const std::string& variant) const;

  HostingMachine& machine_;
  const std::string account_;
  Deployment deployment_;
  const std::string directory_;
  const std::function<void()> wake_;
  std::vector<Slot> slots_;
  bool has_served_ = false, retired_ = false, route_changed_ = false;
  std::string failure_, cause_;
  Fetch fetch_ = Fetch::kNotYet;
  std::atomic<bool> abandoned_ = false;  // nobody waits for what is being fetched
  std::thread fetcher_;
  std::mutex fetched_mutex_;
  std::optional<std::string> fetched_;  // "" or why not
};

}  // namespace headrace::jobs
