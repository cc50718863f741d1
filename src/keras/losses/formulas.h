// The formulas of Keras 3's losses: from targets and predictions, values before any reduction.
#pragma once

#include "keras/losses/loss_state.h"

namespace headrace::keras::internal {

int MeanSquaredErrorOf(GraphBuilder& build, int y_true, int y_pred);
int MeanAbsoluteErrorOf(GraphBuilder& build, int y_true, int y_pred);
int MeanAbsolutePercentageErrorOf(GraphBuilder& build, int y_true, int y_pred);
int MeanSquaredLogarithmicErrorOf(GraphBuilder& build, int y_true, int y_pred);
int LogCoshOf(GraphBuilder& build, int y_true, int y_pred);
int HuberOf(GraphBuilder& build, int y_true, int y_pred, float delta);
int CosineSimilarityOf(GraphBuilder& build, int y_true, int y_pred, int64_t axis);  // 1 for equal directions
int HingeOf(GraphBuilder& build, int y_true, int y_pred);
int SquaredHingeOf(GraphBuilder& build, int y_true, int y_pred);
int CategoricalHingeOf(GraphBuilder& build, int y_true, int y_pred);
int KLDivergenceOf(GraphBuilder& build, int y_true, int y_pred);
int PoissonOf(GraphBuilder& build, int y_true, int y_pred);
int DiceOf(GraphBuilder& build, int y_true, int y_pred, const std::vector<int64_t>& axes);
int TverskyOf(GraphBuilder& build, int y_true, int y_pred, const TverskyOptions& options);
// Of each element, and with targets like the predictions.
int BinaryCrossentropiesOf(GraphBuilder& build, int y_true, int y_pred, bool from_logits);
int BinaryCrossentropyOf(GraphBuilder& build, int y_true, int y_pred, const BinaryCrossentropyOptions& options);
int BinaryFocalCrossentropyOf(GraphBuilder& build, int y_true, int y_pred,
                              const BinaryFocalCrossentropyOptions& options);
int CategoricalCrossentropyOf(GraphBuilder& build, int y_true, int y_pred,
                              const CategoricalCrossentropyOptions& options);
int CategoricalFocalCrossentropyOf(GraphBuilder& build, int y_true, int y_pred,
                                   const CategoricalFocalCrossentropyOptions& options);
// y_true: int64 numbers of classes, in these two.
int SparseCategoricalCrossentropyOf(GraphBuilder& build, int y_true, int y_pred,
                                    const SparseCategoricalCrossentropyOptions& options);
int GeneralizedCrossEntropyOf(GraphBuilder& build, int y_true, int y_pred, float q);

// 1 where the last axis, `count` long, is the class, else 0.
int OneHot(GraphBuilder& build, int classes, int64_t count);

}  // namespace headrace::keras::internal
