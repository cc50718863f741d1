// Layers' weights and the optimizer's state in a file's groups.
#pragma once

#include "keras/hdf5/file.h"
#include "keras/model_state.h"

namespace headrace::keras::internal::hdf5 {

// "layer_names" and a group for each layer, with "weight_names" and the datasets, e.g. conv2d/conv2d/kernel:0.
void WriteWeights(Group& group, const ModelState& state);

// By the order of the layers that have weights, as Keras does; names do not matter, unless it is by name. Throws
// kDataLoss when something is missing, kInvalidArgument naming layer, shape found and shape wanted when the file is of
// another architecture, or warns of each layer that is skipped; the model is changed only when all of it fits.
void ReadWeights(const Group& group, const ModelState& state, const LoadWeightsOptions& options);

// The elements of all weights that the layers of a file name, before any of them is read: what its architecture may ask
// for. Throws as Group::StoredAs() does for each, and kDataLoss when together they are far more than the file.
int64_t DeclaredElements(const Group& group);

// "optimizer_weights" in the order of Keras 3: iterations, learning rate, then the slots.
void WriteOptimizer(Group& root, const Compiled& compiled);

// Into the compiled model's optimizer: iterations, learning rate when the file has it, slots. Names of Keras 2 and 3
// are known. Errors as in ReadWeights.
void ReadOptimizer(const Group& root, ModelState& state);

}  // namespace headrace::keras::internal::hdf5
