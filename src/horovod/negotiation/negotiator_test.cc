#include "horovod/negotiation/negotiator.h"

#include <gtest/gtest.h>

namespace headrace::hvd {
namespace {

Request Wish(CollectiveType type, const std::string& name, std::vector<int64_t> shape = {4}) {
  Request request;
  request.collective.type = type;
  request.collective.name = name;
  request.collective.shape = std::move(shape);
  return request;
}

Request Allreduce(const std::string& name, std::vector<int64_t> shape = {4}) {
  return Wish(CollectiveType::kAllreduce, name, std::move(shape));
}

class NegotiatorTest : public testing::Test {
 protected:
  Settings settings_;
  Negotiator negotiator_{{"a", "b", "c"}, settings_};

  void AddAll(const Request& request) {
    for (int rank = 0; rank < 3; ++rank) negotiator_.Add(rank, request, 0);
  }
};

TEST_F(NegotiatorTest, AnswersOnceAllRanksHaveAsked) {
  negotiator_.Add(2, Allreduce("x"), 0);
  negotiator_.Add(0, Allreduce("x"), 0);
  EXPECT_TRUE(negotiator_.Step(0).empty());
  negotiator_.Add(1, Allreduce("x"), 0);
  const auto responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].kind, ResponseKind::kCollective);
  EXPECT_EQ(responses[0].names, std::vector<std::string>{"x"});
  EXPECT_EQ(responses[0].counts, std::vector<int64_t>{4});
  EXPECT_TRUE(negotiator_.Step(0).empty());
}

TEST_F(NegotiatorTest, AllreducesThatGoTogetherTravelAsOneUpToTheThreshold) {
  settings_.fusion_bytes = 40;
  AddAll(Allreduce("x"));
  AddAll(Allreduce("y"));
  AddAll(Allreduce("z"));
  Request other = Allreduce("max");
  other.collective.op = ReduceOp::kMax;
  AddAll(other);
  const auto responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 3u);
  EXPECT_EQ(responses[0].names, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(responses[1].names, std::vector<std::string>{"z"});
  EXPECT_EQ(responses[2].names, std::vector<std::string>{"max"});
}

TEST_F(NegotiatorTest, AnAbortedGroupHearsWhyAndThenThatAllKnowIt) {
  AddAll(Allreduce("x"));
  negotiator_.Add(1, {RequestKind::kAbort, {}, "the disk is full"}, 0);
  negotiator_.Add(2, {RequestKind::kAbort, {}, "a rank failed"}, 0);
  auto responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].kind, ResponseKind::kAbort);
  EXPECT_EQ(responses[0].error, "rank 1 (b): the disk is full");
  for (const int rank : {1, 0}) negotiator_.Add(rank, {RequestKind::kTold}, 0);
  EXPECT_TRUE(negotiator_.Step(0).empty());
  negotiator_.Add(2, {RequestKind::kTold}, 0);
  responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].kind, ResponseKind::kParted);
  EXPECT_TRUE(negotiator_.Step(0).empty());
}

TEST_F(NegotiatorTest, AGroupIsReadyTogether) {
  Request first = Allreduce("x"), second = Allreduce("y");
  first.collective.group = second.collective.group = "group";
  first.collective.group_size = second.collective.group_size = 2;
  AddAll(first);
  EXPECT_TRUE(negotiator_.Step(0).empty());
  AddAll(second);
  const auto responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].names, (std::vector<std::string>{"x", "y"}));
}

TEST_F(NegotiatorTest, WhatRanksDisagreeAboutNamesRankTensorAndBothValues) {
  negotiator_.Add(0, Allreduce("x"), 0);
  negotiator_.Add(1, Allreduce("x", {2, 2}), 0);
  negotiator_.Add(2, Allreduce("x"), 0);
  const auto responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].kind, ResponseKind::kError);
  EXPECT_EQ(responses[0].error, "allreduce \"x\": rank 1 (b) has shape (2, 2), rank 0 (a) has (4)");
}

TEST_F(NegotiatorTest, AllgatherTellsEveryonesRows) {
  for (int rank = 0; rank < 3; ++rank)
    negotiator_.Add(rank, Wish(CollectiveType::kAllgather, "rows", {rank + 1, 7}), 0);
  EXPECT_EQ(negotiator_.Step(0).at(0).rows, (std::vector<int64_t>{1, 2, 3}));
}

TEST_F(NegotiatorTest, ShapesOfMoreThanAnyMachineHasAreRefused) {
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{int64_t{1} << 48, (int64_t{1} << 46) + 1},
                                            {0, int64_t{1} << 40, int64_t{1} << 40},
                                            {-1}}) {
    AddAll(Allreduce("x", shape));
    EXPECT_EQ(negotiator_.Step(0).at(0).kind, ResponseKind::kError);
  }
}

TEST_F(NegotiatorTest, SplitsMustAddUp) {
  Request request = Wish(CollectiveType::kAlltoall, "split", {6});
  AddAll(request);
  EXPECT_EQ(negotiator_.Step(0).at(0).rows, std::vector<int64_t>(9, 2));
  request.collective.splits = {1, 2, 4};
  AddAll(request);
  EXPECT_EQ(negotiator_.Step(0).at(0).error,
            "alltoall \"split\": rank 0 (a) has the splits (1, 2, 4), wanted 3 numbers that add up to its 6 rows");
}

TEST_F(NegotiatorTest, AJoinedRankIsMissedInSumsNoMore) {
  negotiator_.Add(1, Wish(CollectiveType::kJoin, "join"), 0);
  for (const int rank : {0, 2}) negotiator_.Add(rank, Allreduce("x"), 0);
  EXPECT_EQ(negotiator_.Step(0).at(0).kind, ResponseKind::kCollective);
  for (const int rank : {0, 2}) negotiator_.Add(rank, Wish(CollectiveType::kAllgather, "y"), 0);
  EXPECT_EQ(negotiator_.Step(0).at(0).error,
            "allgather \"y\": rank 1 (b) has called join(); until all have, only allreduces of sum and average go on");
  negotiator_.Add(2, Wish(CollectiveType::kJoin, "join"), 0);
  negotiator_.Add(0, Wish(CollectiveType::kJoin, "join"), 0);
  const auto joined = negotiator_.Step(0);
  ASSERT_EQ(joined.size(), 1u);
  EXPECT_EQ(joined[0].number, 0);  // rank 0 came last
}

TEST_F(NegotiatorTest, ARankThatJoinsCompletesWhatWaitedForIt) {
  for (const int rank : {0, 2}) negotiator_.Add(rank, Allreduce("x"), 0);
  EXPECT_TRUE(negotiator_.Step(0).empty());
  negotiator_.Add(1, Wish(CollectiveType::kJoin, "join"), 0);
  EXPECT_EQ(negotiator_.Step(0).size(), 1u);
}

TEST_F(NegotiatorTest, AMissingRankEndsTheGroupAfterTheLimit) {
  negotiator_.Add(0, Allreduce("x"), 1'000);
  EXPECT_TRUE(negotiator_.Step(60'999).empty());
  const auto responses = negotiator_.Step(61'000);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].kind, ResponseKind::kEnd);
  EXPECT_NE(responses[0].error.find("allreduce \"x\": 1 of 3 ranks have waited 60 s for rank 1 (b), rank 2 (c)"),
            std::string::npos);
}

TEST_F(NegotiatorTest, WithoutALimitItWaits) {
  settings_.stall_limit_ms = 0;
  negotiator_.Add(0, Allreduce("x"), 0);
  EXPECT_TRUE(negotiator_.Step(10'000'000).empty());
}

TEST_F(NegotiatorTest, ProcessSetsComeAndGo) {
  Request add = Wish(CollectiveType::kAllreduce, "add", {0, 2});
  add.kind = RequestKind::kAddProcessSet;
  AddAll(add);
  const auto added = negotiator_.Step(0);
  EXPECT_EQ(added.at(0).ranks, (std::vector<int>{0, 2}));
  Request inside = Allreduce("inside");
  inside.collective.process_set = added[0].number;
  negotiator_.Add(0, inside, 0);
  EXPECT_TRUE(negotiator_.Step(0).empty());
  Request remove = Wish(CollectiveType::kAllreduce, "remove");
  remove.kind = RequestKind::kRemoveProcessSet;
  remove.collective.process_set = added[0].number;
  AddAll(remove);
  EXPECT_EQ(negotiator_.Step(0).at(0).kind, ResponseKind::kRemoveProcessSet);
  const auto orphaned = negotiator_.Step(0);
  ASSERT_EQ(orphaned.size(), 1u);
  EXPECT_EQ(orphaned[0].error, "allreduce \"inside\": there is no process set 1");
  AddAll(remove);
  const auto again = negotiator_.Step(0);
  EXPECT_EQ(again.at(0).kind, ResponseKind::kError);
  EXPECT_EQ(again[0].collective.process_set, 0);  // where those meet who wait for it
}

TEST_F(NegotiatorTest, ShutdownTellsWhoCalledIt) {
  Request request;
  request.kind = RequestKind::kShutdown;
  negotiator_.Add(2, request, 0);
  const auto responses = negotiator_.Step(0);
  ASSERT_EQ(responses.size(), 1u);
  EXPECT_EQ(responses[0].kind, ResponseKind::kShutdown);
  EXPECT_EQ(responses[0].ranks, std::vector<int>{2});
}

TEST_F(NegotiatorTest, RequestsAndResponsesSurviveTheWire) {
  Request request = Allreduce("x", {3, 5});
  request.collective.splits = {1, 2};
  request.collective.prescale = 0.25;
  request.collective.group = "g";
  const auto decoded = DecodeRequest(Encode(request));
  ASSERT_TRUE(decoded.has_value());
  EXPECT_EQ(Encode(*decoded), Encode(request));
  Response response{ResponseKind::kError, request.collective, {"a", "b"}, {1, 2}, {-1, 64}, {3}, {4}, 5, "text"};
  const auto again = DecodeResponse(Encode(response));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(Encode(*again), Encode(response));
  const std::string bytes = Encode(response);
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(DecodeResponse(bytes.substr(0, length)).has_value()) << length;
}

}  // namespace
}  // namespace headrace::hvd
