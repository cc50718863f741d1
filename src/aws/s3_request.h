// What the gateway does to an S3 request before the service sees it.
#pragma once

#include <optional>

#include "aws/auth.h"
#include "aws/error.h"
#include "aws/identity.h"
#include "aws/payload.h"
#include "http/message.h"

namespace headrace::aws {

struct S3Access {
  SignatureClaim claim;
  SigningKey key;
  std::optional<ChunkSigning> chunks;  // for requests signed in their header
};

// Everything about the signature, in S3's words. The body is checked later, while it is read.
Reply<S3Access> CheckS3Access(const http::Request& request, const KeyLookup& keys, UnixMillis now);

// Takes aws-chunked out of Content-Encoding; turns the query parameters x-amz-* of presigned requests into headers.
void PrepareS3Request(http::Request& request, const SignatureClaim& claim);

}  // namespace headrace::aws
