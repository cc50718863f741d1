// Records of a TFRecord file: each example's picture, where it has one, beside its features.
import { useEffect, useRef, useState } from "preact/hooks";
import { pictureOf, RecordReader, type ExampleRecord, type Picture } from "../data/examples";
import { describeExample } from "../data/formats";
import { bytes } from "../format";
import { Problem } from "./pieces";

export function ExamplePicture({ picture, name }: { picture: Picture; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [address, setAddress] = useState("");
  useEffect(() => {
    if (picture.kind === "pixels") {
      canvas.current!.getContext("2d")!.putImageData(new ImageData(picture.rgba, picture.side, picture.side), 0, 0);
      return undefined;
    }
    const made = URL.createObjectURL(new Blob([picture.bytes as BlobPart], { type: picture.type }));
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [picture]);
  return picture.kind === "pixels" ? <canvas ref={canvas} class="example" width={picture.side} height={picture.side} role="img" aria-label={name} /> : <img class="example" src={address} alt={name} />;
}

const PAGE = 10;

export function Examples({ bucket, objectKey }: { bucket: string; objectKey: string }) {
  const reader = useRef<RecordReader | undefined>(undefined);
  const [records, setRecords] = useState<ExampleRecord[]>([]);
  const [ended, setEnded] = useState(false);
  const [problem, setProblem] = useState<Error>();
  const more = async () => {
    const here = reader.current!, page: ExampleRecord[] = [];
    try {
      while (page.length < PAGE) {
        const record = await here.next();
        if (!record) { setEnded(true); break; }
        page.push(record);
      }
    } catch (failure) {
      setProblem(failure as Error);
      setEnded(true);
    }
    if (reader.current === here) setRecords((before) => [...before, ...page]);
  };
  useEffect(() => {
    reader.current = new RecordReader(bucket, objectKey);
    setRecords([]);
    setEnded(false);
    void more();
    return () => { reader.current = undefined; };
  }, [bucket, objectKey]);
  return (
    <>
      <div class="scroll" tabIndex={0} role="region" aria-label="Examples"><table>
        <thead><tr><th scope="col">Record</th><th scope="col">Picture</th><th scope="col">Features</th></tr></thead>
        <tbody>{records.map((record) => {
          const picture = pictureOf(record.bytes);
          return <tr key={record.number}><th scope="row">record {record.number}<br /><small>{bytes(record.bytes.length)}</small></th>
            <td>{picture ? <ExamplePicture picture={picture} name={`record ${record.number}`} /> : null}</td>
            <td>{describeExample(record.bytes).map((line, i) => <div key={i}><code>{line}</code></div>)}</td></tr>;
        })}</tbody>
      </table></div>
      <Problem of={problem} />
      {ended ? records.length === 0 && !problem ? <p>No record.</p> : null : <button onClick={() => void more()}>Next examples</button>}
    </>
  );
}
