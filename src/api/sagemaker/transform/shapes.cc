// What CreateTransformJob takes, as the service's model states it.
#include "api/sagemaker/hosting/shapes.h"

#include "api/sagemaker/training_job_shape.h"
#include "api/sagemaker/transform/operations.h"

namespace headrace::api::sagemaker {
namespace {

Shape TransformS3Uri() { return Shape::Text(0, 1024, "(https|s3)://([^/]+)/?(.*)"); }
Shape TransformKmsKey() { return Shape::Text(0, 2048, "[a-zA-Z0-9:/_-]*"); }
Shape MediaTypeShape() { return Shape::Text(0, 256, ".*"); }
Shape ExperimentName() { return Shape::Text(1, 120, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}"); }

Shape TransformInputShape() {
  // Of the kinds of data in the model of the service, transform jobs take these two.
  const Shape source = Shape::Structure(
      {{"S3DataType", Shape::Enum({"ManifestFile", "S3Prefix"}), true}, {"S3Uri", TransformS3Uri(), true}});
  return Shape::Structure({{"DataSource", Shape::Structure({{"S3DataSource", source, true}}), true},
                           {"ContentType", MediaTypeShape()},
                           {"CompressionType", Shape::Enum({"None", "Gzip"})},
                           {"SplitType", Shape::Enum({"None", "Line", "RecordIO", "TFRecord"})}});
}

Shape TransformOutputShape() {
  return Shape::Structure({{"S3OutputPath", TransformS3Uri(), true},
                           {"Accept", MediaTypeShape()},
                           {"AssembleWith", Shape::Enum({"None", "Line"})},
                           {"KmsKeyId", TransformKmsKey()}});
}

Shape TransformResourcesShape() {
  return Shape::Structure({{"InstanceType", Shape::Text(1, 64, R"(ml\.[a-z0-9\-]+\.[a-z0-9\-]+|local)"), true},
                           {"InstanceCount", Shape::Integer(1, 100), true},
                           {"VolumeKmsKeyId", TransformKmsKey()},
                           {"TransformAmiVersion", Shape::Text(1, 63, "[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*")}});
}

}  // namespace

Shape TransformJobNameShape() { return Shape::Text(1, 63, "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"); }

Shape CreateTransformJobShape() {
  return Shape::Structure(
      {{"TransformJobName", TransformJobNameShape(), true},
       {"ModelName", ModelNameShape(), true},
       {"MaxConcurrentTransforms", Shape::Integer(0)},
       {"ModelClientConfig", Shape::Structure({{"InvocationsTimeoutInSeconds", Shape::Integer(1, 3600)},
                                               {"InvocationsMaxRetries", Shape::Integer(0, 3)}})},
       {"MaxPayloadInMB", Shape::Integer(0, 100)},
       {"BatchStrategy", Shape::Enum({"MultiRecord", "SingleRecord"})},
       {"Environment", Shape::Map(Shape::Text(0, 1024, "[a-zA-Z_][a-zA-Z0-9_]*"), Shape::Text(0, 10240), 16)},
       {"TransformInput", TransformInputShape(), true},
       {"TransformOutput", TransformOutputShape(), true},
       {"TransformResources", TransformResourcesShape(), true},
       {"DataProcessing", Shape::Structure({{"InputFilter", Shape::Text(0, 63)},
                                            {"OutputFilter", Shape::Text(0, 63)},
                                            {"JoinSource", Shape::Enum({"Input", "None"})}})},
       {"Tags", TagListShape()},
       {"ExperimentConfig", Shape::Structure({{"ExperimentName", ExperimentName()},
                                              {"TrialName", ExperimentName()},
                                              {"TrialComponentDisplayName", ExperimentName()},
                                              {"RunName", ExperimentName()}})}});
}

}  // namespace headrace::api::sagemaker
