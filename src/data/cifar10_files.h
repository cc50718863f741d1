// The layout of the binary version of CIFAR-10.
#pragma once

#include <cstddef>

namespace headrace::data {

inline constexpr const char* kCifar10BatchNames[] = {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                                     "data_batch_4.bin", "data_batch_5.bin", "test_batch.bin"};
inline constexpr size_t kCifar10RecordBytes = 1 + 3072;
inline constexpr size_t kCifar10BatchBytes = 10000 * kCifar10RecordBytes;

}  // namespace headrace::data
