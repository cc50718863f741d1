// Platform: everything that one `headrace serve` runs, built in one place and taken down in order.
#pragma once

#include <memory>

#include "apps/platform/data_directory.h"
#include "apps/platform/settings.h"
#include "base/result.h"

namespace headrace::apps {

class Platform {
 public:
  // Claims the data directory, makes what is missing in it, and serves.
  static Result<std::unique_ptr<Platform>> Start(const Settings& settings);
  virtual ~Platform() = default;

  virtual const ServerAddress& address() const = 0;
  // Lets running requests end. Training jobs go on; the next start finds them again.
  virtual void Stop() = 0;
};

}  // namespace headrace::apps
