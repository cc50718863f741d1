// The fields of CSV text by the rules of TensorFlow's reader, which are those of RFC 4180 with \n, \r\n or \r.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/read_buffer.h"

namespace headrace::data {

class CsvTokenizer {
 public:
  struct Rules {
    char delimiter = ',';
    bool quotes = true;
    size_t max_record_bytes = 0;
    size_t buffer_bytes = 0;
  };
  // `name` is for messages.
  CsvTokenizer(std::unique_ptr<ByteSource> source, std::string name, Rules rules);

  // The fields of the next record, without their quotes; false at the end. `fields` may keep more entries than count().
  Result<bool> Next(std::vector<std::string>& fields);
  size_t count() const { return count_; }
  // "table.csv: record 7", counted from 1.
  std::string Place() const;

 private:
  enum class Char { kPlain, kDelimiter, kLineEnd, kEnd };
  Result<Char> Peek();  // of the byte at at_
  char byte() const { return buffer_.data()[at_]; }
  Result<Char> ReadPlain(std::string& field);
  Result<Char> ReadQuoted(std::string& field);
  Status EndLine();

  std::string name_;
  Rules rules_;
  ReadBuffer buffer_;
  size_t at_ = 0;  // of the byte looked at, in this record
  size_t count_ = 0;
  uint64_t record_ = 0;
};

}  // namespace headrace::data
