#include "tensor/cpu.h"

#include <cstdlib>

#include "base/result.h"

namespace headrace::tensor {
namespace {

constexpr Isa kAll[] = {Isa::kPortable, Isa::kAvx2, Isa::kAvx512};

}  // namespace

const char* NameOf(Isa isa) {
  switch (isa) {
    case Isa::kPortable:
      return "portable";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512:
      return "avx512";
  }
  return "?";
}

std::optional<Isa> IsaFromName(std::string_view name) {
  for (const Isa isa : kAll) {
    if (name == NameOf(isa)) return isa;
  }
  return std::nullopt;
}

// HEADRACE_HAS_x: src/tensor/isa/ was compiled for it. The features are those of HEADRACE_ISA_FLAGS_* in
// cmake/HeadraceModule.cmake; every processor with AVX2 has F16C.
Isa BestIsa() {
#ifdef HEADRACE_HAS_avx2
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::kPortable;
#ifdef HEADRACE_HAS_avx512
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    return Isa::kAvx512;
#endif
  return Isa::kAvx2;
#else
  return Isa::kPortable;
#endif
}

Isa DetectIsa() {
  const Isa best = BestIsa();
  const char* wanted = std::getenv("HEADRACE_ISA");
  if (wanted == nullptr || *wanted == '\0') return best;
  const std::optional<Isa> isa = IsaFromName(wanted);
  if (!isa) {
    throw MakeError(ErrorCode::kInvalidArgument, "HEADRACE_ISA: found \"{}\", wanted portable, avx2 or avx512", wanted);
  }
  if (*isa > best) {
    throw MakeError(ErrorCode::kInvalidArgument, "HEADRACE_ISA: found {}, but this processor runs at most {}", wanted,
                    NameOf(best));
  }
  return *isa;
}

std::vector<Isa> RunnableIsas() {
  std::vector<Isa> isas;
  for (const Isa isa : kAll) {
    if (isa <= BestIsa()) isas.push_back(isa);
  }
  return isas;
}

}  // namespace headrace::tensor
