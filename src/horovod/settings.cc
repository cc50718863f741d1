#include "horovod/settings.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace headrace::hvd {
namespace {

// 10 years: more is a mistake, and would overflow when it is added to a time.
constexpr double kLongest = 10 * 365.25 * 86400;

const char* Variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr || *text == '\0' ? nullptr : text;
}

Status ReadNumber(const char* name, double largest, double scale, int64_t& value) {
  const char* text = Variable(name);
  if (text == nullptr) return {};
  char* end = nullptr;
  const double number = std::strtod(text, &end);
  if (*end != '\0' || !(number >= 0 && number <= largest))
    return Fail(ErrorCode::kInvalidArgument, "{}: found \"{}\", wanted a number from 0 to {:.0f}", name, text, largest);
  value = static_cast<int64_t>(std::llround(number * scale));
  return {};
}

bool IsOn(const char* name) {
  const char* text = Variable(name);
  return text != nullptr && std::string(text) != "0";
}

struct Ignored {
  const char *name, *reason;
};
constexpr Ignored kIgnored[] = {
    {"HOROVOD_CYCLE_TIME", "tensors are negotiated as soon as they come"},
    {"HOROVOD_HIERARCHICAL_ALLREDUCE", "machines are always reduced hierarchically"},
    {"HOROVOD_HIERARCHICAL_ALLGATHER", "machines always share memory"},
    {"HOROVOD_TORUS_ALLREDUCE", "there is one way between machines"},
    {"HOROVOD_AUTOTUNE", "nothing is left to tune"},
    {"HOROVOD_AUTOTUNE_LOG", "nothing is left to tune"},
    {"HOROVOD_CONTROLLER", "the controller is MPI"},
    {"HOROVOD_CPU_OPERATIONS", "collectives are shared memory and MPI"},
    {"HOROVOD_GPU_OPERATIONS", "there are no GPUs"},
    {"HOROVOD_NUM_NCCL_STREAMS", "there are no GPUs"},
    {"HOROVOD_MPI_THREADS_DISABLE", "MPI is called by one thread at a time"},
    {"HOROVOD_THREAD_AFFINITY", "the background thread runs on the rank's own processors"},
    {"HOROVOD_GLOO_TIMEOUT_SECONDS", "there is no Gloo; HOROVOD_STALL_SHUTDOWN_TIME_SECONDS bounds every wait"},
    {"HOROVOD_ADASUM_MPI_CHUNK_SIZE", "messages are split as they need"},
    {"HOROVOD_DISABLE_GROUP_FUSION", "groups are not fused with others"},
};

}  // namespace

Result<Settings> Settings::FromEnvironment() {
  Settings settings;
  HEADRACE_TRY(ReadNumber("HOROVOD_STALL_CHECK_TIME_SECONDS", kLongest, 1000, settings.stall_warning_ms));
  HEADRACE_TRY(ReadNumber("HOROVOD_STALL_SHUTDOWN_TIME_SECONDS", kLongest, 1000, settings.stall_limit_ms));
  HEADRACE_TRY(ReadNumber("HOROVOD_FUSION_THRESHOLD", 0x1p40, 1, settings.fusion_bytes));
  HEADRACE_TRY(ReadNumber("HOROVOD_CACHE_CAPACITY", 1e6, 1, settings.cache_capacity));
  if (IsOn("HOROVOD_STALL_CHECK_DISABLE")) settings.stall_warning_ms = 0;
  if (Variable("HOROVOD_STALL_SHUTDOWN_TIME_SECONDS") == nullptr)
    settings.stall_limit_ms = std::max(settings.stall_limit_ms, 6 * settings.stall_warning_ms);
  if (settings.stall_limit_ms != 0 && settings.stall_limit_ms < settings.stall_warning_ms)
    return Fail(ErrorCode::kInvalidArgument,
                "HOROVOD_STALL_SHUTDOWN_TIME_SECONDS: found {}, wanted 0 or more than "
                "HOROVOD_STALL_CHECK_TIME_SECONDS, which is {}",
                settings.stall_limit_ms / 1000.0, settings.stall_warning_ms / 1000.0);
  settings.bind_processors = Variable("HEADRACE_BIND_PROCESSORS") == nullptr || IsOn("HEADRACE_BIND_PROCESSORS");
  return settings;
}

std::vector<std::string> IgnoredVariables() {
  std::vector<std::string> found;
  for (const auto& [name, reason] : kIgnored)
    if (Variable(name) != nullptr) found.push_back(fmt::format("{} ({})", name, reason));
  return found;
}

}  // namespace headrace::hvd
