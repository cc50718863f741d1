#include "sagemaker/estimator/array_text.h"
#include "sagemaker/estimator/endpoint.h"

namespace headrace::sagemaker {
namespace {

// The configuration that an endpoint has now.
Json ConfigurationOf(const Session& session, const std::string& endpoint) {
  const Json described = CallWith(session.sagemaker(), "DescribeEndpoint", {{"EndpointName", endpoint}});
  return CallWith(session.sagemaker(), "DescribeEndpointConfig",
                  {{"EndpointConfigName", TextMember(described, "EndpointConfigName")}});
}

}  // namespace

Predictor::Predictor(std::string endpoint_name, Session session, Serializer serializer)
    : endpoint_name_(std::move(endpoint_name)), session_(std::move(session)), serializer_(serializer) {}

std::string Predictor::predict(std::string_view body, const std::string& content_type,
                               const std::string& accept) const {
  InvokeEndpointRequest request{
      .endpoint_name = endpoint_name_, .body = body, .content_type = content_type, .accept = accept};
  return session_.runtime().InvokeEndpoint(request).value().body;
}

Array Predictor::predict(const TensorView& input) const {
  switch (serializer_) {
    case Serializer::kNpy:
      return ArrayOfJson(predict(ArrayAsNpy(input), "application/x-npy"));
    case Serializer::kCsv:
      return ArrayOfJson(predict(ArrayAsCsv(input), "text/csv"));
    case Serializer::kJson:
      break;
  }
  return ArrayOfJson(predict(ArrayAsJson(input), "application/json"));
}

void Predictor::update_endpoint(const UpdateOptions& options) const {
  const Json now = ConfigurationOf(session_, endpoint_name_);
  Json variants = ListMember(now, "ProductionVariants");
  for (Json& variant : variants) {
    if (options.initial_instance_count > 0) variant["InitialInstanceCount"] = options.initial_instance_count;
    if (!options.instance_type.empty()) variant["InstanceType"] = options.instance_type;
    if (!options.model_name.empty()) variant["ModelName"] = options.model_name;
  }
  const std::string name = name_from_base(endpoint_name_);
  CallWith(session_.sagemaker(), "CreateEndpointConfig",
           {{"EndpointConfigName", name}, {"ProductionVariants", variants}});
  CallWith(session_.sagemaker(), "UpdateEndpoint", {{"EndpointName", endpoint_name_}, {"EndpointConfigName", name}});
  if (options.wait) WaitForEndpoint(session_, endpoint_name_, options.poll);
}

void Predictor::delete_endpoint(bool delete_endpoint_config) const {
  if (delete_endpoint_config) {
    const Json described = CallWith(session_.sagemaker(), "DescribeEndpoint", {{"EndpointName", endpoint_name_}});
    CallWith(session_.sagemaker(), "DeleteEndpointConfig",
             {{"EndpointConfigName", TextMember(described, "EndpointConfigName")}});
  }
  CallWith(session_.sagemaker(), "DeleteEndpoint", {{"EndpointName", endpoint_name_}});
}

void Predictor::delete_model() const {
  const Json now = ConfigurationOf(session_, endpoint_name_);
  for (const Json& variant : ListMember(now, "ProductionVariants"))
    CallWith(session_.sagemaker(), "DeleteModel", {{"ModelName", TextMember(variant, "ModelName")}});
}

}  // namespace headrace::sagemaker
