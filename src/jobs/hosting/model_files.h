// A model's files, from the object store into a directory that its model servers read.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "jobs/hosting/deployment.h"
#include "store/access/account_objects.h"

namespace headrace::jobs {

// Whether the account may read the model's data and it is there; the error says why not.
Status CheckModelData(const store::AccountObjects& objects, const HostedModel& model);

// Fills `directory`, which appears whole or not at all; one that is there is kept. Archives are unpacked with the
// checks of archive/unpack.h. kInvalidArgument for what this platform cannot serve: scripts around the model.
// kUnavailable when `cancelled`.
Status FetchModel(const store::AccountObjects& objects, const HostedModel& model, const std::string& directory,
                  const std::function<bool()>& cancelled);

}  // namespace headrace::jobs
