#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "headrace/keras.h"

namespace headrace::keras {
namespace {

TEST(Logs, KeepsTheOrderOfArrival) {
  Logs logs;
  EXPECT_TRUE(logs.empty());
  logs.Set("val_loss", 2);
  logs.Set("accuracy", 0.5);
  logs.Set("val_loss", 1);
  std::vector<std::string> names;
  for (const auto& [name, value] : logs) names.push_back(name);
  EXPECT_THAT(names, ::testing::ElementsAre("val_loss", "accuracy"));
  EXPECT_EQ(logs.At("val_loss"), 1);
  EXPECT_EQ(logs.Find("lr"), nullptr);
}

template <typename Function>
std::string MessageOf(Function function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kNotFound);
    return error.message();
  }
  return "nothing thrown";
}

TEST(Logs, AnUnknownNameListsTheKnownOnes) {
  Logs logs;
  EXPECT_EQ(MessageOf([&] { logs.At("loss"); }), "logs: no \"loss\"; there is: nothing");
  logs.Set("loss", 1);
  logs.Set("lr", 1);
  EXPECT_EQ(MessageOf([&] { logs.At("acc"); }), "logs: no \"acc\"; there is: loss, lr");
}

TEST(History, AnUnknownNameListsTheKnownOnes) {
  const History history{.epoch = {0, 1}, .history = {{"loss", {2, 1}}}};
  EXPECT_THAT(history["loss"], ::testing::ElementsAre(2, 1));
  EXPECT_EQ(MessageOf([&] { history["acc"]; }), "history: no \"acc\"; there is: loss");
}

}  // namespace
}  // namespace headrace::keras
