// Model::summary(): the table of tf.keras 2.7 to 2.12 (utils/layer_utils.py), without memory sizes: 65 columns for a
// chain, 98 with a column of connections for a graph; long cells go on in the next line.
#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "keras/model_state.h"

namespace headrace::keras::internal {
namespace {

using Row = std::vector<std::string>;

struct Table {
  size_t width;
  std::vector<size_t> ends;  // of the columns
};
const Table kChain = {65, {29, 55, 65}};
const Table kGraph = {98, {32, 53, 65, 98}};

// Also of a functional model without branches and shared layers.
bool IsChain(const ModelState& state) {
  const bool branches =
      std::any_of(state.nodes.begin(), state.nodes.end(), [](auto& n) { return n->inputs.size() > 1; });
  return !branches && state.Layers().size() + 1 == state.nodes.size();
}

// How much of `text` goes into a cell of `room` columns: at most up to the end of the first element of a list.
size_t Fitting(const std::string& text, size_t room) {
  const std::string_view cell = std::string_view(text).substr(0, room);
  size_t cut = std::string::npos;
  for (const std::string_view end : {"),", "},", "],", "',"})
    if (const size_t found = cell.find(end); found != std::string::npos) cut = std::min(cut, found + end.size());
  return cut == std::string::npos ? cell.size() : cut;
}

// Rows start with a space, which pushes a full first cell one column to the right, as there.
void PrintRow(const Table& table, Row cells, std::string& out) {
  const auto left = [&] { return std::any_of(cells.begin(), cells.end(), [](auto& cell) { return !cell.empty(); }); };
  while (left()) {
    std::string line = " ";
    for (size_t column = 0; column < cells.size(); ++column) {
      const bool last = column + 1 == cells.size();
      const size_t begin = column == 0 ? 0 : table.ends[column - 1];
      const size_t cut = Fitting(cells[column], table.ends[column] - begin - (last ? 0 : 2));
      line += cells[column].substr(0, cut) + (last ? "" : "  ");
      cells[column].erase(0, cut);
      if (line.size() < table.ends[column]) line.resize(table.ends[column], ' ');
    }
    out += line + "\n";
  }
}

int64_t CountParams(const LayerState& layer, bool trainable_only) {
  int64_t count = 0;
  for (const VariablePtr& weight : layer.weights)
    if (!trainable_only || (layer.trainable && weight->trainable)) count += weight->value.size();
  return count;
}

// The inputs of all calls of a layer: ['conv2d[0][0]', 'add[1][0]']; the first number counts a layer's calls.
std::string ConnectionsOf(const ModelState& state, const LayerState& layer) {
  std::vector<std::string> names;
  for (const auto& node : state.nodes) {
    if (node->layer.get() != &layer) continue;
    for (const auto& input : node->inputs) {
      size_t call = 0;
      for (const auto& other : state.nodes) {
        if (other == input) break;
        if (other->layer == input->layer) ++call;
      }
      names.push_back(fmt::format("'{}[{}][0]'", input->layer->name, call));
    }
  }
  return fmt::format("[{}]", fmt::join(names, ", "));
}

std::string OutputOf(const ModelState& state, const LayerState& layer) {
  for (const auto& node : state.nodes)
    if (node->layer.get() == &layer) return node->shape.ToString();
  return "";
}

Row RowOf(const ModelState& state, const LayerState& layer) {
  Row row = {layer.name + " (" + layer.ClassName() + ")", OutputOf(state, layer),
             std::to_string(CountParams(layer, false))};
  if (!IsChain(state)) row.push_back(ConnectionsOf(state, layer));
  return row;
}

std::string WithCommas(int64_t count) {
  const std::string digits = std::to_string(count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace

std::string Summary(const ModelState& state) {
  const bool chain = IsChain(state);
  const Table& table = chain ? kChain : kGraph;
  std::string out = fmt::format("Model: \"{}\"\n{}\n", state.name, std::string(table.width, '_'));
  Row header = {"Layer (type)", "Output Shape", "Param #"};
  if (!chain) header.push_back("Connected to");
  PrintRow(table, header, out);
  out += std::string(table.width, '=') + "\n";
  const std::string blank = std::string(table.width, ' ') + "\n";
  if (!state.sequential) {
    const LayerState& input = *state.input()->layer;
    Row row = {input.name + " (InputLayer)", "[" + state.input()->shape.ToString() + "]", "0"};
    if (!chain) row.push_back("[]");
    PrintRow(table, std::move(row), out);
    out += blank;
  }
  int64_t total = 0, trainable = 0;
  for (const auto& layer : state.Layers()) {
    PrintRow(table, RowOf(state, *layer), out);
    out += blank;
    total += CountParams(*layer, false);
    trainable += CountParams(*layer, true);
  }
  out += fmt::format("{}\nTotal params: {}\nTrainable params: {}\nNon-trainable params: {}\n{}\n",
                     std::string(table.width, '='), WithCommas(total), WithCommas(trainable),
                     WithCommas(total - trainable), std::string(table.width, '_'));
  return out;
}

}  // namespace headrace::keras::internal
