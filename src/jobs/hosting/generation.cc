#include "jobs/hosting/generation.h"

#include <algorithm>
#include <filesystem>

#include "base/beneath.h"
#include "base/file.h"
#include "base/log.h"
#include "jobs/hosting/model_files.h"
#include "jobs/hosting/wakeup.h"
#include "jobs/request/instance_types.h"
#include "jobs/supervisor/failure_reason.h"
#include "store/random.h"

namespace headrace::jobs {
namespace {

constexpr UnixMillis kDrainLookMillis = 5;
constexpr UnixMillis kPingPatienceMillis = 2000;

}  // namespace

Generation::Generation(HostingMachine& machine, std::string account, Deployment deployment, std::string directory,
                       std::function<void()> wake)
    : machine_(machine),
      account_(std::move(account)),
      deployment_(std::move(deployment)),
      directory_(std::move(directory)),
      wake_(std::move(wake)) {}

Generation::~Generation() {
  abandoned_ = true;
  if (fetcher_.joinable()) fetcher_.join();
  for (Slot& slot : slots_) {
    slot.instance->Kill();
    // Not waited for here: it dies at once, and is reaped with the server.
  }
}

void Generation::Adjust(const Deployment& deployment) {
  deployment_ = deployment;
  route_changed_ = true;
  for (Slot& slot : slots_) slot.life.Forgive();
}

std::string Generation::ModelDirectory(const std::string& variant) const {
  return directory_ + "/" + variant + "/model";
}

void Generation::StartFetch() {
  fetch_ = Fetch::kRunning;
  fetcher_ = std::thread([this, deployment = deployment_] {
    std::string failure;
    const auto& may_run = machine_.options.may_run;
    if (const Status allowed = may_run ? may_run(account_) : Status(); !allowed) failure = allowed.error().message();
    const auto objects = machine_.options.objects.Of(account_);
    for (const Variant& variant : deployment.variants) {
      if (!failure.empty()) break;
      const std::string directory = ModelDirectory(variant.name);
      Status fetched = MakeDirectories(std::filesystem::path(directory).parent_path());
      if (fetched && !objects) fetched = tl::unexpected<Error>(objects.error());
      if (fetched) fetched = FetchModel(*objects, variant.model, directory, [this] { return abandoned_.load(); });
      if (fetched) continue;
      failure = fmt::format("Failed to download model data for variant {} from URL: \"{}\": {}", variant.name,
                            variant.model.data, fetched.error().message());
      break;
    }
    {
      const std::lock_guard lock(fetched_mutex_);
      fetched_ = std::move(failure);
    }
    wake_();
  });
}

void Generation::TakeFetched() {
  {
    const std::lock_guard lock(fetched_mutex_);
    if (!fetched_) return;
    if (!fetched_->empty()) failure_ = cause_ = Truncate(*fetched_, kLongestFailureReason);
  }
  fetcher_.join();
  fetch_ = Fetch::kDone;
}

UnixMillis Generation::Step(UnixMillis now) {
  if (fetch_ == Fetch::kNotYet && !retired_) StartFetch();
  if (fetch_ == Fetch::kRunning) TakeFetched();
  if (fetch_ == Fetch::kDone && failure_.empty() && !retired_) {
    AddMissing();
    LetExcessGo(now);
  }
  UnixMillis again = 0;
  for (Slot& slot : slots_) again = Earlier(again, StepSlot(slot, now));
  const size_t before = slots_.size();
  std::erase_if(slots_, [](const Slot& slot) {
    if (slot.life.state() != SlotState::kGone || slot.instance->has_lines()) return false;
    if (auto removed = RemoveTree(slot.instance->options().run_directory); !removed)
      Log(LogLevel::kError, "{}", removed.error().message());
    return true;
  });
  if (slots_.size() != before) again = now;
  return again;
}

void Generation::AddMissing() {
  for (size_t i = 0; i < deployment_.variants.size(); ++i) {
    const Variant& variant = deployment_.variants[i];
    auto staying = std::count_if(slots_.begin(), slots_.end(),
                                 [&](const Slot& slot) { return slot.variant == i && !slot.life.leaving(); });
    for (; staying < variant.count; ++staying) {
      const auto size = SizeOfInstance(variant.instance_type).value_or(InstanceSize{});
      auto& machine = *machine_.options.machine;
      const uint64_t most = machine.most_memory_of_one();
      Slot slot;
      slot.cores = machine.cores().Share(size.cpus);
      InstanceOptions options;
      options.id = "i-0" + store::RandomText(store::kHexDigits, 16);
      options.headrace_binary = machine_.options.headrace_binary;
      options.model_directory = ModelDirectory(variant.name);
      options.run_directory = directory_ + "/" + variant.name + "/" + options.id;
      options.cpus = slot.cores.cores();
      options.memory_bytes = size.memory_bytes == 0 ? most : std::min(size.memory_bytes, most);
      options.tasks = TasksFor(options.cpus.size());
      options.sandbox = machine.sandbox().has_value();
      if (!options.sandbox) options.no_sandbox_reason = machine.sandbox().error().message();
      options.hidden = {machine_.options.data_dir};
      slot.variant = i;
      slot.instance = std::make_unique<Instance>(variant, std::move(options));
      slots_.push_back(std::move(slot));
    }
  }
}

// Those that do not serve yet go first.
void Generation::LetExcessGo(UnixMillis now) {
  for (size_t i = 0; i < deployment_.variants.size(); ++i) {
    std::vector<Slot*> staying;
    for (Slot& slot : slots_)
      if (slot.variant == i && !slot.life.leaving()) staying.push_back(&slot);
    std::stable_partition(staying.begin(), staying.end(), [](const Slot* slot) { return slot->life.serving(); });
    for (size_t k = static_cast<size_t>(deployment_.variants[i].count); k < staying.size(); ++k)
      Leave(*staying[k], now);
  }
}

void Generation::Leave(Slot& slot, UnixMillis now) {
  slot.life.Leave(now + machine_.options.drain_seconds * 1000LL);
  if (slot.life.state() == SlotState::kClosing) slot.instance->Kill();
  slot.ping.reset();
  route_changed_ = true;
}

// For good, and now.
void Generation::Close(Slot& slot) {
  slot.life.Close();
  slot.ping.reset();
  slot.target.reset();
  slot.instance->Kill();
}

void Generation::StartInstance(Slot& slot, UnixMillis now) {
  slot.killed_for.clear();
  slot.life.Starts(now);
  const auto started = slot.instance->Start(now);
  if (started) return;
  slot.life.Reaped(now, false);
  StartAgain(slot, started.error().message(), now);
}

UnixMillis Generation::StepSlot(Slot& slot, UnixMillis now) {
  Observe(slot, now);
  const bool failed = !failure_.empty();
  if (failed) slot.ping.reset();
  switch (slot.life.state()) {
    case SlotState::kIdle:
      if (failed) return 0;
      if (now < slot.life.restart_at()) return slot.life.restart_at();
      StartInstance(slot, now);
      return slot.life.has_process() ? StartupLimit(slot) : slot.life.restart_at();
    case SlotState::kStarting:
      if (failed) return 0;
      if (now < StartupLimit(slot)) return StartupLimit(slot);
      GiveUpOn(slot, "no answer to /ping in time", now);
      return 0;
    case SlotState::kProbing:
    case SlotState::kServing:
      return failed ? 0 : StepPing(slot, now);
    case SlotState::kDraining: {
      const bool busy = slot.target && slot.target->in_flight.load(std::memory_order_acquire) > 0;
      if (busy && now < slot.life.leave_by()) return now + kDrainLookMillis;
      Close(slot);
      return 0;
    }
    case SlotState::kEnding:
    case SlotState::kLeaving:
    case SlotState::kClosing:
    case SlotState::kGone:
      return 0;
  }
  return 0;
}

// What has become of the process.
void Generation::Observe(Slot& slot, UnixMillis now) {
  if (!slot.life.has_process()) return;
  Instance& instance = *slot.instance;
  instance.Attend(now);
  if (instance.state() == Instance::State::kListening) return slot.life.Listens();
  if (instance.state() == Instance::State::kStarting) return;
  DropTarget(slot);
  if (instance.state() == Instance::State::kEnding) return slot.life.Ends();
  slot.life.Reaped(now, instance.ended_by_signal());
  if (slot.life.leaving()) return;
  const std::string& end = instance.end();
  StartAgain(slot, slot.killed_for.empty() ? end : slot.killed_for + "; " + end, now);
}

void Generation::DropTarget(Slot& slot) {
  slot.ping.reset();
  if (slot.target) route_changed_ = true;
  slot.target.reset();
}

UnixMillis Generation::StartupLimit(const Slot& slot) const {
  return slot.instance->started() + deployment_.variants[slot.variant].startup_seconds * 1000LL;
}

// A model server listens when every worker has run every signature once: what answers first has computed. From then on
// it is asked again and again, as a process may hang without ending.
UnixMillis Generation::StepPing(Slot& slot, UnixMillis now) {
  if (!slot.ping) {
    if (now < slot.life.next_ping()) return slot.life.next_ping();
    if (const auto beyond = slot.instance->BeyondLimits(); !beyond.empty()) {
      GiveUpOn(slot, beyond, now);
      return 0;
    }
    slot.ping.emplace(slot.instance->socket(), now + kPingPatienceMillis);
  }
  const auto answer = slot.ping->Attend(now);
  if (!answer) return slot.ping->deadline();
  slot.ping.reset();
  if (*answer)
    OnAnswer(slot, now);
  else
    OnNoAnswer(slot, answer->error(), now);
  return slot.instance->state() == Instance::State::kListening ? slot.life.next_ping() : 0;
}

void Generation::OnAnswer(Slot& slot, UnixMillis now) {
  slot.life.Answers(now);
  if (slot.target) return;
  slot.target = std::make_shared<Target>(slot.instance->options().id, slot.instance->socket());
  const auto size = SizeOfInstance(deployment_.variants[slot.variant].instance_type).value_or(InstanceSize{});
  slot.use.emplace(slot.instance->started(), size.memory_bytes, slot.instance->options().run_directory);
  route_changed_ = true;
}

void Generation::OnNoAnswer(Slot& slot, const Error& error, UnixMillis now) {
  if (slot.life.IsSilent(now))
    GiveUpOn(slot, fmt::format("{}, {} times", error.message(), slot.life.missed_pings()), now);
}

void Generation::GiveUpOn(Slot& slot, const std::string& why, UnixMillis now) {
  slot.instance->Say(now, why + ": the process is killed");
  slot.killed_for = why;
  slot.life.GivenUp();
  slot.instance->Kill();
}

// One that has ended, or could not be started, and stays.
void Generation::StartAgain(Slot& slot, const std::string& how, UnixMillis now) {
  Instance& instance = *slot.instance;
  const Variant& variant = deployment_.variants[slot.variant];
  std::string cause = fmt::format("The model server ended: {}.", how);
  for (const auto& line : instance.last_lines()) cause += "\n" + line;
  slot.last_end = Truncate(
      fmt::format("The primary container for production variant {} did not pass the ping health check. Please check "
                  "CloudWatch logs for this endpoint. {}",
                  variant.name, cause),
      kLongestFailureReason);
  if (!has_served_ && slot.life.OutOfChances()) {
    failure_ = slot.last_end;
    cause_ = std::move(cause);
    return;
  }
  const UnixMillis wait = slot.life.restart_at() - now;
  instance.Say(now, fmt::format("the model server ended: {}; it is started again{}", how,
                                wait == 0 ? "" : fmt::format(" in {} ms", wait)));
  Log(LogLevel::kWarning, "instance {} of variant {}: model server ended: {}", instance.options().id, variant.name,
      how);
}

void Generation::AddTo(std::vector<pollfd>& watched) const {
  for (const Slot& slot : slots_) {
    slot.instance->AddTo(watched);
    if (slot.ping) slot.ping->AddTo(watched);
  }
}

std::string Generation::Stuck() const {
  const auto stuck = std::find_if(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.life.Stuck(); });
  return stuck == slots_.end() ? "" : stuck->last_end;
}

bool Generation::Ready() const {
  if (fetch_ != Fetch::kDone) return false;
  for (size_t i = 0; i < deployment_.variants.size(); ++i) {
    const auto serving = std::count_if(slots_.begin(), slots_.end(),
                                       [&](const Slot& slot) { return slot.variant == i && slot.life.serving(); });
    if (serving < deployment_.variants[i].count) return false;
  }
  return true;
}

Route Generation::MakeRoute() const {
  Route route;
  for (size_t i = 0; i < deployment_.variants.size(); ++i) {
    const Variant& variant = deployment_.variants[i];
    VariantRoute to{variant.name, variant.weight, variant.count, {}, variant.routing == "RANDOM"};
    for (const Slot& slot : slots_)
      if (slot.variant == i && slot.life.serving()) to.targets.push_back(slot.target);
    route.push_back(std::move(to));
  }
  return route;
}

void Generation::RoutePublished() {
  for (Slot& slot : slots_) slot.life.Unrouted();
}

void Generation::Retire(UnixMillis now) {
  if (std::exchange(retired_, true)) return;
  abandoned_ = true;
  for (Slot& slot : slots_) {
    Leave(slot, now);
    slot.life.Unrouted();
  }
}

void Generation::Kill() {
  retired_ = abandoned_ = true;
  for (Slot& slot : slots_) {
    Close(slot);
  }
}

std::vector<Generation::Use> Generation::SampleUse(UnixMillis now) {
  std::vector<Use> uses;
  for (Slot& slot : slots_)
    if (slot.target && slot.use)
      uses.push_back({deployment_.variants[slot.variant].name, slot.instance->options().id,
                      slot.use->Sample(now, slot.instance->Usage())});
  return uses;
}

bool Generation::has_lines() const {
  return std::any_of(slots_.begin(), slots_.end(), [](const Slot& slot) { return slot.instance->has_lines(); });
}

std::vector<Generation::Lines> Generation::TakeLines() {
  std::vector<Lines> all;
  const UnixMillis start = machine_.options.clock->Now() - machine_.steady.Now();  // of the steady clock, on the wall's
  for (Slot& slot : slots_) {
    if (!slot.instance->has_lines()) continue;
    auto lines = slot.instance->TakeLines();
    for (auto& line : lines) line.time += start;
    all.push_back({deployment_.variants[slot.variant].name + "/" + slot.instance->options().id, std::move(lines)});
  }
  return all;
}

}  // namespace headrace::jobs
