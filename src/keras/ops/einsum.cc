// ops::einsum by transposes, reshapes and one product of matrices: letters of both operands and of the result are the
// matrices' leading axes, letters of one operand and the result their rows or columns, letters of both operands alone
// are summed over by the product, letters of one operand alone before it.
#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "headrace/ops.h"

#include "base/result.h"
#include "keras/symbolic/operation_layer.h"

namespace headrace::keras::ops {
namespace {

struct Subscripts {
  std::vector<std::string> operands;
  std::string result;
};

bool Has(const std::string& letters, char letter) { return letters.find(letter) != std::string::npos; }

[[noreturn]] void RefuseSubscripts(const std::string& text, const std::string& why) {
  throw MakeError(ErrorCode::kInvalidArgument, "einsum: found \"{}\": {}; wanted e.g. \"bhqd,bhkd->bhqk\"", text, why);
}

Subscripts Parsed(const std::string& text, size_t count) {
  const size_t arrow = text.find("->");
  if (arrow == std::string::npos) RefuseSubscripts(text, "no ->");
  Subscripts found;
  found.operands.emplace_back();
  for (const char c : text.substr(0, arrow)) {
    if (c == ',')
      found.operands.emplace_back();
    else if (c != ' ')
      found.operands.back() += c;
  }
  for (const char c : text.substr(arrow + 2))
    if (c != ' ') found.result += c;
  if (found.operands.size() != count)
    RefuseSubscripts(text, fmt::format("letters of {} operands for {}", found.operands.size(), count));
  std::string all;
  for (const std::string& letters : found.operands) all += letters;
  for (const char c : all + found.result)
    if (!std::isalpha(static_cast<unsigned char>(c))) RefuseSubscripts(text, fmt::format("'{}' is no letter", c));
  const auto twice = [](std::string letters) {
    std::sort(letters.begin(), letters.end());
    return std::adjacent_find(letters.begin(), letters.end()) != letters.end();
  };
  if (twice(found.result) || std::any_of(found.operands.begin(), found.operands.end(), twice))
    RefuseSubscripts(text, "a letter twice in one operand");
  for (const char c : found.result)
    if (!Has(all, c)) RefuseSubscripts(text, fmt::format("'{}' of the result is in no operand", c));
  return found;
}

// A value whose axes have letters.
struct Lettered {
  KerasTensor value;
  std::string letters;

  int64_t size(char letter) const { return value.shape()[letters.find(letter)]; }

  Lettered Summed(const std::string& kept) const {
    std::vector<int64_t> axes;
    std::string left;
    for (size_t i = 0; i < letters.size(); ++i) {
      if (Has(kept, letters[i]))
        left += letters[i];
      else
        axes.push_back(static_cast<int64_t>(i));
    }
    return axes.empty() ? *this : Lettered{sum(value, axes), left};
  }

  KerasTensor InOrder(const std::string& order) const {
    if (order == letters) return value;
    std::vector<int64_t> axes;
    for (const char c : order) axes.push_back(static_cast<int64_t>(letters.find(c)));
    return transpose(value, axes);
  }
};

Lettered WithLetters(const std::string& text, const KerasTensor& value, const std::string& letters) {
  if (value.shape().rank() != letters.size())
    RefuseSubscripts(text, fmt::format("\"{}\" for a value of shape {}", letters, value.shape().ToString()));
  return {value, letters};
}

std::vector<int64_t> SizesOf(const std::string& letters, const Lettered& of) {
  std::vector<int64_t> sizes;
  for (const char c : letters) sizes.push_back(of.size(c));
  return sizes;
}

// [leading…, rows…, columns…] as [leading…, rows, columns].
KerasTensor AsMatrices(const Lettered& x, const std::string& leading, const std::string& rows,
                       const std::string& columns) {
  std::vector<int64_t> dims = SizesOf(leading, x);
  dims.push_back(Elements("einsum", Shape(SizesOf(rows, x))));
  dims.push_back(Elements("einsum", Shape(SizesOf(columns, x))));
  return internal::Apply("einsum", {x.InOrder(leading + rows + columns)},
                         [shape = Shape(std::move(dims))](GraphBuilder& build, const std::vector<int>& in) {
                           return build.Reshape(in[0], shape);
                         });
}

KerasTensor Multiplied(const std::string& text, const Lettered& a, const Lettered& b, const std::string& result) {
  std::string leading, rows, columns, inner;
  for (const char c : a.letters) {
    if (!Has(b.letters, c))
      rows += c;
    else
      (Has(result, c) ? leading : inner) += c;
    if (Has(b.letters, c) && a.size(c) != b.size(c))
      RefuseSubscripts(text, fmt::format("'{}' has a size of {} and of {}", c, a.size(c), b.size(c)));
  }
  for (const char c : b.letters)
    if (!Has(a.letters, c)) columns += c;
  // A product reads either factor transposed as it lies.
  const bool transpose_a = a.letters == leading + inner + rows && !inner.empty();
  const bool transpose_b = b.letters == leading + columns + inner && !inner.empty();
  const KerasTensor product =
      internal::Apply("einsum",
                      {transpose_a ? AsMatrices(a, leading, inner, rows) : AsMatrices(a, leading, rows, inner),
                       transpose_b ? AsMatrices(b, leading, columns, inner) : AsMatrices(b, leading, inner, columns)},
                      [=](GraphBuilder& build, const std::vector<int>& in) {
                        return build.MatMul(in[0], in[1], transpose_a, transpose_b);
                      });
  std::vector<int64_t> dims = SizesOf(leading + rows, a);
  const std::vector<int64_t> more = SizesOf(columns, b);
  dims.insert(dims.end(), more.begin(), more.end());
  const KerasTensor apart = internal::Apply(
      "einsum", {product}, [shape = Shape(std::move(dims))](GraphBuilder& build, const std::vector<int>& in) {
        return build.Reshape(in[0], shape);
      });
  return Lettered{apart, leading + rows + columns}.InOrder(result);
}

}  // namespace

KerasTensor einsum(const std::string& subscripts, const std::vector<KerasTensor>& operands) {
  if (operands.empty() || operands.size() > 2)
    RefuseSubscripts(subscripts, fmt::format("{} operands, one or two are possible", operands.size()));
  const Subscripts parsed = Parsed(subscripts, operands.size());
  const Lettered a = WithLetters(subscripts, operands[0], parsed.operands[0]);
  if (operands.size() == 1) return a.Summed(parsed.result).InOrder(parsed.result);
  const Lettered b = WithLetters(subscripts, operands[1], parsed.operands[1]);
  return Multiplied(subscripts, a.Summed(b.letters + parsed.result), b.Summed(a.letters + parsed.result),
                    parsed.result);
}

}  // namespace headrace::keras::ops
