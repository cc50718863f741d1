#include "apps/platform/tenant_processes.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <unistd.h>

#include "base/file.h"

namespace headrace::apps {
namespace {

constexpr size_t kLongestCommandLine = 1 << 20;

std::vector<std::string> CommandLineOf(pid_t pid) {
  std::string text = ReadFile(fmt::format("/proc/{}/cmdline", pid), kLongestCommandLine).value_or("");
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\0', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return words;
}

void AddTree(TenantProcess found, pid_t pid, std::vector<TenantProcess>& into, std::set<pid_t>& known) {
  std::vector<pid_t> tree = jobs::Descendants(pid);
  tree.push_back(pid);
  known.insert(tree.begin(), tree.end());
  found.pid = pid;
  found.usage = jobs::UsageOf(tree);
  into.push_back(std::move(found));
}

}  // namespace

TenantProcess SubjectOf(const std::vector<std::string>& words, const std::string& data_dir,
                        const std::string& account) {
  for (const std::string& word : words)
    for (const auto& [folder, kind] : {std::pair{"jobs", "TrainingJob"}, std::pair{"endpoints", "Endpoint"},
                                       std::pair{"transforms", "TransformJob"}}) {
      const std::string place = fmt::format("{}/{}/{}/", data_dir, folder, account);
      if (!word.starts_with(place)) continue;
      const std::string rest = word.substr(place.size());
      return {kind, rest.substr(0, rest.find('/')), "", 0, {}};
    }
  return {};
}

std::vector<TenantProcess> TenantProcesses(const std::string& data_dir, const std::string& supervisor,
                                           const std::string& account) {
  std::vector<TenantProcess> found;
  std::set<pid_t> known;  // with all that is below them: what tenants start is never looked at
  const std::vector<pid_t> all = jobs::AllProcesses();
  const auto consider = [&](pid_t pid, bool supervises) {
    const std::vector<std::string> words = CommandLineOf(pid);
    if (words.empty() || (words[0] == supervisor) != supervises) return;
    TenantProcess subject = SubjectOf(words, data_dir, account);
    if (subject.kind.empty()) return;
    if (supervises && words.size() > 2) subject.host = words[2];
    AddTree(std::move(subject), pid, found, known);
  };
  const pid_t own = ::getpid();
  for (const pid_t pid : all)
    if (known.count(pid) == 0 && jobs::ParentOf(pid) == own) consider(pid, false);
  // A supervisor was started by this process or an earlier one, and has let go of it: nobody who is below another has.
  for (const pid_t pid : all)
    if (known.count(pid) == 0) consider(pid, true);
  return found;
}

}  // namespace headrace::apps
