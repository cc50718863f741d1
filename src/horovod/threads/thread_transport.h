// ThreadTransport: the ranks are threads of one process, their messages queues. For tests.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "horovod/transport.h"

namespace headrace::hvd {

// One transport a rank; `hosts` names the host of each.
std::vector<std::unique_ptr<Transport>> MakeThreadTransports(const std::vector<std::string>& hosts);

}  // namespace headrace::hvd
