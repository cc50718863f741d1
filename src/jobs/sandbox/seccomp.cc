#include "jobs/sandbox/seccomp.h"

#include <cerrno>
#include <cstddef>
#include <vector>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

namespace headrace::jobs {
namespace {

#if defined(__x86_64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_X86_64;
constexpr uint32_t kFirstForeignCall = 0x40000000;  // x32's
#elif defined(__aarch64__)
constexpr uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
constexpr uint32_t kFirstForeignCall = ~0U;
#else
constexpr uint32_t kArchitecture = 0;
constexpr uint32_t kFirstForeignCall = ~0U;
#endif

constexpr uint32_t kNameSpaces = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC |
                                 CLONE_NEWUTS | CLONE_NEWCGROUP | 0x80 /* CLONE_NEWTIME */;

constexpr long kForbidden[] = {
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_setns,
    SYS_swapon,
    SYS_swapoff,
    SYS_reboot,
    SYS_kexec_load,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_userfaultfd,
    SYS_add_key,
    SYS_request_key,
    SYS_keyctl,
    SYS_open_by_handle_at,
    SYS_acct,
    SYS_quotactl,
    SYS_syslog,
    SYS_vhangup,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
#ifdef SYS_mount_setattr
    SYS_mount_setattr,
#endif
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl,
    SYS_ioperm,
#endif
};

class Filter {
 public:
  void Add(uint16_t code, uint32_t value, uint8_t when_true = 0, uint8_t when_false = 0) {
    program_.push_back({code, when_true, when_false, value});
  }
  void Load(size_t offset) { Add(BPF_LD | BPF_W | BPF_ABS, static_cast<uint32_t>(offset)); }
  void LoadArgument(size_t index) { Load(offsetof(seccomp_data, args) + 8 * index); }
  void LoadCall() { Load(offsetof(seccomp_data, nr)); }
  void Refuse(int error) { Add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<uint32_t>(error)); }
  void Allow() { Add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW); }
  void Kill() { Add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS); }
  // What follows is skipped unless the loaded number is `value`; or, the other way round, if it is.
  void If(long value, uint8_t length) { Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(value), 0, length); }
  void Unless(long value, uint8_t length) { Add(BPF_JMP | BPF_JEQ | BPF_K, static_cast<uint32_t>(value), length, 0); }

  std::string Bytes() const {
    return {reinterpret_cast<const char*>(program_.data()), program_.size() * sizeof(sock_filter)};
  }

 private:
  std::vector<sock_filter> program_;
};

// The flags are the first argument of the call.
void RefuseFlags(Filter& filter, long call, uint32_t flags) {
  filter.If(call, 4);
  filter.LoadArgument(0);
  filter.Add(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
  filter.Refuse(EPERM);
  filter.Allow();
}

}  // namespace

std::string SystemCallFilter() {
  if (kArchitecture == 0) return "";
  Filter filter;
  filter.Load(offsetof(seccomp_data, arch));
  filter.Unless(kArchitecture, 1);
  filter.Kill();
  filter.LoadCall();
  filter.Add(BPF_JMP | BPF_JGE | BPF_K, kFirstForeignCall, 0, 1);
  filter.Kill();
  for (const long call : kForbidden) {
    filter.If(call, 1);
    filter.Refuse(EPERM);
  }
  for (const long call : {SYS_clone3, SYS_io_uring_setup}) {
    filter.If(call, 1);
    filter.Refuse(ENOSYS);
  }
  RefuseFlags(filter, SYS_clone, kNameSpaces & ~0xFFU);  // the low byte is a signal
  RefuseFlags(filter, SYS_unshare, kNameSpaces);
  filter.If(SYS_ioctl, 4);  // would type on somebody's terminal
  filter.LoadArgument(1);
  filter.If(TIOCSTI, 1);
  filter.Refuse(EPERM);
  filter.Allow();
  filter.If(SYS_socket, 7);
  filter.LoadArgument(0);
  filter.Unless(AF_UNIX, 4);
  filter.Unless(AF_INET, 3);
  filter.Unless(AF_INET6, 2);
  filter.Unless(AF_NETLINK, 1);
  filter.Refuse(EAFNOSUPPORT);
  filter.Allow();
  filter.Allow();
  return filter.Bytes();
}

}  // namespace headrace::jobs
