// Takes a request's bytes into a blob: verified, hashed and written while they arrive.
#pragma once

#include <functional>

#include "api/s3/operations.h"
#include "api/s3/post_policy.h"

namespace headrace::api::s3 {

// kBeforeBytes: `check` prepares the reader. kBeforeKeeping: small bodies are read first, which saves a visit to the
// pool.
enum class Check { kBeforeBytes, kBeforeKeeping };

// Runs `check` on the pool before any byte is kept, and `finish` with the whole blob, its MD5 set, not yet sealed.
// Bodies whose size nobody has announced: EntityTooSmall and EntityTooLarge say what is outside `range`.
http::Task<Outcome> ReceiveUnannounced(Exchange& exchange, SizeRange range, std::function<Reply<void>()> check,
                                       std::function<Outcome(store::BlobWriter)> finish);
http::Task<Outcome> Receive(Exchange& exchange, Check when, std::function<Reply<void>()> check,
                            std::function<Outcome(store::BlobWriter)> finish);

}  // namespace headrace::api::s3
