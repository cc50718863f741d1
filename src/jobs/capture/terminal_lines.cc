#include "jobs/capture/terminal_lines.h"

#include <algorithm>
#include <charconv>

namespace headrace::jobs {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char kEscapeByte = 0x1b, kBell = 0x07;
constexpr size_t kMaxParameters = 64;

void AppendUtf8(char32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

bool IsPlain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return (c >= 0x20 && c < 0x7f) || c == '\t'; });
}

}  // namespace

void TerminalLines::Feed(std::string_view bytes, const Emit& emit) {
  while (!bytes.empty()) {
    // Most lines are plain and come whole: they pass without being taken apart.
    if (cells_.empty() && column_ == 0 && !redrawn_ && missing_ == 0 && state_ == State::kText) {
      const auto end = bytes.find('\n');
      if (end != std::string_view::npos && end <= max_columns_ && IsPlain(bytes.substr(0, end))) {
        emit(bytes.substr(0, end));
        bytes.remove_prefix(end + 1);
        continue;
      }
    }
    const auto end = std::min(bytes.find('\n'), bytes.size() - 1);
    for (size_t i = 0; i <= end; ++i) Byte(static_cast<unsigned char>(bytes[i]), emit);
    bytes.remove_prefix(end + 1);
  }
}

void TerminalLines::Finish(const Emit& emit) {
  EndSequenceOfBytes(emit);
  state_ = State::kText;
  if (!cells_.empty()) EndLine(emit);
}

void TerminalLines::Byte(unsigned char byte, const Emit& emit) {
  if (byte == '\n') {  // ends whatever was open, so that a broken sequence cannot swallow the log
    state_ = State::kText;
    EndSequenceOfBytes(emit);
    EndLine(emit);
    return;
  }
  switch (state_) {
    case State::kText:
      Text(byte, emit);
      break;
    case State::kEscape:
      parameters_.clear();
      state_ = byte == '[' ? State::kControlSequence : byte == ']' || byte == 'P' ? State::kString : State::kText;
      break;
    case State::kControlSequence:
      if (byte >= 0x40 && byte <= 0x7e) {
        state_ = State::kText;
        EndControlSequence(static_cast<char>(byte));
      } else if (parameters_.size() < kMaxParameters) {
        parameters_ += static_cast<char>(byte);
      }
      break;
    case State::kString:
      if (byte == kBell) state_ = State::kText;
      if (byte == kEscapeByte) state_ = State::kStringEscape;
      break;
    case State::kStringEscape:
      state_ = byte == '\\' ? State::kText : State::kString;
      break;
  }
}

void TerminalLines::Text(unsigned char byte, const Emit& emit) {
  if (missing_ > 0 && (byte & 0xC0) == 0x80) {
    partial_ = (partial_ << 6) | (byte & 0x3F);
    if (--missing_ > 0) return;
    const bool valid = partial_ >= smallest_ && partial_ <= 0x10FFFF && (partial_ < 0xD800 || partial_ > 0xDFFF);
    Put(valid ? partial_ : kReplacement, emit);
    return;
  }
  EndSequenceOfBytes(emit);
  const auto begin = [&](int missing, unsigned char mask, char32_t smallest) {
    missing_ = missing;
    partial_ = byte & mask;
    smallest_ = smallest;
  };
  if (byte < 0x20 || byte == 0x7f) {
    Control(byte, emit);
  } else if (byte < 0x80) {
    Put(byte, emit);
  } else if ((byte & 0xE0) == 0xC0) {
    begin(1, 0x1F, 0x80);
  } else if ((byte & 0xF0) == 0xE0) {
    begin(2, 0x0F, 0x800);
  } else if ((byte & 0xF8) == 0xF0) {
    begin(3, 0x07, 0x10000);
  } else {
    Put(kReplacement, emit);
  }
}

void TerminalLines::Control(unsigned char byte, const Emit& emit) {
  if (byte == '\r') {
    redrawn_ = redrawn_ || column_ > 0;
    column_ = 0;
  } else if (byte == '\b') {
    redrawn_ = true;
    if (column_ > 0) --column_;
  } else if (byte == '\t') {
    Put('\t', emit);
  } else if (byte == kEscapeByte) {
    state_ = State::kEscape;
  }
}

void TerminalLines::EndControlSequence(char final) {
  size_t number = 0;
  std::from_chars(parameters_.data(), parameters_.data() + parameters_.size(), number);
  const size_t steps = std::max<size_t>(number, 1);
  switch (final) {
    case 'K':  // erase: 0 from the cursor on, 1 up to the cursor, 2 all
      redrawn_ = true;
      if (number == 0 && column_ < cells_.size()) cells_.resize(column_);
      if (number == 1) std::fill_n(cells_.begin(), std::min(column_ + 1, cells_.size()), U' ');
      if (number == 2) cells_.clear();
      break;
    case 'C':
      column_ = std::min(column_ + std::min(steps, max_columns_), max_columns_ - 1);
      break;
    case 'D':
      redrawn_ = true;
      column_ -= std::min(column_, steps);
      break;
    case 'G':
      redrawn_ = true;
      column_ = std::min(steps, max_columns_) - 1;
      break;
    default:
      break;
  }
}

void TerminalLines::Put(char32_t character, const Emit& emit) {
  if (column_ >= max_columns_) EndLine(emit);
  if (column_ >= cells_.size()) cells_.resize(column_ + 1, U' ');
  cells_[column_++] = character;
}

// A UTF-8 character that did not get all its bytes.
void TerminalLines::EndSequenceOfBytes(const Emit& emit) {
  if (missing_ == 0) return;
  missing_ = 0;
  Put(kReplacement, emit);
}

void TerminalLines::EndLine(const Emit& emit) {
  if (redrawn_)
    while (!cells_.empty() && cells_.back() == U' ') cells_.pop_back();
  line_.clear();
  for (const char32_t cell : cells_) AppendUtf8(cell, line_);
  cells_.clear();
  column_ = 0;
  redrawn_ = false;
  emit(line_);
}

}  // namespace headrace::jobs
