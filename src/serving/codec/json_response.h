// Answers in JSON, laid out as TensorFlow Serving lays them out. Numbers are the shortest text that reads back as the
// same float; NaN, Infinity and -Infinity stand bare.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "headrace/tensor.h"

#include "serving/codec/signature.h"

namespace headrace::serving {

// {"predictions": …} by rows, or {"outputs": …} by columns. One output goes without its name. outputs: in the
// signature's order; of equal first dimensions in row format.
std::string PredictResponse(const Signature& signature, const std::vector<Tensor>& outputs, bool row_format);

// {"results": …}: pairs of label and score, or values. scores: [n, classes]; [n] or [n, 1]. labels: what the numbers of
// `classes`, int32 of the same shape, stand for; or null, for labels that are "".
std::string ClassifyResponse(const Tensor& scores, const Tensor& classes = {}, const Labels* labels = nullptr);
std::string RegressResponse(const Tensor& values);

void AppendNumber(float value, std::string& text);
void AppendJsonString(std::string_view value, std::string& text);  // with quotes; bytes that are no UTF-8 become "?"

}  // namespace headrace::serving
