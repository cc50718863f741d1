#include "api/cloudwatch/expression.h"

#include <array>
#include <cctype>
#include <charconv>

#include <fmt/format.h>

#include "api/cloudwatch/fields.h"
#include "api/input.h"

namespace headrace::api::cloudwatch {
namespace {

constexpr int kDeepest = 64;

ExpressionPtr Make(Expression::Kind kind, std::string text, std::vector<ExpressionPtr> operands = {}) {
  auto node = std::make_shared<Expression>();
  node->kind = kind;
  node->text = std::move(text);
  node->operands = std::move(operands);
  return node;
}

bool IsIdStart(char c) { return std::isalpha(static_cast<unsigned char>(c)); }
bool IsIdByte(char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; }

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  aws::Reply<ExpressionPtr> Whole() {
    HEADRACE_REPLY_PASS(auto node, Binary(0));
    Skip();
    if (at_ != text_.size()) return Wrong("an operator or the end");
    return node;
  }

 private:
  // Operators of one precedence each, loosest first; longer ones before their beginnings.
  static constexpr std::array<std::array<std::string_view, 6>, 5> kLevels{
      {{"||", "OR"}, {"&&", "AND"}, {"==", "!=", "<=", ">=", "<", ">"}, {"+", "-"}, {"*", "/", "%"}}};

  void Skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool Take(std::string_view token) {
    Skip();
    if (token.empty() || text_.substr(at_, token.size()) != token) return false;
    const bool word = IsIdStart(token[0]);
    if (word && at_ + token.size() < text_.size() && IsIdByte(text_[at_ + token.size()])) return false;
    at_ += token.size();
    return true;
  }
  tl::unexpected<aws::ServiceError> Wrong(std::string_view wanted) const {
    return InvalidValue(fmt::format("Error in expression: found {} at position {}, wanted {}",
                                    at_ >= text_.size() ? "the end" : fmt::format("'{}'", text_[at_]), at_, wanted));
  }

  aws::Reply<ExpressionPtr> Binary(size_t level) {
    if (level == kLevels.size()) return Unary();
    HEADRACE_REPLY_PASS(auto left, Binary(level + 1));
    for (int links = 0;; ++links) {
      std::string_view found;
      for (const auto token : kLevels[level]) {
        if (!Take(token)) continue;
        found = token;
        break;
      }
      if (found.empty()) return left;
      if (links > kDeepest) return InvalidValue("Error in expression: too many operators in a row");
      HEADRACE_REPLY_PASS(auto right, Binary(level + 1));
      if (found == "||") found = "OR";
      if (found == "&&") found = "AND";
      left = Make(Expression::Kind::kOperator, std::string(found), {std::move(left), std::move(right)});
    }
  }

  aws::Reply<ExpressionPtr> Unary() {
    if (++depth_ > kDeepest) return InvalidValue("Error in expression: nested too deep");
    auto node = Take("-") ? Negated() : Take("+") ? Unary() : Power();
    --depth_;
    return node;
  }

  aws::Reply<ExpressionPtr> Negated() {
    HEADRACE_REPLY_PASS(auto operand, Unary());
    return Make(Expression::Kind::kNegate, "-", {std::move(operand)});
  }

  aws::Reply<ExpressionPtr> Power() {
    HEADRACE_REPLY_PASS(auto base, Primary());
    if (!Take("^")) return base;
    HEADRACE_REPLY_PASS(auto exponent, Unary());
    return Make(Expression::Kind::kOperator, "^", {std::move(base), std::move(exponent)});
  }

  aws::Reply<ExpressionPtr> Primary() {
    if (Take("(")) {
      HEADRACE_REPLY_PASS(auto inner, Binary(0));
      if (!Take(")")) return Wrong("a closing parenthesis");
      return inner;
    }
    if (Take("[")) return List("]", "LIST");
    Skip();
    if (at_ >= text_.size()) return Wrong("a number, an id or a function");
    const char c = text_[at_];
    if (c == '\'' || c == '"') return Text(c);
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return Number();
    if (!IsIdStart(c)) return Wrong("a number, an id or a function");
    std::string name;
    while (at_ < text_.size() && IsIdByte(text_[at_])) name += text_[at_++];
    if (!Take("(")) return Make(Expression::Kind::kId, std::move(name));
    for (char& letter : name) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    return List(")", std::move(name));
  }

  // Comma-separated operands up to `end`, as a call.
  aws::Reply<ExpressionPtr> List(std::string_view end, std::string name) {
    std::vector<ExpressionPtr> operands;
    if (!Take(end)) {
      do {
        HEADRACE_REPLY_PASS(auto operand, Binary(0));
        operands.push_back(std::move(operand));
      } while (Take(","));
      if (!Take(end)) return Wrong(fmt::format("a comma or '{}'", end));
    }
    return Make(Expression::Kind::kCall, std::move(name), std::move(operands));
  }

  aws::Reply<ExpressionPtr> Text(char quote) {
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      // Inside a text only the quotation mark itself needs an escape; others are the search language's own.
      if (text_[at_] == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) ++at_;
      text += text_[at_];
    }
    if (at_ >= text_.size()) return Wrong("a closing quotation mark");
    ++at_;
    return Make(Expression::Kind::kText, std::move(text));
  }

  aws::Reply<ExpressionPtr> Number() {
    auto node = std::make_shared<Expression>();
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), node->number);
    if (error != std::errc()) return Wrong("a number");
    at_ = static_cast<size_t>(end - text_.data());
    return ExpressionPtr(std::move(node));
  }

  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

aws::Reply<ExpressionPtr> ParseExpression(std::string_view text) { return Parser(text).Whole(); }

}  // namespace headrace::api::cloudwatch
