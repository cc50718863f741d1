// A new batch transform job, or one like another.
import { useEffect, useState } from "preact/hooks";
import { listModels } from "../data/endpoints";
import { listBuckets } from "../data/storage";
import { createTransform, describeTransform } from "../data/transforms";
import { useLoaded } from "../live";
import { Problem } from "../parts/pieces";
import { isIn, isWithin, RequestForm, type Field } from "../parts/RequestForm";
import { address, go, query } from "../router";
import type { Json } from "../wire";
import { INSTANCE_TYPES, isInstanceType, isThere, nextName } from "./CreateJob";

const BLANK: Json = {
  ModelName: "", TransformInput: { DataSource: { S3DataSource: { S3DataType: "S3Prefix", S3Uri: "" } }, ContentType: "application/json", SplitType: "None" },
  TransformOutput: { S3OutputPath: "", AssembleWith: "None" }, TransformResources: { InstanceType: "ml.c5.xlarge", InstanceCount: 1 },
};

const fieldsOf = (models: string[] | undefined, buckets: string[] | undefined): Field[] => [
  { path: "ModelName", label: "Model", choices: models ?? [], check: (value) => (models && !models.includes(value) ? `There is no model ${value}.` : undefined) },
  { path: "TransformInput.DataSource.S3DataSource.S3Uri", label: "Input", check: isIn(buckets) },
  { path: "TransformInput.ContentType", label: "Content type", choices: ["application/json", "text/csv", "application/jsonlines", "application/x-npy", "application/x-image"], optional: true },
  { path: "TransformInput.SplitType", label: "Split", kind: "choice", choices: ["None", "Line", "RecordIO", "TFRecord"], optional: true },
  { path: "BatchStrategy", label: "Batches", kind: "choice", choices: ["MultiRecord", "SingleRecord"], optional: true },
  { path: "TransformOutput.S3OutputPath", label: "Output", check: isIn(buckets) },
  { path: "TransformOutput.Accept", label: "Answers as", choices: ["application/json", "text/csv"], optional: true },
  { path: "TransformOutput.AssembleWith", label: "Assemble with", kind: "choice", choices: ["None", "Line"], optional: true },
  { path: "TransformResources.InstanceType", label: "Instance type", choices: INSTANCE_TYPES, check: isInstanceType },
  { path: "TransformResources.InstanceCount", label: "Instances", kind: "number", check: isWithin(1, 100) },
  { path: "MaxPayloadInMB", label: "Largest request, MB", kind: "number", check: isWithin(0, 100), optional: true },
];

export function CreateTransformPage() {
  const like = query.value.get("like");
  const [name, setName] = useState<string>();
  const [document, setDocument] = useState<Json>();
  const [failure, setFailure] = useState<Error>();
  const models = useLoaded(listModels, []), buckets = useLoaded(listBuckets, []);
  useEffect(() => {
    if (!like) { setDocument(BLANK); return; }
    describeTransform(like).then((job) => setDocument(job.request), setFailure);
  }, [like]);
  const shown = name ?? (like ? nextName(like) : "");
  return (
    <>
      <h1>{like ? `A batch transform job like ${like}` : "Create a batch transform job"}</h1>
      <Problem of={failure ?? models.problem ?? buckets.problem} />
      {document ? <RequestForm name={shown} setName={setName} exists={isThere(describeTransform)} document={document} setDocument={setDocument}
        fields={fieldsOf(models.value, buckets.value?.map((bucket) => bucket.name))} tables={[{ path: "Environment", label: "Environment" }]}
        submit={async () => { await createTransform(shown, document); go(address("transforms", shown)); }} /> : null}
    </>
  );
}
