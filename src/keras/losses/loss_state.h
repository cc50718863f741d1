// LossState: what a Loss handle refers to: a function of targets and predictions as operations, and how its values
// become one. Losses that come with the library are in losses.cc, their formulas in formulas.cc.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "headrace/keras.h"

#include "keras/operations/builder.h"

namespace headrace::keras::internal {

// Appends operations to the graph and returns a value: one number a row, or more. y_true has the rank of y_pred, unless
// the targets are numbers of classes.
using LossFunction = std::function<int(GraphBuilder& build, int y_true, int y_pred)>;

struct LossState {
  std::string class_name;  // Keras's, "MeanSquaredError"; "" for one of the user's own
  std::string name;        // "mean_squared_error"
  std::string reduction = "sum_over_batch_size";
  LossFunction values;
  bool classes = false;        // targets are numbers of classes: integers without the axis of classes
  bool needs_classes = false;  // the last axis of predictions has two classes or more
  nlohmann::json config = nlohmann::json::object();  // Keras's, without name and reduction
};

// The reduction as it is kept; throws kInvalidArgument, naming the loss, unless it is one of Keras's.
std::string LossReduction(const std::string& loss, const std::string& reduction);

// Keras's function, class name or short name ("mse"); null for none.
std::shared_ptr<const LossState> FindLoss(const std::string& name);
std::string KnownLosses();
// From Keras's class name and configuration; throws kInvalidArgument.
Loss LossFromConfig(const std::string& class_name, const nlohmann::json& config);

// Targets beside predictions as Keras has them: [n] meets [n, 1], and [n, 1] meets [n].
int AlignTargets(GraphBuilder& build, int y_true, int y_pred);
// The same; throws kInvalidArgument, naming `what`, where the shapes differ all the same.
int FitTargets(GraphBuilder& build, const std::string& what, int y_true, int y_pred);
// The loss's values, before its reduction, of targets that are fitted to the predictions.
int ValuesOf(const LossState& loss, GraphBuilder& build, int y_true, int y_pred);

// What the softmax or sigmoid that made the prediction was applied to; -1 where neither did. A cast between is passed.
// Keras 3 lets every crossentropy use it, a softmax's in a binary one, too.
int LogitsOf(const GraphBuilder& build, int y_pred);

}  // namespace headrace::keras::internal
