#include "jobs/capture/rank_streams.h"

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using ::testing::ElementsAre;

// "RANK text" of each line; "- text" of mpirun's own.
std::vector<std::string> LinesOf(const std::vector<std::string>& pieces, int ranks = 2) {
  std::vector<std::string> lines;
  RankStreams streams(ranks);
  const auto emit = [&](std::optional<int> rank, std::string_view line) {
    lines.push_back((rank ? std::to_string(*rank) : "-") + " " + std::string(line));
  };
  for (const auto& piece : pieces) streams.Feed(piece, emit);
  streams.Finish(emit);
  return lines;
}

TEST(RankStreams, PutTogetherWhatARankWritesInPieces) {
  EXPECT_THAT(LinesOf({"[1,0]<stdout>:no mpi4py[1,0]<stdout>: [1,0]<stdout>:2[1,0]<stdout>:\n"}),
              ElementsAre("0 no mpi4py 2"));
}

TEST(RankStreams, KeepRanksApartThatSpeakAtOnce) {
  EXPECT_THAT(LinesOf({"[1,0]<stdout>:loss: [1,1]<stdout>:acc: [1,0]<stdout>:0.5\n[1,1]<stdout>:0.7\n"}),
              ElementsAre("0 loss: 0.5", "1 acc: 0.7"));
}

TEST(RankStreams, MayBeCutAnywhere) {
  const std::string text =
      " map\n[1,0]<stderr>:a [0] [1,\n[1,1]<stdout>:b\nmpirun noticed\n[1,1]<stdout>:\n[1,1]<stddiag>:d";
  const auto whole = LinesOf({text});
  EXPECT_THAT(whole, ElementsAre("-  map", "0 a [0] [1,", "1 b", "- mpirun noticed", "1 ", "1 d"));
  for (size_t cut = 0; cut <= text.size(); ++cut)
    EXPECT_EQ(LinesOf({text.substr(0, cut), text.substr(cut)}), whole) << cut;
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(LinesOf(bytes), whole);
}

TEST(RankStreams, AProgressBarIsOfItsRank) {
  EXPECT_THAT(LinesOf({"[1,0]<stdout>:1/2 [=>]", "[1,0]<stdout>:\r2/2 [==]", "[1,0]<stdout>: - loss: 0.5\n"}),
              ElementsAre("0 2/2 [==] - loss: 0.5"));
}

TEST(RankStreams, OtherMarksAreText) {
  EXPECT_THAT(LinesOf({"[1,0]<stdout>:[1,7]<stdout>:x [1,99999999]<stdout>: [2,0]<stdout>:\n"}),
              ElementsAre("0 [1,7]<stdout>:x [1,99999999]<stdout>: [2,0]<stdout>:"));
}

}  // namespace
}  // namespace headrace::jobs
