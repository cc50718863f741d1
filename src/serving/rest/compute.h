// A handler's wait for the batcher: no thread of the server is held.
#pragma once

#include <memory>
#include <vector>

#include "http/message.h"
#include "serving/model/batcher.h"

namespace headrace::serving {

http::Task<Batcher::Outputs> Compute(Batcher& batcher, std::shared_ptr<Servable> servable, size_t signature,
                                     std::vector<Tensor> inputs);

}  // namespace headrace::serving
