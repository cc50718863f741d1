// group_by_window(): elements of one key, handed on together once there are enough.
#include <map>

#include "base/result.h"
#include "data/dataset/flat.h"
#include "data/dataset/nodes.h"

namespace headrace::data {
namespace {

class Groups {
 public:
  Groups(std::unique_ptr<Stage> upstream, const GroupFunctions& functions)
      : upstream_(std::move(upstream)), functions_(functions) {}

  // Of the next group that is full; at the end those that are left, in the order of their keys.
  std::optional<Dataset> Next() {
    Element element;
    while (upstream_ && upstream_->Pull(std::span(&element, 1)) == 1) {
      const int64_t key = functions_.key(element);
      const int64_t wanted = functions_.window_size(key);
      if (wanted < 1)
        throw MakeError(ErrorCode::kInvalidArgument,
                        "group_by_window: window_size of key {}: found {}, wanted 1 or more", key, wanted);
      const auto group = open_.try_emplace(key).first;
      group->second.push_back(std::move(element));
      if (static_cast<int64_t>(group->second.size()) >= wanted) return Close(group);
    }
    upstream_.reset();
    if (open_.empty()) return std::nullopt;
    return Close(open_.begin());
  }

 private:
  using Open = std::map<int64_t, std::vector<Element>>;

  Dataset Close(Open::iterator group) {
    const int64_t key = group->first;
    auto elements = Dataset::FromElements(std::move(group->second));
    open_.erase(group);
    return functions_.reduce(key, elements);
  }

  std::unique_ptr<Stage> upstream_;  // null after the end
  const GroupFunctions& functions_;
  Open open_;
};

struct GroupNode : DerivedNode {
  GroupFunctions functions;
  GroupNode(NodePtr below, GroupFunctions group) : DerivedNode(std::move(below)), functions(std::move(group)) {}

  std::unique_ptr<Stage> Start(const Context& context) const override {
    Context below = context;
    below.retain = true;
    auto groups = std::make_shared<Groups>(upstream->Start(below), functions);
    return std::make_unique<FlatStage>([groups] { return groups->Next(); }, context);
  }
  int64_t cardinality() const override { return upstream->cardinality() == 0 ? 0 : kUnknown; }
  bool replayable() const override { return false; }  // what the functions return is not known here
};

}  // namespace

NodePtr MakeGroups(NodePtr upstream, GroupFunctions functions) {
  return std::make_shared<GroupNode>(std::move(upstream), std::move(functions));
}

}  // namespace headrace::data
