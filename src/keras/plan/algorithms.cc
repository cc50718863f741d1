#include "keras/plan/algorithms.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "tensor/parallel.h"

namespace headrace::keras::internal {
namespace {

using tensor::Conv2DDesc;

// Batches are timed at this size at most: a choice holds for larger ones, and takes milliseconds.
constexpr int64_t kTimedBatch = 32;

std::string KeyOf(const char* pass, const Conv2DDesc& d) {
  return fmt::format("{} {}x{}x{}x{} k{}x{}x{} s{}x{} d{}x{} p{},{},{},{} {}", pass, std::min(d.n, kTimedBatch), d.h,
                     d.w, d.c, d.kh, d.kw, d.f, d.stride_h, d.stride_w, d.dilation_h, d.dilation_w, d.pad_top,
                     d.pad_bottom, d.pad_left, d.pad_right, NameOf(d.dtype));
}

// Tensors for a trial: small values without structure; uninitialised ones could hold slow denormal numbers.
struct Trial {
  explicit Trial(const Conv2DDesc& d)
      : x(Filled(d.dtype, {d.n, d.h, d.w, d.c})),
        y(Filled(d.dtype, {d.n, d.out_h(), d.out_w(), d.f})),
        kernel(Filled(DType::kFloat32, {d.kh, d.kw, d.c, d.f})),
        bias(Filled(DType::kFloat32, {d.f})) {}

  static Tensor Filled(DType dtype, Shape shape) {
    Tensor values(DType::kFloat32, std::move(shape));
    uint32_t state = 1;
    for (int64_t i = 0; i < values.size(); ++i) {
      state = state * 1664525u + 1013904223u;
      values.data<float>()[i] = static_cast<float>(state >> 8) * 0x1p-24f - 0.5f;
    }
    return values.Cast(dtype);
  }

  Tensor x, y, kernel, bias;
};

// The best of four runs, and of more where they are so short that a disturbance could hit all four.
double SecondsOf(const std::function<void()>& run) {
  constexpr double kEnough = 1e-3;
  run();  // warms caches and creates threads
  double best = 1e30, total = 0;
  for (int i = 0; i < 4 || (i < 20 && total < kEnough); ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    best = std::min(best, seconds);
    total += seconds;
  }
  return best;
}

std::map<std::string, std::string> Parse(const std::string& text) {
  std::map<std::string, std::string> choices;
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = std::min(text.find(';', at), text.size());
    const std::string item = text.substr(at, end - at);
    const size_t equals = item.find('=');
    if (equals == std::string::npos)
      throw MakeError(ErrorCode::kInvalidArgument,
                      "conv_algorithms: found '{}', wanted 'auto', 'direct' or the text of Model::algorithms()", item);
    choices[item.substr(0, equals)] = item.substr(equals + 1);
    at = end + 1;
  }
  return choices;
}

std::string Print(const std::map<std::string, std::string>& choices) {
  std::string text;
  for (const auto& [key, name] : choices) text += key + "=" + name + ";";
  return text;
}

std::string CacheDirectory() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return std::string(cache) + "/headrace";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::string(home) + "/.cache/headrace";
  return "";
}

std::string CpuModel() {
  const auto info = ReadFile("/proc/cpuinfo");
  if (!info) return "unknown";
  const size_t at = info->find("model name");
  return at == std::string::npos ? "unknown" : info->substr(at, info->find('\n', at) - at);
}

}  // namespace

ConvChooser::ConvChooser(const tensor::Backend& backend, const std::string& request) : backend_(backend) {
  std::string wanted = request;
  if (wanted.empty()) {
    const char* variable = std::getenv("HEADRACE_CONV_ALGORITHMS");
    wanted = variable != nullptr && *variable != '\0' ? variable : "auto";
  }
  direct_only_ = wanted == "direct";
  measures_ = !direct_only_;
  if (wanted == "auto") {
    ReadCache();
  } else if (!direct_only_) {
    known_ = Parse(wanted);
  }
}

void ConvChooser::ReadCache() {
  const std::string directory = CacheDirectory();
  if (directory.empty()) return;
  const std::string identity =
      fmt::format("{}, {}, {} threads", backend_.description(), CpuModel(), tensor::NumThreads());
  cache_path_ = fmt::format("{}/conv-algorithms-{:016x}", directory, std::hash<std::string>{}(identity));
  const auto text = ReadFile(cache_path_);
  if (!text) return;
  try {
    known_ = Parse(*text);
  } catch (const Error&) {
    known_.clear();  // a damaged cache is measured anew
  }
}

void ConvChooser::WriteCache() const {
  if (cache_path_.empty()) return;
  // Losing the cache costs only a new measurement, so failures are not reported.
  if (MakeDirectories(std::filesystem::path(cache_path_).parent_path().string()))
    (void)WriteFileAtomically(cache_path_, Print(known_));
}

void ConvChooser::Follow(const std::string& record) {
  for (const auto& [problem, algorithm] : Parse(record)) known_[problem] = algorithm;
}

std::string ConvChooser::record() const { return Print(chosen_); }

template <typename Kernel, typename List, typename Time>
std::unique_ptr<Kernel> ConvChooser::Choose(const char* pass, const Conv2DDesc& desc, const List& list,
                                            const Time& time) {
  auto candidates = list(desc);
  if (direct_only_) std::erase_if(candidates, [](const auto& kernel) { return !kernel->direct(); });
  const std::string key = KeyOf(pass, desc);
  const auto named = [&](const std::string& name) {
    return std::find_if(candidates.begin(), candidates.end(),
                        [&](const auto& kernel) { return kernel->name() == name; });
  };
  auto best = candidates.begin();
  if (const auto known = known_.find(key); known != known_.end() && named(known->second) != candidates.end()) {
    best = named(known->second);
  } else if (measures_ && candidates.size() > 1) {
    Conv2DDesc small = desc;
    small.n = std::min(desc.n, kTimedBatch);
    Trial trial(small);
    double best_seconds = 1e30;
    for (const auto& kernel : list(small)) {
      Tensor workspace(DType::kUInt8, {static_cast<int64_t>(kernel->workspace_bytes())});
      const double seconds = SecondsOf([&] { time(*kernel, trial, workspace.raw()); });
      if (seconds >= best_seconds || named(kernel->name()) == candidates.end()) continue;
      best_seconds = seconds;
      best = named(kernel->name());
    }
    known_[key] = (*best)->name();
    WriteCache();
  }
  chosen_[key] = (*best)->name();
  return std::move(*best);
}

std::unique_ptr<tensor::ConvForward> ConvChooser::Forward(const Conv2DDesc& desc) {
  return Choose<tensor::ConvForward>(
      "forward", desc, [&](const Conv2DDesc& d) { return backend_.ConvForwards(d); },
      [](const tensor::ConvForward& kernel, Trial& t, void* workspace) {
        kernel.Run({.x = t.x.raw(),
                    .kernel = t.kernel.data<float>(),
                    .bias = t.bias.data<float>(),
                    .y = t.y.raw(),
                    .workspace = workspace});
      });
}

std::unique_ptr<tensor::ConvBackwardData> ConvChooser::BackwardData(const Conv2DDesc& desc) {
  return Choose<tensor::ConvBackwardData>(
      "backward_data", desc, [&](const Conv2DDesc& d) { return backend_.ConvBackwardDatas(d); },
      [](const tensor::ConvBackwardData& kernel, Trial& t, void* workspace) {
        kernel.Run({.dy = t.y.raw(), .kernel = t.kernel.data<float>(), .dx = t.x.raw(), .workspace = workspace});
      });
}

std::unique_ptr<tensor::ConvBackwardWeights> ConvChooser::BackwardWeights(const Conv2DDesc& desc) {
  return Choose<tensor::ConvBackwardWeights>(
      "backward_weights", desc, [&](const Conv2DDesc& d) { return backend_.ConvBackwardWeightss(d); },
      [](const tensor::ConvBackwardWeights& kernel, Trial& t, void* workspace) {
        kernel.Run({.x = t.x.raw(),
                    .dy = t.y.raw(),
                    .dkernel = t.kernel.data<float>(),
                    .dbias = t.bias.data<float>(),
                    .workspace = workspace});
      });
}

}  // namespace headrace::keras::internal
