// What CreateTrainingJob and its companions take, as the service's model states it.
#pragma once

#include "api/validation/shape.h"

namespace headrace::api::sagemaker {

Shape TrainingJobNameShape();
Shape TagListShape();
// AlgorithmSpecification.MetricDefinitions.
Shape MetricDefinitionsShape();
Shape ProfilerConfigShape();
Shape RemoteDebugConfigShape();
Shape CreateTrainingJobShape();

}  // namespace headrace::api::sagemaker
