// InstanceLog: the way of model servers' lines into a log group. Lines of a fifth of a second go there together.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/hosting/instance.h"
#include "store/meta/database.h"

namespace headrace::jobs {

class InstanceLog {
 public:
  // Both outlive the log.
  InstanceLog(store::Database& database, const Clock& clock, std::string account, std::string group)
      : database_(database), clock_(clock), account_(std::move(account)), group_(std::move(group)) {}

  // Whether the lines there are should be taken and appended now; `any`: there are some.
  bool Due(bool any);
  // They are taken, due or not.
  void Taken() { since_ = 0; }
  // The earlier of `until` and when Due() wants to be asked again; 0: never.
  UnixMillis NextLook(UnixMillis until) const;
  // A failure goes into the server's own log.
  void Append(const std::string& stream, const std::vector<Instance::Line>& lines);

 private:
  store::Database& database_;
  const Clock& clock_;
  const std::string account_, group_;
  const BootClock steady_;
  int64_t since_ = 0;  // of steady_, the oldest line that waits; 0: none does
};

}  // namespace headrace::jobs
