// The confusion matrix as a heatmap: rows are true classes, columns predicted ones, colours the share of the row.
#pragma once

#include <string>

#include "apps/evaluation/confusion_matrix.h"

namespace headrace::apps {

std::string DrawSvg(const ConfusionMatrix& matrix);
std::string DrawPng(const ConfusionMatrix& matrix);  // two pixels a unit of the SVG

}  // namespace headrace::apps
