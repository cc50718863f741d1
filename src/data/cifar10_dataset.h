// The CIFAR-10 data set as TFRecord files: what `headrace dataset cifar10` does.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace headrace::data {

// The binary version. https://www.cs.toronto.edu/~kriz/cifar.html
inline constexpr const char* kCifar10Url = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz";
inline constexpr const char* kCifar10Md5 = "c32a1d4ab5d03f1284b67883e8d87530";

struct Cifar10Options {
  std::string data_dir;  // gets train/train.tfrecords, validation/validation.tfrecords and eval/eval.tfrecords
  std::string from;      // a downloaded archive or an unpacked cifar-10-batches-bin; empty: download
  bool sample = false;   // the images shipped with Headrace instead
  std::string url = kCifar10Url;
  std::string md5 = kCifar10Md5;  // of the archive
};

// Called now and then: what is being done ("downloading", "writing train"), how much of it is done, and of how much
// (bytes or images; 0: unknown). The last call for a step has done == total.
using Progress = std::function<void(std::string_view what, uint64_t done, uint64_t total)>;

struct Cifar10Split {
  std::string path;
  uint64_t images = 0;
};
using Cifar10Splits = std::array<Cifar10Split, 3>;  // train (batches 1 to 4), validation (5), eval (the test batch)

// Every file appears complete or not at all. A broken download leaves `<data_dir>/cifar-10-binary.tar.gz.part`, from
// which the next call goes on; a complete one stays as `cifar-10-binary.tar.gz` and is used again.
Result<Cifar10Splits> MakeCifar10Dataset(const Cifar10Options& options, const Progress& progress = nullptr);

// --- Its parts, for tests --------------------------------------------------------------------------------------

// The bytes of data_batch_1.bin to data_batch_5.bin and test_batch.bin: records of one label byte and 3072 bytes CHW.
using Cifar10Batches = std::array<std::string, 6>;

Result<Cifar10Batches> ReadCifar10Directory(const std::string& directory);
Result<Cifar10Batches> ReadCifar10Archive(const std::string& path);

// Lower-case hexadecimal MD5 of a file.
Result<std::string> Md5OfFile(const std::string& path, const Progress& progress = nullptr);
// Downloads to `path` by way of `path`.part, going on from what is there; checks the MD5 before the file gets its name.
Status Download(const std::string& url, const std::string& md5, const std::string& path,
                const Progress& progress = nullptr);

}  // namespace headrace::data
