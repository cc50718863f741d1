import { useState } from "preact/hooks";
import { Command, Problem } from "../parts/pieces";
import { ended, signIn } from "../session";

export function SignInPage({ problem }: { problem?: Error }) {
  const [failure, setFailure] = useState<Error>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await signIn(String(form.get("id")).trim(), String(form.get("secret")).trim());
    } catch (refused) {
      setFailure(refused as Error);
    }
    setBusy(false);
  };
  return (
    <main class="sign-in">
      <h1>Headrace</h1>
      <p>A server of Headrace runs here: SageMaker's training jobs and endpoints on a machine of one's own.</p>
      {ended.value ? <p role="status">Your session has ended: sign in again.</p> : null}
      <form onSubmit={(event) => void submit(event)}>
        <label>Access key ID <input name="id" required autocomplete="username" spellcheck={false} /></label>
        <label>Secret access key <input name="secret" type="password" required autocomplete="current-password" /></label>
        <button disabled={busy}>Sign in</button>
        <Problem of={failure ?? problem} />
      </form>
      <p>Or, in a shell on the server's machine, this opens a page that is signed in:</p>
      <Command text="headrace console" />
      <p>The same address speaks the protocols of S3, SageMaker, CloudWatch, CloudWatch Logs, STS and IAM, to boto3, the AWS CLI and the SageMaker SDKs:</p>
      <Command text={'eval "$(headrace env)"\naws sagemaker list-training-jobs'} />
    </main>
  );
}
