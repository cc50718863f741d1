// InstalledPackages: what requirements.txt asks for, installed once for all jobs of an account that ask for the same on
// the same interpreter. pip runs in the job's sandbox and may run what the packages bring, so what it leaves is the
// tenant's own: no other account's jobs see it, the server never looks into it, and jobs see it read-only.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/beneath.h"
#include "base/result.h"
#include "jobs/supervisor/job_context.h"

namespace headrace::jobs {

class InstalledPackages {
 public:
  explicit InstalledPackages(const JobContext& context) : context_(context) {}

  // Has the packages of requirements.txt in `code` where JobView::packages() says, as long as this lives. `variables`
  // are the program's.
  Status Prepare(const HeldDirectory& code, const std::map<std::string, std::string>& variables);

 private:
  std::string BuildDirectory() const { return context_.directory.files() + "/requirements"; }
  Status Build(const std::map<std::string, std::string>& variables) const;
  Status MakeEnvironment() const;
  Status RunPip(std::map<std::string, std::string> variables) const;
  Status FindOrBuild(const std::string& key, const std::map<std::string, std::string>& variables);
  std::string KeyOf(const std::string& requirements, const std::map<std::string, std::string>& variables) const;

  const JobContext& context_;
  std::optional<HeldDirectory> in_use_;  // of the cache, locked: it is not removed meanwhile
};

}  // namespace headrace::jobs
