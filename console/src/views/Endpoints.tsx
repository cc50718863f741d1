// All endpoints.
import { listEndpoints, type EndpointRow } from "../data/endpoints";
import { Listing, type Column } from "../parts/Listing";
import { Status, Time } from "../parts/pieces";
import { address, Link } from "../router";

const STEADY = ["InService", "OutOfService", "Failed", "UpdateRollbackFailed"];

const COLUMNS: Column<EndpointRow>[] = [
  { key: "name", title: "Name", sortBy: "Name", cell: (row) => <Link to={address("endpoints", row.name)}>{row.name}</Link> },
  { key: "status", title: "Status", sortBy: "Status", cell: (row) => <Status of={row.status} /> },
  { key: "created", title: "Created", sortBy: "CreationTime", cell: (row) => <Time at={row.created} /> },
  { key: "changed", title: "Changed", value: (row) => row.modified, cell: (row) => <Time at={row.modified} /> },
];

export function EndpointsPage() {
  return (
    <Listing title="Endpoints" columns={COLUMNS} list={listEndpoints} changing={(row) => !STEADY.includes(row.status)} statuses={["Creating", "Updating", "RollingBack", "Deleting", ...STEADY]}
      empty={{ text: "No endpoint. A model of a training job gets one by:", command: "headrace deploy JOB --name my-endpoint" }} />
  );
}
