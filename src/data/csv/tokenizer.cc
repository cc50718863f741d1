#include "data/csv/tokenizer.h"

#include <utility>

namespace headrace::data {

CsvTokenizer::CsvTokenizer(std::unique_ptr<ByteSource> source, std::string name, Rules rules)
    : name_(std::move(name)), rules_(rules), buffer_(std::move(source), rules.buffer_bytes) {}

std::string CsvTokenizer::Place() const { return fmt::format("{}: record {}", name_, record_); }

Result<bool> CsvTokenizer::Next(std::vector<std::string>& fields) {
  buffer_.Consume(std::exchange(at_, 0));
  count_ = 0;
  ++record_;
  HEADRACE_ASSIGN(Char next, Peek());
  if (next == Char::kEnd) return false;
  while (true) {
    if (count_ == fields.size()) fields.emplace_back();
    std::string& field = fields[count_++];
    field.clear();
    HEADRACE_ASSIGN(next, Peek());
    const bool quoted = rules_.quotes && next == Char::kPlain && byte() == '"';
    HEADRACE_ASSIGN(next, quoted ? ReadQuoted(field) : ReadPlain(field));
    if (next == Char::kDelimiter) {
      ++at_;
      continue;
    }
    if (next == Char::kLineEnd) HEADRACE_TRY(EndLine());
    return true;
  }
}

Result<CsvTokenizer::Char> CsvTokenizer::Peek() {
  if (at_ >= buffer_.available()) {
    if (at_ > rules_.max_record_bytes)
      return Fail(ErrorCode::kResourceExhausted, "{}: longer than the limit of {} bytes", Place(),
                  rules_.max_record_bytes);
    HEADRACE_ASSIGN(const bool more, buffer_.Need(at_ + 1));
    if (!more) return Char::kEnd;
  }
  const char c = byte();
  if (c == rules_.delimiter) return Char::kDelimiter;
  return c == '\n' || c == '\r' ? Char::kLineEnd : Char::kPlain;
}

Result<CsvTokenizer::Char> CsvTokenizer::ReadPlain(std::string& field) {
  while (true) {
    HEADRACE_ASSIGN(const Char next, Peek());
    if (next != Char::kPlain) return next;
    if (rules_.quotes && byte() == '"')
      return Fail(ErrorCode::kDataLoss, "{}: field {} has a quote inside and none around it", Place(), count_);
    field += byte();
    ++at_;
  }
}

Result<CsvTokenizer::Char> CsvTokenizer::ReadQuoted(std::string& field) {
  ++at_;
  while (true) {
    HEADRACE_ASSIGN(Char next, Peek());
    if (next == Char::kEnd) return Fail(ErrorCode::kDataLoss, "{}: field {} lacks its last quote", Place(), count_);
    const char c = byte();
    ++at_;
    if (c != '"') {
      field += c;
      continue;
    }
    HEADRACE_ASSIGN(next, Peek());
    if (next != Char::kPlain) return next;
    if (byte() != '"')
      return Fail(ErrorCode::kDataLoss, "{}: field {} has a quote inside that is not doubled", Place(), count_);
    field += '"';
    ++at_;
  }
}

Status CsvTokenizer::EndLine() {
  const bool carriage_return = byte() == '\r';
  ++at_;
  if (!carriage_return) return {};
  HEADRACE_ASSIGN(const Char next, Peek());
  if (next != Char::kEnd && byte() == '\n') ++at_;
  return {};
}

}  // namespace headrace::data
