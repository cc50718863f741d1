#include "aws/header_text.h"

#include <gtest/gtest.h>

namespace headrace::aws {
namespace {

TEST(HeaderText, PlainTextStaysAsItIs) {
  for (const char* text : {"", "plain ascii", "a\tb", "=?UTF-8?B?WsO8cmljaA==?=", "~ \"quoted\""})
    EXPECT_EQ(EncodeHeaderText(text), text);
}

TEST(HeaderText, OtherTextBecomesEncodedWords) {
  EXPECT_EQ(EncodeHeaderText("Z\xC3\xBCrich"), "=?UTF-8?B?WsO8cmljaA==?=");
  EXPECT_EQ(EncodeHeaderText("Z\xFCrich"), "=?UTF-8?B?WsO8cmljaA==?=");  // ISO-8859-1
  EXPECT_EQ(EncodeHeaderText("a\r\nb"), "=?UTF-8?B?YQ0KYg==?=");
  EXPECT_EQ(EncodeHeaderText("\x7F"), "=?UTF-8?B?fw==?=");
}

TEST(HeaderText, WordsAreShortAndEndBetweenCharacters) {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "\xE6\x9D\xB1";
  const std::string words = EncodeHeaderText(text);
  EXPECT_TRUE(IsHeaderText(words));
  std::string_view rest = words;
  size_t count = 0;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find(' '));
    EXPECT_LE(word.size(), 75U);
    EXPECT_TRUE(word.starts_with("=?UTF-8?B?") && word.ends_with("?="));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    ++count;
  }
  EXPECT_EQ(count, 3U);  // 15 characters each
}

TEST(HeaderText, NamesAreTokens) {
  for (const char* name : {"x-amz-meta-a", "A1!#$%&'*+-.^_`|~"}) EXPECT_TRUE(IsHeaderName(name)) << name;
  for (const char* name : {"", "a b", "a:b", "a\r\nb", "\xC3\xBC", "a(b)"}) EXPECT_FALSE(IsHeaderName(name)) << name;
}

TEST(HeaderText, KnowsUtf8) {
  EXPECT_TRUE(IsUtf8("a\xC3\xBC\xE6\x9D\xB1\xF0\x9F\x98\x80"));
  for (const char* text : {"\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF5\x80\x80\x80", "\x80"}) EXPECT_FALSE(IsUtf8(text));
}

}  // namespace
}  // namespace headrace::aws
