#include "savedmodel/import/inline_calls.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "savedmodel/import/node_index.h"

namespace headrace::savedmodel {
namespace {

using ::testing::HasSubstr;

tf::NodeDef Node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs) {
  tf::NodeDef node;
  node.set_name(name);
  node.set_op(op);
  for (const std::string& input : inputs) node.add_input(input);
  return node;
}
tf::NodeDef Call(const std::string& name, const std::string& function, const std::vector<std::string>& inputs) {
  tf::NodeDef node = Node(name, "StatefulPartitionedCall", inputs);
  (*node.mutable_attr())["f"].mutable_func()->set_name(function);
  return node;
}
// A function of one argument `x` that returns `result` as y.
tf::FunctionDef Function(const std::string& name, const std::vector<tf::NodeDef>& nodes, const std::string& result) {
  tf::FunctionDef function;
  function.mutable_signature()->set_name(name);
  function.mutable_signature()->add_input_arg()->set_name("x");
  function.mutable_signature()->add_output_arg()->set_name("y");
  for (const tf::NodeDef& node : nodes) *function.add_node_def() = node;
  (*function.mutable_ret())["y"] = result;
  return function;
}
tf::GraphDef Graph(const std::vector<tf::FunctionDef>& functions, const std::string& called) {
  tf::GraphDef graph;
  *graph.add_node() = Node("input", "Placeholder", {});
  *graph.add_node() = Call("call", called, {"input"});
  for (const tf::FunctionDef& function : functions) *graph.mutable_library()->add_function() = function;
  return graph;
}
std::string ErrorOf(tf::GraphDef graph, const InlineLimits& limits = {}) {
  const Status status = InlineCalls(graph, {"call"}, limits);
  return status ? "no error" : status.error().message();
}

TEST(InlineCalls, CallsInCallsComeInPlace) {
  tf::GraphDef graph =
      Graph({Function("outer", {Call("inner_call", "inner", {"x"})}, "inner_call:output:0"),
             Function("inner", {Node("a", "Switch", {"x", "x"}), Node("b", "Relu", {"a:output_true:0", "^a"})},
                      "b:activations:0")},
            "outer");
  ASSERT_TRUE(InlineCalls(graph, {"call"}));
  const NodeIndex index = NodeIndex::Make(graph).value();
  EXPECT_EQ(index.Find("call")->op(), "IdentityN");
  EXPECT_EQ(index.Find("call")->input(0), "call/inner_call:0");
  EXPECT_EQ(index.Find("call/inner_call")->input(0), "call/inner_call/b:0");
  EXPECT_EQ(index.Find("call/inner_call/a")->input(0), "input");
  EXPECT_EQ(index.Find("call/inner_call/b")->input(0), "call/inner_call/a:1");
  EXPECT_EQ(index.Find("call/inner_call/b")->input(1), "^call/inner_call/a");
}

TEST(InlineCalls, WhatNoOutputNeedsStays) {
  tf::GraphDef graph = Graph({}, "missing");
  EXPECT_TRUE(InlineCalls(graph, {"input"}));
  EXPECT_EQ(graph.node_size(), 2);
}

TEST(InlineCalls, HostileLibrariesAreRefused) {
  EXPECT_THAT(ErrorOf(Graph({}, "missing")), HasSubstr("no function 'missing'"));
  EXPECT_THAT(ErrorOf(Graph({Function("f", {Call("again", "f", {"x"})}, "again:output:0")}, "f")),
              HasSubstr("a function that calls itself"));
  EXPECT_THAT(ErrorOf(Graph({Function("f", {}, "nothing:y:0")}, "f")), HasSubstr("names no tensor"));
  EXPECT_THAT(ErrorOf(Graph({Function("f", {Node("a", "Relu", {"b:y:0"})}, "a:y:0")}, "f")),
              HasSubstr("names no tensor"));
  tf::GraphDef arguments = Graph({Function("f", {}, "x")}, "f");
  arguments.mutable_node(1)->add_input("input");
  EXPECT_THAT(ErrorOf(arguments), HasSubstr("2 inputs for the 1 arguments"));
  // Each function calls the next one twice: 2^40 nodes.
  std::vector<tf::FunctionDef> functions;
  for (int i = 0; i < 40; ++i) {
    const std::string next = "f" + std::to_string(i + 1);
    functions.push_back(
        Function("f" + std::to_string(i), {Call("a", next, {"x"}), Call("b", next, {"x"})}, "a:output:0"));
  }
  functions.push_back(Function("f40", {Node("c", "Relu", {"x"})}, "c:activations:0"));
  EXPECT_THAT(ErrorOf(Graph(functions, "f0"), {.max_nodes = 10000}), HasSubstr("more than 10000 nodes"));
}

}  // namespace
}  // namespace headrace::savedmodel
