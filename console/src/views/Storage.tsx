// Buckets and objects: browse, look into, upload, download, delete.
import { useState } from "preact/hooks";
import { deleteObject, listBuckets, listFolder, objectAddress, upload, type Folder } from "../data/storage";
import { bytes } from "../format";
import { useLoaded } from "../live";
import { Preview } from "../parts/Preview";
import { Empty, Problem, Time } from "../parts/pieces";
import { address, choose, go, Link, query } from "../router";

export function BucketsPage() {
  const buckets = useLoaded(listBuckets, [], 10);
  return (
    <>
      <h1>Storage</h1>
      <Problem of={buckets.problem} />
      {buckets.value?.length === 0 ? <Empty command="aws s3 mb s3://my-bucket">No bucket. In a shell:</Empty> : null}
      {buckets.value?.length ? <table>
        <thead><tr><th scope="col">Bucket</th><th scope="col">Created</th></tr></thead>
        <tbody>{buckets.value.map((bucket) => <tr key={bucket.name}><td><Link to={address("storage", bucket.name)}>{bucket.name}</Link></td><td><Time at={Date.parse(bucket.created) / 1000} /></td></tr>)}</tbody>
      </table> : null}
    </>
  );
}

// A link may lead to an object as to a folder: then its folder is shown, with the object looked into.
async function readFolder(bucket: string, given: string, prefix: string): Promise<Folder> {
  const folder = await listFolder(bucket, prefix);
  if (folder.objects.length + folder.prefixes.length > 0 || given === "" || given.endsWith("/")) return folder;
  const named = await listFolder(bucket, given);
  if (!named.objects.some((object) => object.key === given)) return folder;
  const parts = given.split("/");
  go(`${address("storage", bucket, ...parts.slice(0, -1))}?object=${encodeURIComponent(given)}`, true);
  return folder;
}

export function FolderPage({ bucket, prefix: given }: { bucket: string; prefix: string }) {
  const prefix = given && !given.endsWith("/") ? `${given}/` : given;
  const folder = useLoaded(() => readFolder(bucket, given, prefix), [bucket, prefix]);
  const [more, setMore] = useState<Folder>();
  const [failure, setFailure] = useState<Error>();
  const [sent, setSent] = useState<Record<string, number>>({});
  const shown = query.value.get("object");
  const last = more ?? folder.value;
  const prefixes = [...(folder.value?.prefixes ?? []), ...(more?.prefixes ?? [])], objects = [...(folder.value?.objects ?? []), ...(more?.objects ?? [])];
  const loadMore = async () => {
    const page = await listFolder(bucket, prefix, last?.next);
    setMore({ prefixes: [...(more?.prefixes ?? []), ...page.prefixes], objects: [...(more?.objects ?? []), ...page.objects], next: page.next });
  };
  const send = async (files: FileList | null | undefined) => {
    for (const file of files ?? []) {
      try {
        await upload(bucket, prefix + file.name, file, (share) => setSent((before) => ({ ...before, [file.name]: share })));
      } catch (problem) {
        setFailure(problem as Error);
      }
    }
    setSent({});
    folder.reload();
  };
  const remove = async (key: string) => {
    if (!confirm(`Delete s3://${bucket}/${key}? It cannot be brought back.`)) return;
    try { await deleteObject(bucket, key); choose({ object: null }); folder.reload(); } catch (problem) { setFailure(problem as Error); }
  };
  return (
    <>
      <h1><Crumbs bucket={bucket} prefix={prefix} /></h1>
      <div class="tools drop" onDragOver={(event) => event.preventDefault()} onDrop={(event) => { event.preventDefault(); void send(event.dataTransfer?.files); }}>
        <label>Upload: drop files here, or choose <input type="file" multiple onChange={(event) => void send(event.currentTarget.files)} /></label>
        {Object.entries(sent).map(([name, share]) => <label key={name}>{name} <progress value={share} max={1} /></label>)}
      </div>
      <Problem of={failure ?? folder.problem} />
      {folder.value && prefixes.length + objects.length === 0 ? <Empty command={`headrace upload FILE s3://${bucket}/${prefix}`}>Nothing here. From a shell:</Empty> : null}
      {prefixes.length + objects.length ? <div class="scroll" tabIndex={0} role="region" aria-label="Objects"><table>
        <thead><tr><th scope="col">Name</th><th scope="col">Size</th><th scope="col">Modified</th><th scope="col"><span class="visually-hidden">Do</span></th></tr></thead>
        <tbody>
          {prefixes.map((one) => <tr key={one}><td><Link to={address("storage", bucket, ...one.split("/").filter(Boolean))}>{one.slice(prefix.length)}</Link></td><td /><td /><td /></tr>)}
          {objects.map((object) => (
            <tr key={object.key}>
              <td><button class="link" onClick={() => choose({ object: object.key })}>{object.key.slice(prefix.length) || object.key}</button></td>
              <td class="number">{bytes(object.size)}</td><td><Time at={Date.parse(object.modified) / 1000} /></td>
              <td><a href={objectAddress(bucket, object.key)} download>Download</a> <button class="quiet" aria-label={`Delete ${object.key}`} onClick={() => void remove(object.key)}>Delete</button></td>
            </tr>
          ))}
        </tbody>
      </table></div> : null}
      {last?.next ? <button onClick={() => void loadMore()}>Next objects</button> : null}
      {shown ? <Preview bucket={bucket} objectKey={shown} size={objects.find((object) => object.key === shown)?.size} /> : null}
    </>
  );
}

function Crumbs({ bucket, prefix }: { bucket: string; prefix: string }) {
  const parts = prefix.split("/").filter(Boolean);
  return <><Link to="/console/storage">Storage</Link> / <Link to={address("storage", bucket)}>{bucket}</Link>
    {parts.map((part, i) => <span key={i}> / <Link to={address("storage", bucket, ...parts.slice(0, i + 1))}>{part}</Link></span>)}</>;
}
