// CloudWatch's deep link, /cloudwatch/home?region=…#metricsV2:namespace=…;dimensions=…;search=JOB, as the notebook makes it:
// it opens the job that it searches for.
import { useEffect } from "preact/hooks";
import { describeJob } from "../data/jobs";
import { useLoaded } from "../live";
import { Problem } from "../parts/pieces";
import { address, go, place } from "../router";

function searched(hash: string): string | undefined {
  const fields = hash.replace(/^#metricsV2:/, "").split(";").map((field) => field.split("="));
  const value = fields.find(([name]) => name === "search")?.[1] ?? fields.find(([name]) => name === "query")?.[1];
  return value ? decodeURIComponent(value.replace(/\*([0-9a-f]{2})/gi, "%$1")) : undefined;
}

export function MetricsLinkPage() {
  const job = searched(place.value.hash);
  const found = useLoaded(async () => (job ? describeJob(job) : undefined), [job]);
  useEffect(() => { if (found.value) go(address("jobs", found.value.name), true); }, [found.value]);
  return <><h1>CloudWatch metrics</h1>{job ? <p>Looking for the training job <code>{job}</code> …</p> : <p>The link names no job: its fragment has no "search".</p>}<Problem of={found.problem} /></>;
}
