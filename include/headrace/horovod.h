// Horovod for C++ programs: the same program runs as several ranks, started by mpirun or by a training job with MPI.
//
//   hvd::init();
//   auto train = data::Dataset::TFRecord(files).shard(hvd::size(), hvd::rank())...
//
// Without mpirun there is one rank, and MPI is not started. Link headrace::horovod (-lheadrace_horovod).
#pragma once

#include <cstdint>
#include <string>

#include "headrace/error.h"
#include "headrace/tensor.h"

namespace headrace::hvd {

// The element types of Horovod, with its numbers, and bfloat16.
enum class DataType : uint8_t {
  kUInt8 = 0,
  kInt8 = 1,
  kUInt16 = 2,
  kInt16 = 3,
  kInt32 = 4,
  kInt64 = 5,
  kFloat16 = 6,
  kFloat32 = 7,
  kFloat64 = 8,
  kBool = 9,
  kBFloat16 = 10
};
size_t SizeOf(DataType type);       // bytes of one element
const char* NameOf(DataType type);  // "float32"
DataType DataTypeOf(DType dtype);

// With Horovod's numbers. Average is the sum divided by the number of ranks.
enum class ReduceOp : uint8_t { kAverage = 0, kSum = 1, kAdasum = 2, kMin = 3, kMax = 4, kProduct = 5 };
const char* NameOf(ReduceOp op);  // "average"

// How float32 values travel between machines. Within a machine nothing is compressed.
enum class Compression : uint8_t { kNone, kFloat16, kBFloat16 };

// Joins the other ranks; the first call of a program, before it starts threads or computes: the rank takes its share of
// the processors here. A second call does nothing. Throws Error: kUnavailable when the ranks do not find each other.
void init();
// Says goodbye to the other ranks. What they still wait for with this rank ends with an error. At the end of the
// program it is called by itself.
void shutdown();
bool is_initialized();

// Each throws Error (kFailedPrecondition) before init().
int rank();             // 0 .. size() - 1, in the whole job
int size();             // ranks of the whole job
int local_rank();       // among the ranks of this host
int local_size();       // ranks of this host
int cross_rank();       // among the ranks with this local_rank on all hosts: the number of the host
int cross_size();       // how many hosts have a rank with this local_rank
bool is_homogeneous();  // whether all hosts have equally many ranks

}  // namespace headrace::hvd
