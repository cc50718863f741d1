#include "apps/completion/candidates.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::apps {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// program jobs (list | compare JOBS...), program draw [--as png|svg] [--large] (--from FILE | --endpoint NAME) ENDPOINT
class CandidatesTest : public ::testing::Test {
 protected:
  CandidatesTest() {
    CLI::App* jobs = program_.add_subcommand("jobs", "of training");
    jobs->add_subcommand("list", "all");
    jobs->add_subcommand("compare", "some")->add_option("JOBS", names_, "which")->expected(1, 3);
    CLI::App* draw = program_.add_subcommand("draw", "a picture");
    draw->add_option("-a,--as", as_, "format")->check(CLI::IsMember({"png", "svg"}));
    draw->add_flag("-l,--large", large_, "larger");
    auto* group = draw->add_option_group("source", "one of them");
    group->add_option("--from", from_, "a file");
    group->add_option("--endpoint", from_, "an endpoint");
    draw->add_option("ENDPOINT", from_, "another one");
    program_.add_subcommand("hidden", "for programs")->group("");
  }

  std::vector<std::string> At(std::vector<std::string> words) {
    std::vector<std::string> texts;
    const auto names = [](const std::string& kind) { return std::vector<std::string>{kind + "-1", kind + "-2"}; };
    for (const Candidate& candidate : Candidates(program_, words, names)) texts.push_back(candidate.text);
    return texts;
  }

 private:
  CLI::App program_{"", "program"};
  std::vector<std::string> names_;
  std::string as_, from_;
  bool large_ = false;
};

TEST_F(CandidatesTest, CommandsThatAreForPeople) {
  EXPECT_THAT(At({""}), ElementsAre("jobs", "draw"));
  EXPECT_THAT(At({"jobs", ""}), ElementsAre("list", "compare"));
  EXPECT_THAT(At({"jobs", "c"}), ElementsAre("compare"));
  EXPECT_THAT(At({"nothing"}), IsEmpty());
}

TEST_F(CandidatesTest, OptionsThoseOfGroupsToo) {
  EXPECT_THAT(At({"draw", "--"}), ElementsAre("--help", "--as", "--large", "--from", "--endpoint"));
  EXPECT_THAT(At({"draw", "--l"}), ElementsAre("--large"));
}

TEST_F(CandidatesTest, ValuesOfAnOption) {
  EXPECT_THAT(At({"draw", "--as", ""}), ElementsAre("png", "svg"));
  EXPECT_THAT(At({"draw", "-a", "s"}), ElementsAre("svg"));
  EXPECT_THAT(At({"draw", "--from", ""}), IsEmpty()) << "the shell's own files";
}

TEST_F(CandidatesTest, NamesThatAServerKnows) {
  EXPECT_THAT(At({"draw", "--large", ""}), ElementsAre("endpoint-1", "endpoint-2"));
  EXPECT_THAT(At({"draw", "--as", "png", "endpoint-2"}), ElementsAre("endpoint-2"));
  EXPECT_THAT(At({"draw", "--endpoint", ""}), ElementsAre("endpoint-1", "endpoint-2"));
  EXPECT_THAT(At({"draw", "one", ""}), IsEmpty()) << "one is enough";
  EXPECT_THAT(At({"jobs", "compare", "a", "b", ""}), ElementsAre("job-1", "job-2"));
  EXPECT_THAT(At({"jobs", "compare", "a", "b", "c", ""}), IsEmpty());
}

}  // namespace
}  // namespace headrace::apps
