#include "jobs/capture/terminal_lines.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Lines(std::string_view bytes, size_t piece = 1 << 20, size_t max_columns = 1 << 16) {
  std::vector<std::string> lines;
  TerminalLines terminal(max_columns);
  const auto emit = [&](std::string_view line) { lines.emplace_back(line); };
  for (size_t i = 0; i < bytes.size(); i += piece) terminal.Feed(bytes.substr(i, piece), emit);
  terminal.Finish(emit);
  return lines;
}

TEST(TerminalLines, SplitsLinesAndKeepsTheUnterminatedLast) {
  EXPECT_THAT(Lines("a\n\nb  \r\nc"), ElementsAre("a", "", "b", "c"));
  EXPECT_THAT(Lines("a  \n\tb\n"), ElementsAre("a  ", "\tb"));
}

TEST(TerminalLines, ShowsWhatAProgressBarLeaves) {
  EXPECT_THAT(Lines("\r  1/156 [..] - loss: 2.3\r156/156 [==] - loss: 1.5 - accuracy: 0.4\n"),
              ElementsAre("156/156 [==] - loss: 1.5 - accuracy: 0.4"));
  EXPECT_THAT(Lines("loss: 2.3000\b\b\b\b1.5   \n"), ElementsAre("loss: 2.1.5"));
  EXPECT_THAT(Lines("long text\rabc\n"), ElementsAre("abcg text"));
  EXPECT_THAT(Lines("long text\r\x1b[Kabc\n"), ElementsAre("abc"));
  EXPECT_THAT(Lines("50%\x1b[2K\x1b[1G100%\n"), ElementsAre("100%"));
}

TEST(TerminalLines, DropsColoursAndControlCharacters) {
  EXPECT_THAT(Lines("\x1b[31;1mred\x1b[0m\x07 x\x1b]0;title\x07y\n"), ElementsAre("red xy"));
  EXPECT_THAT(Lines("\x1b]never ends\nnext\n"), ElementsAre("", "next"));
  EXPECT_THAT(Lines(std::string_view("a\0b\n", 4)), ElementsAre("ab"));
}

TEST(TerminalLines, ReplacesWhatIsNoUtf8) {
  EXPECT_THAT(Lines("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80\n"), ElementsAre("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80"));
  EXPECT_THAT(Lines("a\xff"
                    "b\xc3\n"),
              ElementsAre("a\xef\xbf\xbd"
                          "b\xef\xbf\xbd"));
  EXPECT_THAT(Lines("\xc0\xaf\xed\xa0\x80\n"), ElementsAre("\xef\xbf\xbd\xef\xbf\xbd"));
}

TEST(TerminalLines, CutsLongLines) {
  EXPECT_THAT(Lines("abcdefgh\nxy\n", 100, 3), ElementsAre("abc", "def", "gh", "xy"));
  EXPECT_THAT(Lines("abc\n", 100, 3), ElementsAre("abc"));
  EXPECT_THAT(Lines("\x1b[99999999999999999999C.\x1b[9999999Cx\n", 100, 3), ElementsAre(" .x"));
}

TEST(TerminalLines, DoesNotDependOnHowTheBytesArrive) {
  const std::string_view bytes = "a\xc3\xbc\r\x1b[31mb\x1b[0K\r\n1/2\b\b\b2/2 done\n\xf0\x9f\n\x1b]x\x1b\\tail";
  const auto whole = Lines(bytes);
  for (size_t piece = 1; piece < 7; ++piece) EXPECT_EQ(Lines(bytes, piece), whole) << piece;
  EXPECT_THAT(Lines("\b\n x \n", 1), ElementsAre("", " x "));  // found by fuzzing: the first line's backspace is over
}

}  // namespace
}  // namespace headrace::jobs
