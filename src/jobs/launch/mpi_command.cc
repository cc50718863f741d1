#include "jobs/launch/mpi_command.h"

#include <fmt/format.h>

namespace headrace::jobs {
namespace {

// "algo-1:2,algo-2:2"; one process a host is written without a number.
std::string HostList(const MpiCommand& command) {
  std::string list;
  for (const auto& host : command.hosts) {
    list += (list.empty() ? "" : ",") + host;
    if (command.processes_per_host > 1) list += fmt::format(":{}", command.processes_per_host);
  }
  return list;
}

}  // namespace

std::vector<std::string> MpirunWords(const MpiCommand& command) {
  std::vector<std::string> words = {command.mpirun, "--host", HostList(command), "-np",
                                    std::to_string(command.processes)};
  const auto add = [&words](std::initializer_list<std::string> more) { words.insert(words.end(), more); };
  const auto set = [&add](const std::string& name, const std::string& value) { add({"-mca", name, value}); };
  // The toolkit's.
  add({"--allow-run-as-root", "--display-map", "--tag-output"});
  set("btl_tcp_if_include", command.interface);
  set("oob_tcp_if_include", command.interface);
  set("plm_rsh_no_tree_spawn", "1");
  add({"-bind-to", "none", "-map-by", "slot"});
  set("pml", "ob1");
  set("btl", "self,vader,tcp");  // the toolkit's ^openib would bring back what Debian's configuration leaves out
  set("orte_abort_on_non_zero_status", "1");
  set("btl_vader_single_copy_mechanism", "none");
  // What sandboxes on one machine need: a daemon that leaves its session takes its name space with it, and names that
  // mean the same address are hosts of their own.
  add({"--leave-session-attached"});
  set("plm_rsh_agent", fmt::format("{} --agent {}", command.init, command.doors));
  set("if_base_do_not_resolve", "1");
  // When a rank has failed the others are ended at once. A stop goes to the ranks, not through mpirun, and has its
  // time.
  set("odls_base_sigkill_timeout", "0");
  words.insert(words.end(), command.custom_options.begin(), command.custom_options.end());
  add({command.init, "--rank", command.ranks});
  return words;
}

}  // namespace headrace::jobs
