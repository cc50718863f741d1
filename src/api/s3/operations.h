// Every operation of S3 that we have, one file each below operations/. They run on the pool; PutObject and UploadPart
// are coroutines, because bytes stream through them.
#pragma once

#include "api/s3/exchange.h"

namespace headrace::api::s3 {

using Outcome = Reply<http::Response>;

Outcome ListBuckets(Exchange& exchange);
Outcome CreateBucket(Exchange& exchange);
Outcome HeadBucket(Exchange& exchange);
Outcome DeleteBucket(Exchange& exchange);
Outcome GetBucketLocation(Exchange& exchange);
Outcome GetBucketVersioning(Exchange& exchange);
Outcome PutBucketVersioning(Exchange& exchange);
Outcome GetBucketAcl(Exchange& exchange);
Outcome PutBucketAcl(Exchange& exchange);
Outcome GetBucketPolicy(Exchange& exchange);
Outcome PutBucketPolicy(Exchange& exchange);
Outcome DeleteBucketPolicy(Exchange& exchange);
Outcome GetBucketTagging(Exchange& exchange);
Outcome PutBucketTagging(Exchange& exchange);
Outcome DeleteBucketTagging(Exchange& exchange);
Outcome GetBucketEncryption(Exchange& exchange);
Outcome PutBucketEncryption(Exchange& exchange);
Outcome DeleteBucketEncryption(Exchange& exchange);
Outcome GetPublicAccessBlock(Exchange& exchange);
Outcome PutPublicAccessBlock(Exchange& exchange);
Outcome DeletePublicAccessBlock(Exchange& exchange);
Outcome GetBucketOwnershipControls(Exchange& exchange);
Outcome PutBucketOwnershipControls(Exchange& exchange);
Outcome DeleteBucketOwnershipControls(Exchange& exchange);
Outcome GetBucketPolicyStatus(Exchange& exchange);
Outcome GetBucketRequestPayment(Exchange& exchange);
Outcome PutBucketRequestPayment(Exchange& exchange);
Outcome GetBucketAbac(Exchange& exchange);
Outcome GetAbsentConfiguration(Exchange& exchange);
Outcome DeleteAbsentConfiguration(Exchange& exchange);
Outcome PutEmptyConfiguration(Exchange& exchange);
Outcome GetAbsentListed(Exchange& exchange);
Outcome DeleteAbsentListed(Exchange& exchange);
Outcome ListObjects(Exchange& exchange);
Outcome ListObjectsV2(Exchange& exchange);
Outcome ListObjectVersions(Exchange& exchange);
Outcome DeleteObjects(Exchange& exchange);
Outcome ListMultipartUploads(Exchange& exchange);

Outcome GetObject(Exchange& exchange);
Outcome HeadObject(Exchange& exchange);
Outcome DeleteObject(Exchange& exchange);
Outcome CopyObject(Exchange& exchange);
Outcome GetObjectAttributes(Exchange& exchange);
Outcome GetObjectAcl(Exchange& exchange);
Outcome PutObjectAcl(Exchange& exchange);
Outcome GetObjectLockOfObject(Exchange& exchange);
Outcome GetObjectTorrent(Exchange& exchange);
Outcome GetObjectTagging(Exchange& exchange);
Outcome PutObjectTagging(Exchange& exchange);
Outcome DeleteObjectTagging(Exchange& exchange);
http::Task<Outcome> PutObject(Exchange& exchange);
http::Task<Outcome> PostObject(Exchange& exchange);

Outcome CreateMultipartUpload(Exchange& exchange);
Outcome UploadPartCopy(Exchange& exchange);
Outcome ListParts(Exchange& exchange);
Outcome CompleteMultipartUpload(Exchange& exchange);
Outcome AbortMultipartUpload(Exchange& exchange);
http::Task<Outcome> UploadPart(Exchange& exchange);

}  // namespace headrace::api::s3
