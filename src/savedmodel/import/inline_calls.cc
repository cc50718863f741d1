#include "savedmodel/import/inline_calls.h"

#include <charconv>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "savedmodel/import/node_index.h"

namespace headrace::savedmodel {
namespace {

bool IsCall(const tf::NodeDef& node) {
  return node.op() == "PartitionedCall" || node.op() == "StatefulPartitionedCall";
}

// Where the outputs of an argument start among all outputs of an operation; those not listed start at 0, which is
// right for operations of one output argument.
int FirstOutput(std::string_view op, std::string_view argument) {
  static constexpr struct {
    std::string_view op, argument;
    int first;
  } kLater[] = {
      {"Switch", "output_true", 1},
      {"RefSwitch", "output_true", 1},
      {"Merge", "value_index", 1},
      {"FusedBatchNorm", "batch_mean", 1},
      {"FusedBatchNormV2", "batch_mean", 1},
      {"FusedBatchNormV3", "batch_mean", 1},
      {"FusedBatchNorm", "batch_variance", 2},
      {"FusedBatchNormV2", "batch_variance", 2},
      {"FusedBatchNormV3", "batch_variance", 2},
      {"TopKV2", "indices", 1},
      {"Unique", "idx", 1},
      {"MaxPoolWithArgmax", "argmax", 1},
  };
  for (const auto& later : kLater)
    if (later.op == op && later.argument == argument) return later.first;
  return 0;
}

std::optional<int> ToNumber(std::string_view text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool fine = error == std::errc() && end == text.data() + text.size() && number >= 0;
  return fine ? std::optional(number) : std::nullopt;
}

using Functions = std::unordered_map<std::string_view, const tf::FunctionDef*>;

// One call's function, as the call's own nodes.
class Body {
 public:
  Body(const tf::FunctionDef& function, const tf::NodeDef& call) : function_(function), call_(call) {}

  Status Prepare() {
    const auto& arguments = function_.signature().input_arg();
    if (DataInputs(call_) != arguments.size())
      return Fail(ErrorCode::kDataLoss, "{}: {} inputs for the {} arguments of function '{}'", Describe(call_),
                  DataInputs(call_), arguments.size(), function_.signature().name());
    for (int i = 0; i < arguments.size(); ++i) arguments_[arguments[i].name()] = &call_.input(i);
    for (const tf::NodeDef& node : function_.node_def()) ops_[node.name()] = &node.op();
    return {};
  }

  // "argument" and "node:out:0" as the graph says it.
  Result<std::string> Translate(const std::string& input) const {
    std::string_view name = input, argument, number;
    const bool control = !name.empty() && name[0] == '^';
    if (control) return "^" + call_.name() + "/" + input.substr(1);
    if (const size_t colon = name.find(':'); colon != std::string_view::npos) {
      argument = name.substr(colon + 1);
      name = name.substr(0, colon);
    }
    if (const auto found = arguments_.find(name); found != arguments_.end()) return *found->second;
    if (const size_t colon = argument.find(':'); colon != std::string_view::npos) {
      number = argument.substr(colon + 1);
      argument = argument.substr(0, colon);
    }
    const auto op = ops_.find(name);
    const auto index = number.empty() ? std::optional(ToNumber(argument).value_or(0)) : ToNumber(number);
    if (op == ops_.end() || !index || *index > (1 << 20))
      return Fail(ErrorCode::kDataLoss, "function '{}': '{}' names no tensor of it", function_.signature().name(),
                  input);
    return fmt::format("{}/{}:{}", call_.name(), name, FirstOutput(*op->second, argument) + *index);
  }

  Result<tf::NodeDef> Translate(const tf::NodeDef& node) const {
    tf::NodeDef copy = node;
    copy.set_name(call_.name() + "/" + node.name());
    for (std::string& input : *copy.mutable_input()) {
      HEADRACE_ASSIGN(input, Translate(input));
    }
    return copy;
  }

  // What stands under the call's name afterwards.
  Result<tf::NodeDef> Results() const {
    tf::NodeDef results;
    results.set_name(call_.name());
    results.set_op("IdentityN");
    for (const auto& output : function_.signature().output_arg()) {
      const auto found = function_.ret().find(output.name());
      if (found == function_.ret().end())
        return Fail(ErrorCode::kDataLoss, "function '{}': nothing is returned as '{}'", function_.signature().name(),
                    output.name());
      HEADRACE_ASSIGN(*results.add_input(), Translate(found->second));
    }
    return results;
  }

 private:
  const tf::FunctionDef& function_;
  const tf::NodeDef& call_;
  std::unordered_map<std::string_view, const std::string*> arguments_;
  std::unordered_map<std::string_view, const std::string*> ops_;
};

class Inliner {
 public:
  Inliner(tf::GraphDef& graph, const InlineLimits& limits) : graph_(graph), limits_(limits) {
    for (const tf::FunctionDef& function : graph.library().function())
      functions_[function.signature().name()] = &function;
    budget_ = limits.max_bytes + graph.library().ByteSizeLong();
  }

  Status Run(const std::vector<std::string>& roots) {
    HEADRACE_TRY(FindCalls(roots));
    while (!calls_.empty()) {
      const Call call = calls_.back();
      calls_.pop_back();
      HEADRACE_TRY(Expand(call));
    }
    return {};
  }

 private:
  struct Call {
    int node;  // in the graph
    int depth;
  };

  // The outer graph's calls that the roots need.
  Status FindCalls(const std::vector<std::string>& roots) {
    HEADRACE_ASSIGN(const NodeIndex index, NodeIndex::Make(graph_));
    std::unordered_set<const tf::NodeDef*> seen;
    std::vector<const tf::NodeDef*> stack;
    const auto visit = [&](std::string_view name) {
      const tf::NodeDef* node = index.Find(name);
      if (node != nullptr && seen.insert(node).second) stack.push_back(node);
    };
    for (const std::string& root : roots) visit(root);
    while (!stack.empty()) {
      const tf::NodeDef* node = stack.back();
      stack.pop_back();
      for (const std::string& input : node->input())
        if (const auto ref = ParseTensorRef(input)) visit(ref->node);
    }
    for (int i = 0; i < graph_.node_size(); ++i)
      if (IsCall(graph_.node(i)) && seen.count(&graph_.node(i)) > 0) calls_.push_back({i, 0});
    return {};
  }

  Status Expand(const Call& at) {
    const tf::NodeDef call = graph_.node(at.node);  // adding nodes moves them
    const auto attribute = call.attr().find("f");
    const std::string name = attribute == call.attr().end() ? "" : attribute->second.func().name();
    const auto found = functions_.find(name);
    if (found == functions_.end())
      return Fail(ErrorCode::kDataLoss, "{}: the graph has no function '{}'", Describe(call), name);
    if (at.depth >= limits_.max_depth)
      return Fail(ErrorCode::kInvalidArgument, "{}: calls in calls, over {} deep, or a function that calls itself",
                  Describe(call), limits_.max_depth);
    const tf::FunctionDef& function = *found->second;
    Body body(function, call);
    HEADRACE_TRY(body.Prepare());
    for (const tf::NodeDef& node : function.node_def()) {
      HEADRACE_ASSIGN(tf::NodeDef copy, body.Translate(node));
      HEADRACE_TRY(Charge(call, copy.ByteSizeLong()));
      if (IsCall(copy)) calls_.push_back({graph_.node_size(), at.depth + 1});
      *graph_.add_node() = std::move(copy);
    }
    HEADRACE_ASSIGN(*graph_.mutable_node(at.node), body.Results());
    return {};
  }

  Status Charge(const tf::NodeDef& call, size_t bytes) {
    if (bytes > budget_ || static_cast<size_t>(graph_.node_size()) >= limits_.max_nodes)
      return Fail(ErrorCode::kResourceExhausted, "{}: functions of more than {} nodes or {} bytes when put in place",
                  Describe(call), limits_.max_nodes, limits_.max_bytes);
    budget_ -= bytes;
    return {};
  }

  tf::GraphDef& graph_;
  const InlineLimits& limits_;
  Functions functions_;
  std::vector<Call> calls_;
  size_t budget_ = 0;
};

}  // namespace

Status InlineCalls(tf::GraphDef& graph, const std::vector<std::string>& roots, const InlineLimits& limits) {
  return Inliner(graph, limits).Run(roots);
}

}  // namespace headrace::savedmodel
