// Who may do what, in S3's words; store/access/permissions.h decides.
#pragma once

#include <string>
#include <string_view>

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

// Canned ACLs that a bucket or an object may have.
Reply<std::string> CannedAcl(const Exchange& exchange);

// The bucket of the request, if the caller may do `action` ("s3:ListBucket", "s3:PutObject") in it: NoSuchBucket,
// AccessDenied (also when x-amz-expected-bucket-owner names another account).
Reply<store::Bucket> BucketFor(const Exchange& exchange, std::string_view action);

// Whether the caller may do `action` to `key` of `bucket`; `object`: what is there, or nullptr.
Reply<void> Permit(const Exchange& exchange, const store::Bucket& bucket, std::string_view key,
                   const store::Object* object, std::string_view action);

// The object of the request, if the caller may do `action` to it. NoSuchKey, or AccessDenied for those who may not
// know. `key` must have been checked by the dispatcher.
Reply<store::Object> ObjectFor(const Exchange& exchange, const store::Bucket& bucket, std::string_view action);

// A bucket by name, without a look at permissions: NoSuchBucket.
Reply<store::Bucket> LookUpBucket(const Exchange& exchange, const std::string& name);

}  // namespace headrace::api::s3
