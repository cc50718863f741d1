#include "data/cifar10_dataset.h"

#include <filesystem>

#include "headrace/data.h"

#include "base/file.h"
#include "data/cifar10_files.h"

namespace headrace::data {
namespace {

namespace fs = std::filesystem;

Status CheckBatch(size_t batch, std::string_view bytes, bool whole) {
  const char* name = kCifar10BatchNames[batch];
  if (whole && bytes.size() != kCifar10BatchBytes)
    return Fail(ErrorCode::kDataLoss, "{}: found {} bytes, wanted {}", name, bytes.size(), kCifar10BatchBytes);
  if (bytes.empty() || bytes.size() % kCifar10RecordBytes != 0)
    return Fail(ErrorCode::kDataLoss, "{}: found {} bytes, wanted a multiple of {}", name, bytes.size(),
                kCifar10RecordBytes);
  for (size_t at = 0; at < bytes.size(); at += kCifar10RecordBytes) {
    const auto label = static_cast<uint8_t>(bytes[at]);
    if (label >= cifar10::kClasses)
      return Fail(ErrorCode::kDataLoss, "{}: record {} at byte {}: found the label {}, wanted 0 to 9", name,
                  at / kCifar10RecordBytes, at, label);
  }
  return {};
}

// Where an installation has the sample is known from where its programs lie: it can be moved as a whole.
Result<std::string> SampleDirectory() {
  std::error_code ignored;
  const auto programs = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  const auto installed = (programs / HEADRACE_SAMPLE_INSTALLED).lexically_normal().string();
  for (const auto& directory : {installed, std::string(HEADRACE_SAMPLE_SOURCE)})
    if (fs::exists(directory, ignored)) return directory;
  return Fail(ErrorCode::kNotFound, "the sample images are neither in {} nor in {}", installed, HEADRACE_SAMPLE_SOURCE);
}

Result<Cifar10Batches> ReadChecked(const std::string& archive, const std::string& md5, const Progress& progress) {
  HEADRACE_ASSIGN(const std::string found, Md5OfFile(archive, progress));
  if (found != md5)
    return Fail(ErrorCode::kDataLoss, "{}: found the MD5 {}, wanted {}: it is damaged or not cifar-10-binary.tar.gz",
                archive, found, md5);
  return ReadCifar10Archive(archive);
}

Result<Cifar10Batches> ReadBatches(const Cifar10Options& options, const Progress& progress) {
  if (options.sample) {
    HEADRACE_ASSIGN(const std::string directory, SampleDirectory());
    return ReadCifar10Directory(directory);
  }
  if (!options.from.empty()) {
    if (fs::is_directory(options.from)) return ReadCifar10Directory(options.from);
    return ReadChecked(options.from, options.md5, progress);
  }
  const std::string archive = (fs::path(options.data_dir) / "cifar-10-binary.tar.gz").string();
  if (!fs::exists(archive)) HEADRACE_TRY(Download(options.url, options.md5, archive, progress));
  return ReadChecked(archive, options.md5, progress);
}

Status WriteSplit(const std::string& name, const Cifar10Batches& batches, size_t first, size_t last,
                  const Progress& progress, Cifar10Split& split) {
  HEADRACE_TRY(MakeDirectories(fs::path(split.path).parent_path().string()));
  uint64_t total = 0;
  for (size_t batch = first; batch <= last; ++batch) total += batches[batch].size() / kCifar10RecordBytes;
  try {
    TFRecordWriter writer(split.path);
    for (size_t batch = first; batch <= last; ++batch)
      for (size_t at = 0; at < batches[batch].size(); at += kCifar10RecordBytes) {
        const std::string_view record(&batches[batch][at], kCifar10RecordBytes);
        writer.Write(cifar10::EncodeRecord(record.substr(1), static_cast<uint8_t>(record[0])));
        constexpr uint64_t kReportEvery = 1000;
        if (++split.images % kReportEvery == 0 && progress) progress("writing " + name, split.images, total);
      }
    writer.Close();
  } catch (const Error& error) {
    return tl::unexpected(error);
  }
  if (progress) progress("writing " + name, total, total);
  return {};
}

}  // namespace

Result<Cifar10Splits> MakeCifar10Dataset(const Cifar10Options& options, const Progress& progress) {
  HEADRACE_TRY(MakeDirectories(options.data_dir));
  HEADRACE_ASSIGN(const Cifar10Batches batches, ReadBatches(options, progress));
  for (size_t batch = 0; batch < batches.size(); ++batch)
    HEADRACE_TRY(CheckBatch(batch, batches[batch], !options.sample));

  struct Range {
    const char* name;
    size_t first, last;
  };
  constexpr Range kRanges[] = {{"train", 0, 3}, {"validation", 4, 4}, {"eval", 5, 5}};
  Cifar10Splits splits;
  for (size_t i = 0; i < splits.size(); ++i) {
    const auto& [name, first, last] = kRanges[i];
    splits[i].path = (fs::path(options.data_dir) / name / (std::string(name) + ".tfrecords")).string();
    HEADRACE_TRY(WriteSplit(name, batches, first, last, progress, splits[i]));
  }
  return splits;
}

}  // namespace headrace::data
