// A question over the page, for what changes something: a form whose refusals stay in sight. Escape closes it, and the focus goes back.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./pieces";

interface Question {
  title: string;
  verb: string; // of the button
  ready?: boolean;
  act: () => Promise<unknown>; // whoever shows the dialog closes it afterwards
  close: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, verb, ready = true, act, close, children }: Question) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [failure, setFailure] = useState<Error>();
  const [busy, setBusy] = useState(false);
  useEffect(() => { dialog.current!.showModal(); }, []);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    setBusy(true);
    try {
      await act();
    } catch (problem) {
      setFailure(problem as Error);
    }
    setBusy(false);
  };
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={close}>
      <h2 id="question">{title}</h2>
      <form onSubmit={(event) => void submit(event)}>
        {children}
        <Problem of={failure} />
        <p class="tools"><button disabled={!ready || busy}>{verb}</button><button type="button" class="quiet" onClick={() => dialog.current!.close()}>Cancel</button></p>
      </form>
    </dialog>
  );
}
