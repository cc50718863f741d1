#include "jobs/archive/merged_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace headrace::jobs {
namespace {

using Verdict = MergedNames::Verdict;
constexpr auto kFile = EntryKind::kFile, kDirectory = EntryKind::kDirectory, kLink = EntryKind::kLink;

TEST(MergedNames, DirectoriesMeetAndTheFirstOfOneNameStays) {
  MergedNames names;
  EXPECT_EQ(names.Add("d/", kDirectory, 0), Verdict::kTaken);
  EXPECT_EQ(names.Add("d/a", kFile, 0), Verdict::kTaken);
  EXPECT_EQ(names.Add("d/", kDirectory, 1), Verdict::kAgain);
  EXPECT_EQ(names.Add("d/b", kFile, 1), Verdict::kTaken);
  EXPECT_EQ(names.Add("d/a", kFile, 1), Verdict::kAgain);
  EXPECT_TRUE(names.TakeLeftOut().empty());
  names.Differs("d/a", 1);
  EXPECT_THAT(names.TakeLeftOut(), testing::ElementsAre(LeftOut{"d/a", kFile, kFile, 0, 1}));
}

TEST(MergedNames, ADirectoryWhereAFileIsStaysOutWithAllBelow) {
  MergedNames names;
  names.Add("export", kFile, 0);
  names.Add("link", kLink, 0);
  EXPECT_EQ(names.Add("export/", kDirectory, 1), Verdict::kLeftOut);
  EXPECT_EQ(names.Add("export/1/", kDirectory, 1), Verdict::kLeftOut);
  EXPECT_EQ(names.Add("export/1/weights", kFile, 1), Verdict::kLeftOut);
  EXPECT_EQ(names.Add("link/weights", kFile, 1), Verdict::kLeftOut);  // nothing is written through a link
  EXPECT_EQ(names.Add("exports", kFile, 1), Verdict::kTaken);
  EXPECT_THAT(names.TakeLeftOut(), testing::ElementsAre(LeftOut{"export", kFile, kDirectory, 0, 1},
                                                        LeftOut{"link", kLink, kDirectory, 0, 1}));
}

TEST(MergedNames, AFileOrLinkWhereADirectoryIsStaysOut) {
  MergedNames names;
  names.Add("export/1/weights", kFile, 0);  // of a tree that names files alone
  EXPECT_EQ(names.Add("export", kFile, 1), Verdict::kLeftOut);
  EXPECT_EQ(names.Add("export/1", kLink, 2), Verdict::kLeftOut);
  EXPECT_EQ(names.Add("export/1/weights", kLink, 2), Verdict::kLeftOut);
  EXPECT_THAT(names.TakeLeftOut(), testing::ElementsAre(LeftOut{"export", kDirectory, kFile, 0, 1},
                                                        LeftOut{"export/1", kDirectory, kLink, 0, 2},
                                                        LeftOut{"export/1/weights", kFile, kLink, 0, 2}));
}

}  // namespace
}  // namespace headrace::jobs
