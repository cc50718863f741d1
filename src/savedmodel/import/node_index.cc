#include "savedmodel/import/node_index.h"

#include <charconv>

namespace headrace::savedmodel {

Result<TensorRef> ParseTensorRef(std::string_view text) {
  TensorRef ref;
  ref.node = text;
  if (!text.empty() && text.front() == '^') {
    ref.control = true;
    ref.node.remove_prefix(1);
  } else if (const size_t colon = text.rfind(':'); colon != std::string_view::npos) {
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data() + colon + 1, end, ref.output);
    if (error != std::errc() || rest != end || ref.output < 0)
      return Fail(ErrorCode::kDataLoss, "'{}' names no tensor, wanted 'node' or 'node:output'", text);
    ref.node = text.substr(0, colon);
  }
  return ref;
}

std::string Describe(const tf::NodeDef& node) { return fmt::format("node '{}' ({})", node.name(), node.op()); }

int DataInputs(const tf::NodeDef& node) {
  int count = node.input_size();
  while (count > 0 && !node.input(count - 1).empty() && node.input(count - 1)[0] == '^') --count;
  return count;
}

Result<NodeIndex> NodeIndex::Make(const tf::GraphDef& graph) {
  NodeIndex index(graph);
  for (const tf::NodeDef& node : graph.node())
    if (!index.nodes_.emplace(node.name(), &node).second)
      return Fail(ErrorCode::kDataLoss, "the graph has two nodes named '{}'", node.name());
  return index;
}

const tf::NodeDef* NodeIndex::Find(std::string_view name) const {
  const auto found = nodes_.find(name);
  return found == nodes_.end() ? nullptr : found->second;
}

Result<std::pair<const tf::NodeDef*, int>> NodeIndex::Input(const tf::NodeDef& node, int i) const {
  if (i >= DataInputs(node))
    return Fail(ErrorCode::kDataLoss, "{}: {} inputs, wanted more than {}", Describe(node), DataInputs(node), i);
  HEADRACE_ASSIGN(const TensorRef ref, ParseTensorRef(node.input(i)));
  const tf::NodeDef* source = Find(ref.node);
  if (source == nullptr || ref.control)
    return Fail(ErrorCode::kDataLoss, "{}: its input {} is '{}', which the graph does not have", Describe(node), i,
                node.input(i));
  return std::pair(source, ref.output);
}

Result<std::vector<const tf::NodeDef*>> NodeIndex::Order(const tf::NodeDef& node) const {
  enum class State { kOpen, kDone };
  struct Visit {
    const tf::NodeDef* node;
    int next_input;
  };
  // A stack of our own: a graph of a file may be deeper than the thread's.
  std::unordered_map<const tf::NodeDef*, State> states = {{&node, State::kOpen}};
  std::vector<Visit> stack = {{&node, 0}};
  std::vector<const tf::NodeDef*> order;
  while (!stack.empty()) {
    Visit& top = stack.back();
    if (top.next_input == DataInputs(*top.node)) {
      states[top.node] = State::kDone;
      order.push_back(top.node);
      stack.pop_back();
      continue;
    }
    HEADRACE_ASSIGN(const auto source, Input(*top.node, top.next_input++));
    const auto [state, added] = states.try_emplace(source.first, State::kOpen);
    if (!added && state->second == State::kOpen)
      return Fail(ErrorCode::kInvalidArgument, "the graph has a cycle through {}", Describe(*source.first));
    if (added) stack.push_back({source.first, 0});
  }
  return order;
}

}  // namespace headrace::savedmodel
