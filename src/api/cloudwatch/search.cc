#include "api/cloudwatch/search.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr int kDeepest = 32;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWordByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) || static_cast<unsigned char>(c) >= 0x80; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
std::string Lower(std::string text) {
  for (char& c : text) c = IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

// "CPUUtilization train:loss" is cpu, utilization, train, loss.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  const auto close = [&] {
    if (!word.empty()) words.push_back(Lower(std::move(word)));
    word.clear();
  };
  for (size_t i = 0; i < text.size(); ++i) {
    if (!IsWordByte(text[i])) {
      close();
      continue;
    }
    const bool hump = i > 0 && IsUpper(text[i]) &&
                      (IsLower(text[i - 1]) || (IsUpper(text[i - 1]) && i + 1 < text.size() && IsLower(text[i + 1])));
    if (hump) close();
    word += text[i];
  }
  close();
  return words;
}

bool ContainsRun(std::string_view text, const std::vector<std::string>& wanted) {
  const auto words = Words(text);
  return std::search(words.begin(), words.end(), wanted.begin(), wanted.end()) != words.end();
}

}  // namespace

struct SearchQuery::Node {
  enum class Kind { kWords, kExact, kNot, kAnd, kOr };
  Kind kind = Kind::kWords;
  std::string property;            // "": any; MetricName, Namespace or a dimension
  std::string value;               // kExact
  std::vector<std::string> words;  // kWords
  std::vector<std::shared_ptr<const Node>> children;

  // Calls `test` for the texts that `property` means, until it returns true.
  template <typename Test>
  bool AnyText(const store::MetricKey& key, const Test& test) const {
    const bool any = property.empty();
    if ((any || property == "MetricName") && test(key.name)) return true;
    if ((any || property == "Namespace") && test(key.name_space)) return true;
    for (const auto& [name, text] : key.dimensions) {
      if (any && test(name)) return true;
      if ((any || property == name) && test(text)) return true;
    }
    return false;
  }

  bool Matches(const store::MetricKey& key) const {
    const auto holds = [&](const std::shared_ptr<const Node>& child) { return child->Matches(key); };
    switch (kind) {
      case Kind::kWords:
        return AnyText(key, [&](const std::string& text) { return ContainsRun(text, words); });
      case Kind::kExact:
        return AnyText(key, [&](const std::string& text) { return text == value; });
      case Kind::kNot:
        return !children[0]->Matches(key);
      case Kind::kAnd:
        return std::all_of(children.begin(), children.end(), holds);
      case Kind::kOr:
        break;
    }
    return std::any_of(children.begin(), children.end(), holds);
  }
};

namespace {

using Node = SearchQuery::Node;
using NodePtr = std::shared_ptr<const Node>;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  // "{Namespace, Dimension…}" at the front: its names.
  aws::Reply<std::vector<std::string>> Braces() {
    std::vector<std::string> names;
    Skip();
    if (!Take('{')) return names;
    while (true) {
      HEADRACE_REPLY_PASS(auto name, Name(",}"));
      names.push_back(std::move(name));
      if (Take('}')) return names;
      if (!Take(',')) return Wrong("a comma or a closing brace");
    }
  }

  // Everything that is left; nullptr when nothing is.
  aws::Reply<NodePtr> Terms() {
    Skip();
    if (AtEnd()) return NodePtr();
    HEADRACE_REPLY_PASS(auto node, Or(0));
    if (!AtEnd()) return Wrong("a term");
    return node;
  }

 private:
  bool AtEnd() const { return at_ >= text_.size(); }
  void Skip() {
    while (!AtEnd() && IsBlank(text_[at_])) ++at_;
  }
  bool Take(char c) {
    Skip();
    if (AtEnd() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool IsKeyword(std::string_view word) const {
    const size_t end = at_ + word.size();
    return text_.substr(at_, word.size()) == word &&
           (end >= text_.size() || IsBlank(text_[end]) || text_[end] == '(' || text_[end] == ')');
  }
  bool TakeKeyword(std::string_view word) {
    Skip();
    if (!IsKeyword(word)) return false;
    at_ += word.size();
    return true;
  }
  tl::unexpected<aws::ServiceError> Wrong(std::string_view wanted) const {
    return InvalidValue(fmt::format("SEARCH: found {} at position {}, wanted {}",
                                    AtEnd() ? "the end" : fmt::format("'{}'", text_[at_]), at_, wanted));
  }

  aws::Reply<NodePtr> Or(int depth) {
    if (depth > kDeepest) return InvalidValue("SEARCH: parentheses are nested too deep");
    HEADRACE_REPLY_PASS(auto first, And(depth));
    std::vector<NodePtr> children{std::move(first)};
    while (TakeKeyword("OR")) {
      HEADRACE_REPLY_PASS(auto next, And(depth));
      children.push_back(std::move(next));
    }
    return Joined(Node::Kind::kOr, std::move(children));
  }

  aws::Reply<NodePtr> And(int depth) {
    std::vector<NodePtr> children;
    while (true) {
      HEADRACE_REPLY_PASS(auto next, Not(depth));
      children.push_back(std::move(next));
      if (TakeKeyword("AND")) continue;
      Skip();
      if (AtEnd() || text_[at_] == ')' || IsKeyword("OR")) return Joined(Node::Kind::kAnd, std::move(children));
    }
  }

  aws::Reply<NodePtr> Not(int depth) {
    bool negated = false;
    while (TakeKeyword("NOT")) negated = !negated;
    HEADRACE_REPLY_PASS(auto term, Term(depth));
    if (!negated) return term;
    auto node = std::make_shared<Node>();
    node->kind = Node::Kind::kNot;
    node->children = {std::move(term)};
    return NodePtr(std::move(node));
  }

  aws::Reply<NodePtr> Term(int depth) {
    if (Take('(')) {
      HEADRACE_REPLY_PASS(auto inner, Or(depth + 1));
      if (!Take(')')) return Wrong("a closing parenthesis");
      return inner;
    }
    auto node = std::make_shared<Node>();
    bool quoted = !AtEnd() && text_[at_] == '"';
    HEADRACE_REPLY_PASS(auto word, Name("=()"));
    if (Take('=')) {
      node->property = std::move(word);
      Skip();
      quoted = !AtEnd() && text_[at_] == '"';
      HEADRACE_REPLY_PASS(word, Name("()"));
      if (quoted) node->kind = Node::Kind::kExact;
    }
    node->words = Words(word);
    node->value = std::move(word);
    if (node->kind == Node::Kind::kWords && node->words.empty()) return Wrong("letters or digits in a term");
    return NodePtr(std::move(node));
  }

  // A quoted text, or everything up to a blank or one of `ends`.
  aws::Reply<std::string> Name(std::string_view ends) {
    Skip();
    std::string name;
    if (!AtEnd() && text_[at_] == '"') {
      ++at_;
      for (; !AtEnd() && text_[at_] != '"'; ++at_) {
        if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
        name += text_[at_];
      }
      if (AtEnd()) return Wrong("a closing quotation mark");
      ++at_;
      return name;
    }
    while (!AtEnd() && !IsBlank(text_[at_]) && ends.find(text_[at_]) == std::string_view::npos) name += text_[at_++];
    if (name.empty()) return Wrong("a name");
    return name;
  }

  static NodePtr Joined(Node::Kind kind, std::vector<NodePtr> children) {
    if (children.size() == 1) return std::move(children[0]);
    auto node = std::make_shared<Node>();
    node->kind = kind;
    node->children = std::move(children);
    return node;
  }

  std::string_view text_;
  size_t at_ = 0;
};

}  // namespace

aws::Reply<SearchQuery> SearchQuery::Parse(std::string_view text) {
  SearchQuery query;
  Parser parser(text);
  HEADRACE_REPLY_PASS(auto names, parser.Braces());
  if (!names.empty()) query.schema_ = Schema{names[0], {names.begin() + 1, names.end()}};
  HEADRACE_REPLY_PASS(query.terms_, parser.Terms());
  if (!query.schema_ && !query.terms_) return InvalidValue("SEARCH: found an empty query, wanted braces or terms");
  return query;
}

bool SearchQuery::Matches(const store::MetricKey& key) const {
  if (schema_) {
    if (key.name_space != schema_->name_space || key.dimensions.size() != schema_->dimensions.size()) return false;
    for (const auto& [name, value] : key.dimensions) {
      if (!schema_->dimensions.contains(name)) return false;
    }
  }
  return !terms_ || terms_->Matches(key);
}

void SearchQuery::Narrow(store::Metrics::SeriesFilter& filter) const {
  if (schema_) filter.name_space = schema_->name_space;
  const auto narrow = [&](const Node& node) {
    if (node.kind != Node::Kind::kExact || node.property.empty()) return;
    if (node.property == "MetricName") {
      filter.name = node.value;
    } else if (node.property == "Namespace") {
      filter.name_space = node.value;
    } else {
      filter.dimensions.push_back({node.property, node.value});
    }
  };
  if (!terms_) return;
  if (terms_->kind != Node::Kind::kAnd) return narrow(*terms_);
  for (const auto& child : terms_->children) narrow(*child);
}

}  // namespace headrace::api::cloudwatch
