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

}  // namespace headrace
