// A record as an element: a view into the read buffer, or a copy where elements are kept for long.
#pragma once

#include <string_view>

#include "data/dataset/stage.h"
#include "data/record_stream.h"

namespace headrace::data {

// `record` is what `stream.Next()` last returned.
inline Element ElementOf(RecordStream& stream, std::string_view record, const Context& context) {
  if (context.retain) return Element(FromBytes(record));
  return Element(Tensor::View(DType::kUInt8, {static_cast<int64_t>(record.size())}, const_cast<char*>(record.data()),
                              stream.owner()));
}

}  // namespace headrace::data
