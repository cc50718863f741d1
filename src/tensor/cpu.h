// Which of the instruction sets that src/tensor/isa/ is compiled for runs on this processor.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace headrace::tensor {

// In rising order: a processor that runs one also runs those before it.
enum class Isa : uint8_t { kPortable, kAvx2, kAvx512 };

const char* NameOf(Isa isa);  // "portable", "avx2", "avx512"
std::optional<Isa> IsaFromName(std::string_view name);

// The best instruction set of this processor and operating system.
Isa BestIsa();

// BestIsa(), or the lower one that the environment variable HEADRACE_ISA names. Throws Error (kInvalidArgument) when
// it names an unknown set or one that this processor cannot run.
Isa DetectIsa();

// Every set up to BestIsa(), for tests and benchmarks.
std::vector<Isa> RunnableIsas();

}  // namespace headrace::tensor
