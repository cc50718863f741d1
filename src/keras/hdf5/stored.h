// What a dataset of an HDF5 file declares and what the file really stores of it, looked at before there is memory for
// it and before any other file is opened. A model file comes from strangers: the format lets a dataset lie in another
// file (external storage, external links, virtual datasets), name terabytes in a few bytes, and inflate without end.
// Keras writes none of that. Sees HDF5's own headers through its .cc alone.
#pragma once

#include <cstdint>
#include <string>

#include "headrace/tensor.h"

namespace headrace::keras::internal::hdf5 {

struct StoredDataset {
  Shape shape;
  uint64_t declared = 0;  // bytes, by its shape and type
  uint64_t stored = 0;    // bytes in the file
  int filters = 0;        // of its chunks
  int deflate_at = -1;    // the place of gzip among them
  bool compressed() const { return deflate_at >= 0; }
};

// Walks the links of `name` below `group` (HDF5 identifiers) one by one. Throws kDataLoss when one of them is soft or
// external, or of a kind that a library adds; a link that is not there is no error. `shown` begins the message.
void RequireHardLinks(int64_t group, const std::string& name, const char* what, const std::string& shown);

// Of an open dataset. Throws kDataLoss, naming `shown` and the sizes, when its values lie outside of the file, are no
// numbers, are compressed in a way that Keras's files are not, or are far more than what is stored for them.
StoredDataset CheckStored(int64_t dataset, uint64_t file_bytes, const std::string& shown);

// That every chunk of a filtered dataset becomes exactly one chunk: gzip may inflate without end, and the library
// copies a whole chunk out of what it has. Reads all of them.
void CheckChunks(int64_t dataset, const StoredDataset& stored, const std::string& shown);

}  // namespace headrace::keras::internal::hdf5
