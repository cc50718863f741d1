// Blobs: files of immutable bytes under random names.
//
//   objects/lock                 held by the one process that uses the directory
//   objects/incoming/ID          being written; worth nothing
//   objects/blobs/SHARD/ID       whole and on disk once a row of the database names it; else garbage
//
// An ID is 12 hexadecimal digits of the process's run and 20 of its own, so that the sweep for garbage can leave alone
// what this run writes. SHARD is the two digits behind the run's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/descriptor.h"
#include "base/result.h"
#include "store/disk_room.h"
#include "store/objects/md5.h"

namespace headrace::store {

class BlobDirectory;

enum class Hashing { kHere, kByCaller };

// Writes one blob. Dropped before Keep(), it leaves nothing behind.
class BlobWriter {
 public:
  BlobWriter(BlobWriter&& other) noexcept;
  BlobWriter& operator=(BlobWriter&&) = delete;
  ~BlobWriter();

  Status Write(std::string_view bytes);
  // Appends bytes of another file without hashing them: for parts whose hashes are known.
  Status AppendFrom(int fd, uint64_t offset, uint64_t size);
  // Moves the file to its place and flushes both to disk. No Write after it.
  Status Seal();
  // From now on a row names it.
  void Keep() { path_.clear(); }

  const std::string& blob() const { return blob_; }
  uint64_t size() const { return size_; }
  // Of what was given to Write, hexadecimal; after Seal().
  const std::string& md5() const { return md5_; }
  // The CRC64NVME of the same bytes, base64; "" with Hashing::kByCaller, and when bytes were appended without hashing.
  std::string crc64nvme() const;
  // For Hashing::kByCaller, before Seal().
  void SetMd5(std::string hexadecimal) { md5_ = std::move(hexadecimal); }
  bool sealed() const { return !file_; }

 private:
  friend class BlobDirectory;
  BlobWriter(const BlobDirectory& directory, std::string blob) : directory_(&directory), blob_(std::move(blob)) {}
  Status StartFlush();

  const BlobDirectory* directory_;
  std::string blob_, path_;
  Descriptor file_;
  std::optional<Md5> hash_;
  std::optional<uint64_t> crc64_;
  std::string md5_;
  uint64_t size_ = 0, flushed_ = 0;
};

class BlobDirectory {
 public:
  // Makes what is missing and empties incoming/. kFailedPrecondition while another process uses the directory.
  static Result<std::unique_ptr<BlobDirectory>> Open(const std::string& path);

  // kResourceExhausted on a full disk (DiskRoom); so is a Write that would fill it.
  Result<BlobWriter> New(Hashing hashing = Hashing::kHere) const;
  // A sealed blob from a file of the same file system, which moves. Its bytes are read once for their hashes, which
  // takes as long as the file is: kUnavailable when `cancelled` meanwhile, and the file is where it was.
  Result<BlobWriter> Adopt(const std::string& file, const std::function<bool()>& cancelled) const;
  std::string PathOf(const std::string& blob) const;
  Result<std::shared_ptr<const Descriptor>> Open(const std::string& blob, const char* what) const;
  void Remove(const std::string& blob) const;
  // Removes blobs of earlier runs that `in_use` denies; returns how many. Ends early once `stop` says so.
  size_t Sweep(const std::function<bool(const std::string&)>& in_use, const std::function<bool()>& stop) const;

 private:
  friend class BlobWriter;
  explicit BlobDirectory(std::string path);
  std::string ShardOf(const std::string& blob) const;
  std::string NewName() const;
  // Renames a file to its place as `blob`; the caller flushes the shard.
  Status MoveIn(const std::string& from, const std::string& blob) const;

  const std::string path_, run_;
  const DiskRoom room_;
  Descriptor lock_;
};

}  // namespace headrace::store
