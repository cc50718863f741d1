// TerminalLines: program output as the lines a terminal would finally show. Progress bars draw a line again and again
// with carriage returns and backspaces; a log event, and a metric's regex, wants the text that stays.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace headrace::jobs {

class TerminalLines {
 public:
  using Emit = std::function<void(std::string_view line)>;

  static constexpr size_t kMaxColumns = size_t{1} << 16;  // of a job's lines

  // A line longer than `max_columns` characters is emitted in pieces.
  explicit TerminalLines(size_t max_columns = kMaxColumns) : max_columns_(max_columns) {}

  // Emits every line that `bytes` ends: valid UTF-8 without control characters but tab; what was no UTF-8 is U+FFFD.
  // Escape sequences that move in the line or erase it are obeyed, others (colours) vanish.
  void Feed(std::string_view bytes, const Emit& emit);
  // Emits the unterminated last line, if any.
  void Finish(const Emit& emit);

 private:
  enum class State { kText, kEscape, kControlSequence, kString, kStringEscape };

  void Byte(unsigned char byte, const Emit& emit);
  void Text(unsigned char byte, const Emit& emit);
  void Control(unsigned char byte, const Emit& emit);
  void EndControlSequence(char final);
  void Put(char32_t character, const Emit& emit);
  void EndSequenceOfBytes(const Emit& emit);
  void EndLine(const Emit& emit);

  const size_t max_columns_;
  State state_ = State::kText;
  std::string parameters_;  // of the control sequence being read
  std::u32string cells_;    // the line as it stands
  size_t column_ = 0;       // the cursor; may be behind the end of cells_
  bool redrawn_ = false;    // something moved back: blanks at the end are erasures
  char32_t partial_ = 0;    // a UTF-8 character being read,
  int missing_ = 0;         // the bytes it still lacks,
  char32_t smallest_ = 0;   // and the smallest value its length may encode
  std::string line_;        // scratch
};

}  // namespace headrace::jobs
