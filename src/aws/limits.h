// How much of a request is looked at before it is refused: one place for every bound of the AWS protocols.
#pragma once

#include <cstddef>
#include <cstdint>

namespace headrace::aws {

// Bodies of JSON, Query and CBOR operations, as received and after gzip. The largest in real use: PutLogEvents, 1 MiB
// of text plus JSON's escapes.
inline constexpr size_t kMaxOperationBody = size_t{8} << 20;
inline constexpr size_t kMaxInflatedBody = size_t{16} << 20;
// InvokeEndpoint and BatchPutMetrics; the service's own 6 MiB limit is checked by whoever answers, who can word it.
inline constexpr size_t kMaxRuntimeBody = size_t{64} << 20;
// All bodies that wait in memory, of all requests together.
inline constexpr size_t kMaxBodyMemory = size_t{512} << 20;
// Bodies above this size are hashed and decoded on the pool, so that they keep no connection's thread.
inline constexpr size_t kMaxQuickBody = size_t{128} << 10;
// Documents of S3: DeleteObjects with 1000 keys of 1024 bytes, CompleteMultipartUpload with 10000 parts.
inline constexpr size_t kMaxXmlBody = size_t{8} << 20;

inline constexpr int kMaxNesting = 64;         // of JSON, CBOR, XML and Query members
inline constexpr size_t kMaxValues = 500'000;  // values in one document, so that a small body cannot fill the memory
inline constexpr size_t kMaxParameters = 100'000;  // of a form
inline constexpr size_t kMaxSignedHeaders = 100;
inline constexpr size_t kMaxQueryBytes = size_t{64} << 10;  // of a URL that is signed

inline constexpr size_t kMaxFormFields = size_t{20} << 10;  // what stands in front of the file of a POST upload

inline constexpr size_t kMaxChunkLine = 512;                 // aws-chunked: a chunk's own line, or a trailer's
inline constexpr size_t kMaxTrailerBytes = size_t{8} << 10;  // all trailers of a body
inline constexpr uint64_t kMaxChunkBytes = uint64_t{5} << 30;

inline constexpr int64_t kMaxSkewMillis = 15 * 60 * 1000;
inline constexpr int64_t kMaxPresignedSeconds = 604800;

inline constexpr size_t kMaxPageToken = 8192;

}  // namespace headrace::aws
