// One handler an operation of TensorFlow: from a node, whose inputs are imported, to what it is in our graph.
#pragma once

#include <optional>
#include <string_view>

#include "savedmodel/import/graph_importer.h"

namespace headrace::savedmodel {

using OperationHandler = Result<Item> (*)(GraphImporter& importer, const tf::NodeDef& node);

using ManyOutputsHandler = Result<Items> (*)(GraphImporter& importer, const tf::NodeDef& node);

// Null for an operation that is not known.
OperationHandler FindOperation(std::string_view op);
ManyOutputsHandler FindManyOutputs(std::string_view op);

// By file, for the table in operations.cc.
Result<Item> ImportConst(GraphImporter&, const tf::NodeDef&);           // constants.cc
Result<Item> ImportVariable(GraphImporter&, const tf::NodeDef&);        //
Result<Item> ImportVarHandle(GraphImporter&, const tf::NodeDef&);       //
Result<Item> ImportReadVariable(GraphImporter&, const tf::NodeDef&);    //
Result<Item> ImportIdentity(GraphImporter&, const tf::NodeDef&);        //
Result<Item> ImportLogicalNot(GraphImporter&, const tf::NodeDef&);      //
Result<Items> ImportIdentityN(GraphImporter&, const tf::NodeDef&);      //
Result<Items> ImportSwitch(GraphImporter&, const tf::NodeDef&);         //
Result<Items> ImportMerge(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportShape(GraphImporter&, const tf::NodeDef&);           // shapes.cc
Result<Item> ImportPack(GraphImporter&, const tf::NodeDef&);            //
Result<Item> ImportProd(GraphImporter&, const tf::NodeDef&);            //
Result<Item> ImportCast(GraphImporter&, const tf::NodeDef&);            //
Result<Item> ImportReshape(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportSqueeze(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportExpandDims(GraphImporter&, const tf::NodeDef&);      //
Result<Item> ImportConcat(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportTranspose(GraphImporter&, const tf::NodeDef&);       //
Result<Item> ImportSlice(GraphImporter&, const tf::NodeDef&);           // slices.cc
Result<Item> ImportStridedSlice(GraphImporter&, const tf::NodeDef&);    //
Result<Items> ImportSplit(GraphImporter&, const tf::NodeDef&);          //
Result<Items> ImportUnpack(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportTile(GraphImporter&, const tf::NodeDef&);            //
Result<Item> ImportBroadcastTo(GraphImporter&, const tf::NodeDef&);     //
Result<Item> ImportGather(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportConv2D(GraphImporter&, const tf::NodeDef&);          // layers.cc
Result<Item> ImportDepthwise(GraphImporter&, const tf::NodeDef&);       //
Result<Item> ImportMatMul(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportBiasAdd(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportBatchNorm(GraphImporter&, const tf::NodeDef&);       //
Result<Item> ImportMaxPool(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportAvgPool(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportReduction(GraphImporter&, const tf::NodeDef&);       //
Result<Item> ImportTransposedConv(GraphImporter&, const tf::NodeDef&);  //
Result<Item> ImportResize(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportPad(GraphImporter&, const tf::NodeDef&);             //
Result<Item> ImportActivation(GraphImporter&, const tf::NodeDef&);      //
Result<Item> ImportPointwise(GraphImporter&, const tf::NodeDef&);       // arithmetic.cc
Result<Item> ImportAdd(GraphImporter&, const tf::NodeDef&);             //
Result<Item> ImportSub(GraphImporter&, const tf::NodeDef&);             //
Result<Item> ImportMul(GraphImporter&, const tf::NodeDef&);             //
Result<Item> ImportRealDiv(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportMinMax(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportSquaredDifference(GraphImporter&, const tf::NodeDef&);
Result<Item> ImportPower(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportComparison(GraphImporter&, const tf::NodeDef&);     //
Result<Item> ImportSelect(GraphImporter&, const tf::NodeDef&);         //
Result<Item> ImportAddN(GraphImporter&, const tf::NodeDef&);           //
Result<Item> ImportLogSoftmax(GraphImporter&, const tf::NodeDef&);     // layers.cc
Result<Item> ImportSpaceToBatch(GraphImporter&, const tf::NodeDef&);   // spaced.cc
Result<Item> ImportBatchToSpace(GraphImporter&, const tf::NodeDef&);   //
Result<Item> ImportArgMax(GraphImporter&, const tf::NodeDef&);         // labels.cc
Result<Item> ImportAsString(GraphImporter&, const tf::NodeDef&);       //
Result<Item> ImportRange(GraphImporter&, const tf::NodeDef&);          //
Result<Item> ImportZerosLike(GraphImporter&, const tf::NodeDef&);      // arithmetic.cc
Result<Items> ImportParseExample(GraphImporter&, const tf::NodeDef&);  // strings.cc
Result<Item> ImportDecodeRaw(GraphImporter&, const tf::NodeDef&);      //

// Whether a node is an AsString that writes whole numbers as their digits alone.
bool IsPlainAsString(const tf::NodeDef& node);
// A constant, numbers or strings, that a Tile repeats as often as there are rows in the batch; none for other tiles.
Result<std::optional<Item>> RepeatedRow(GraphImporter&, const tf::NodeDef&);
// A convolution behind SpaceToBatchND.
Result<Item> ConvolveSpaced(const tf::NodeDef& node, const SpacedValue& spaced, keras::VariablePtr kernel,
                            int64_t groups);
// The strings that input `i` of a node is, a constant behind what only moves elements.
Result<std::vector<std::string>> ConstantStrings(const GraphImporter&, const tf::NodeDef&, int i);
// Of RawValue: a Reshape that tells its size, and an operation that wants to know it.
Result<Item> ReshapeRaw(GraphImporter&, const tf::NodeDef&, const RawValue&, const std::vector<int64_t>& target);
tl::unexpected<Error> FailRaw(const tf::NodeDef& node, const RawValue& raw);

// For shapes.cc and slices.cc.
Item IntConstant(const tf::NodeDef& node, const std::vector<int64_t>& values, Shape shape, bool symbolic);
inline int64_t WrapAxis(int64_t axis, size_t rank) { return axis < 0 ? axis + static_cast<int64_t>(rank) : axis; }

// The layer of `value` with this bias added, when it is a convolution or dense layer that has none yet.
Result<Item> ImportBias(GraphImporter& importer, const tf::NodeDef& node, int value, keras::VariablePtr bias);

}  // namespace headrace::savedmodel
