// The processors that this process may use, and threads bound to one of them.
#pragma once

#include <cstddef>
#include <vector>

namespace headrace {

// Their numbers, ascending. Asked by a bound thread: its own one only.
std::vector<int> Processors();
// Binds the calling thread to the processor in place `index` of `processors`, counted around. Threads that it starts
// are bound like it. Does nothing when there are none, or when the kernel refuses.
void BindThisThread(const std::vector<int>& processors, size_t index);

// libgomp's threads that wait for the last one of a kernel stay awake for milliseconds, and so keep the processor from
// the very thread they wait for: beside four busy loops on two cores training took four times as long. A process that
// shares its machine gets this variable with this value, some ten microseconds: they bridge the gaps inside a
// computation, and a machine of its own trains as fast.
inline constexpr const char* kSpinVariable = "GOMP_SPINCOUNT";
inline constexpr const char* kBoundedSpins = "3000";
// Where somebody has set this one, threads wait as it says.
inline constexpr const char* kWaitPolicyVariable = "OMP_WAIT_POLICY";

}  // namespace headrace
