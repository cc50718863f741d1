// The system calls that programs in a sandbox do not get.
#pragma once

#include <string>

namespace headrace::jobs {

// A program for the kernel's filter, as bubblewrap's --seccomp reads it; "" for processors whose calls are not known
// here. Refused with EPERM: mounting, name spaces (also new user name spaces, in which one is root), kernel modules and
// programs, keys, performance counters, and sockets of other families than local ones, IP and netlink. clone3 and
// io_uring_setup are answered as by a kernel without them, because what they ask for cannot be looked at.
std::string SystemCallFilter();

}  // namespace headrace::jobs
