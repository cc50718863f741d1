// Takes a request's bytes into a blob: verified, hashed and written while they arrive.
#pragma once

#include <functional>

#include "api/s3/operations.h"

namespace headrace::api::s3 {

// Runs `check` on the pool before any byte is kept, and `finish` with the whole blob, its MD5 set, not yet sealed.
http::Task<Outcome> Receive(Exchange& exchange, std::function<Reply<void>()> check,
                            std::function<Outcome(store::BlobWriter)> finish);

}  // namespace headrace::api::s3
