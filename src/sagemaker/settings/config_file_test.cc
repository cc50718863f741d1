#include "sagemaker/settings/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::sagemaker {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

ConfigSection SectionOf(std::string_view text, std::string_view name) {
  const auto file = ParseConfigFile(text);
  EXPECT_TRUE(file) << file.error().message();
  const ConfigSection* section = file->Find(name);
  EXPECT_NE(section, nullptr);
  return section != nullptr ? *section : ConfigSection{};
}

std::string ErrorOf(std::string_view text) {
  const auto file = ParseConfigFile(text);
  return file ? "" : file.error().message();
}

TEST(ConfigFile, ReadsSettingsOfSections) {
  const auto section =
      SectionOf("# comment\n[default]\nRegion = us-west-2\noutput:json\n; another\n[profile a]\nx=1\n", "default");
  EXPECT_EQ(section.at("region").text, "us-west-2");
  EXPECT_EQ(section.at("output").text, "json");
  EXPECT_EQ(section.size(), 2u);
}

TEST(ConfigFile, DeeperLinesGoOnWithTheValueBefore) {
  const auto section = SectionOf("[a]\nx = one\n  two\n\n  three\ny = 2\n", "a");
  EXPECT_EQ(section.at("x").text, "one\ntwo\n\nthree");
  EXPECT_EQ(section.at("y").text, "2");
}

TEST(ConfigFile, AnEmptyValueWithDeeperLinesIsAGroup) {
  const auto section = SectionOf("[services dev]\ns3 =\n  endpoint_url = http://x:1/?a=b\n  other=1\n", "services dev");
  EXPECT_TRUE(section.at("s3").is_nested);
  EXPECT_EQ(section.at("s3").nested.at("endpoint_url"), "http://x:1/?a=b");
}

TEST(ConfigFile, TheDefaultSectionInCapitalsIsEverySections) {
  const auto section = SectionOf("[DEFAULT]\nregion=a\noutput=b\n[x]\nregion=c\n", "x");
  EXPECT_EQ(section.at("region").text, "c");
  EXPECT_EQ(section.at("output").text, "b");
}

TEST(ConfigFile, ErrorsNameTheLineAndNoValue) {
  EXPECT_THAT(ErrorOf("secret\n"), HasSubstr("line 1"));
  EXPECT_THAT(ErrorOf("[a]\nx=1\nX=2\n"), HasSubstr("x stands twice in [a]"));
  EXPECT_THAT(ErrorOf("[a]\n[a]\n"), HasSubstr("[a] stands twice"));
  EXPECT_THAT(ErrorOf("[a]\nx=1\nwJalrXUtnFEMI\n"),
              testing::AllOf(HasSubstr("line 3"), testing::Not(HasSubstr("wJalr"))));
  EXPECT_THAT(ErrorOf("[a]\nx = \xff\n"), HasSubstr("UTF-8"));
  EXPECT_THAT(ErrorOf("[a]\nx =\n  wJalr\n"),
              testing::AllOf(HasSubstr("x: wanted NAME = VALUE"), testing::Not(HasSubstr("wJalr"))));
}

TEST(ShellWords, SplitsAsAShellDoes) {
  EXPECT_THAT(*ShellWords(R"(profile "a b"  'c\d' e\ f "g\"h\i")"),
              ElementsAre("profile", "a b", "c\\d", "e f", "g\"h\\i"));
  EXPECT_THAT(*ShellWords(R"(a "" b)"), ElementsAre("a", "", "b"));
  EXPECT_FALSE(ShellWords("profile \"a"));
  EXPECT_FALSE(ShellWords("a\\"));
}

}  // namespace
}  // namespace headrace::sagemaker
