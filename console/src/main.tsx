// The console. Signed out it is one form; signed in, the address says which view is shown.
import "uplot/dist/uPlot.min.css";
import "./style.css";
import { render } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import { Frame } from "./parts/Frame";
import { parts, place } from "./router";
import { start, user } from "./session";
import { ComparePage } from "./views/Compare";
import { CreateJobPage } from "./views/CreateJob";
import { CreateTransformPage } from "./views/CreateTransform";
import { EndpointPage } from "./views/Endpoint";
import { EndpointsPage } from "./views/Endpoints";
import { EvaluationPage, EvaluationsPage } from "./views/Evaluations";
import { HealthPage } from "./views/Health";
import { JobPage } from "./views/Job";
import { JobsPage } from "./views/Jobs";
import { MetricsLinkPage } from "./views/MetricsLink";
import { SignInPage } from "./views/SignIn";
import { BucketsPage, FolderPage } from "./views/Storage";
import { TransformPage } from "./views/Transform";
import { TransformsPage } from "./views/Transforms";

function View() {
  if (place.value.path === "/cloudwatch/home") return <MetricsLinkPage />;
  const [room, name, ...rest] = parts.value;
  switch (room ?? "") {
    case "":
    case "jobs": return name ? <JobPage key={name} name={name} /> : <JobsPage />;
    case "create-job": return <CreateJobPage />;
    case "compare": return <ComparePage />;
    case "endpoints": return name ? <EndpointPage key={name} name={name} /> : <EndpointsPage />;
    case "create-transform": return <CreateTransformPage />;
    case "transforms": return name ? <TransformPage key={name} name={name} /> : <TransformsPage />;
    case "evaluations": return name ? <EvaluationPage key={place.value.path} bucket={name} reportKey={rest.join("/")} /> : <EvaluationsPage />;
    case "storage": return name ? <FolderPage key={place.value.path} bucket={name} prefix={rest.join("/")} /> : <BucketsPage />;
    case "health": return <HealthPage />;
    default: return <p>There is no place <code>{place.value.path}</code> in the console.</p>;
  }
}

function App() {
  const [problem, setProblem] = useState<Error>();
  useLayoutEffect(() => { start().catch(setProblem); }, []);
  if (user.value === undefined) return problem ? <p role="alert" class="problem">{problem.message}</p> : null;
  if (user.value === null) return <SignInPage problem={problem} />;
  return <Frame><View /></Frame>;
}

render(<App />, document.getElementById("app")!);
