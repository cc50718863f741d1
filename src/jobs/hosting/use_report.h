// UseReport: tells CloudWatch what the instances that serve use of their machine, five seconds after they came to serve
// and then once a minute.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "jobs/hosting/generation.h"
#include "store/meta/database.h"
#include "store/meta/metrics.h"

namespace headrace::jobs {

class UseReport {
 public:
  using Sample = std::function<std::vector<Generation::Use>(UnixMillis now)>;
  // The metrics of one instance, behind what `data` holds.
  using Add = std::function<void(const Generation::Use& use, UnixMillis now, std::vector<store::MetricDatum>& data)>;

  // `whose` names them in the server's own log, where failures go. The database outlives the report.
  UseReport(store::Database& database, std::string whose, Add add)
      : database_(database), whose_(std::move(whose)), add_(std::move(add)) {}

  // Asks `sample` and writes when it is time; an empty one says that nothing serves. Returns when it wants to be called
  // again; 0: not before something serves.
  UnixMillis Step(UnixMillis now, const Sample& sample);

 private:
  store::Database& database_;
  const std::string whose_;
  const Add add_;
  UnixMillis next_ = 0;  // when instances are asked; 0: none has served yet
};

}  // namespace headrace::jobs
