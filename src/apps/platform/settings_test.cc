#include "apps/platform/settings.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/file.h"
#include "base/result.h"
#include "base/testing/temporary_directory.h"

namespace headrace::apps {
namespace {

using testing::HasSubstr;

class SettingsTest : public testing::Test {
 protected:
  Settings Read(std::vector<std::string> arguments) const {
    CLI::App app;
    const SettingOptions options(app);
    arguments.insert(arguments.end(), {"--data-dir", directory_.path()});
    std::reverse(arguments.begin(), arguments.end());
    app.parse(std::move(arguments));
    return options.Read();
  }
  std::string ErrorOf(std::vector<std::string> arguments) const {
    try {
      Read(std::move(arguments));
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }
  void TearDown() override { ::unsetenv("HEADRACE_MAX_CONNECTIONS"); }

  const TemporaryDirectory directory_;
};

TEST_F(SettingsTest, AFlagBeatsAVariableBeatsTheFileBeatsTheDefault) {
  EXPECT_EQ(Read({}).max_connections, 1024);
  ASSERT_TRUE(WriteFileAtomically(directory_ / "headrace.toml",
                                  "# ours\nmax-connections = 7\nregion = \"eu-west-1\"\nsandbox = false\n"));
  EXPECT_EQ(Read({}).max_connections, 7);
  EXPECT_EQ(Read({}).region, "eu-west-1");
  EXPECT_FALSE(Read({}).sandbox);
  ::setenv("HEADRACE_MAX_CONNECTIONS", "8", 1);
  EXPECT_EQ(Read({}).max_connections, 8);
  EXPECT_EQ(Read({"--max-connections", "9"}).max_connections, 9);
}

TEST_F(SettingsTest, ErrorsNameTheSourceTheValueAndWhatIsWanted) {
  EXPECT_EQ(ErrorOf({"--max-connections", "0"}),
            "--max-connections: found '0', wanted a number from 1 to 1000000 (connections)");
  EXPECT_THAT(ErrorOf({"--sandbox", "maybe"}), HasSubstr("--sandbox: found 'maybe', wanted true or false"));
  ::setenv("HEADRACE_MAX_CONNECTIONS", "many", 1);
  EXPECT_THAT(ErrorOf({}), HasSubstr("HEADRACE_MAX_CONNECTIONS: found 'many'"));
  ::unsetenv("HEADRACE_MAX_CONNECTIONS");
  ASSERT_TRUE(WriteFileAtomically(directory_ / "headrace.toml", "max-conections = 7\n"));
  EXPECT_THAT(ErrorOf({}), HasSubstr("there is no setting 'max-conections'"));
}

TEST(SettingTableTest, EachRowHasADistinctNameAndAValidDefault) {
  const Settings defaults;
  std::set<std::string> names;
  for (const Setting& setting : SettingTable()) {
    EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
    if (const auto* member = std::get_if<int64_t Settings::*>(&setting.member)) {
      EXPECT_GE(defaults.**member, setting.least) << setting.name;
      EXPECT_LE(defaults.**member, setting.most) << setting.name;
    }
  }
}

}  // namespace
}  // namespace headrace::apps
