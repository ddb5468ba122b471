import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Clients, command } from "./command.ts";

const PACKAGES = ["openapi-python-client==0.29.1", "schemathesis==4.32.5", "bullmq==3.4.4"];

const APP = `
import io, sys, time
from bucketline_client import AuthenticatedClient
from bucketline_client.api.activities import post_activities_get_object_jobs, post_activities_put_object_jobs
from bucketline_client.api.batches import get_batches_id, post_batches
from bucketline_client.api.documents import get_documents_id, post_documents
from bucketline_client.api.jobs import get_jobs_activity_id_wait
from bucketline_client.models import DeleteBatch, GetObjectInput, GetObjectJob, ObjectRef, PrefixSource, PutObjectInput, PutObjectJob
from bucketline_client.models import GetJobsActivityIdWaitActivity as Activity
from bucketline_client.types import File

url, token = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=token, raise_on_unexpected_status=True, timeout=30)
content = bytes(range(256)) * 1000

def ended(activity, id):
    while True:
        answer = get_jobs_activity_id_wait.sync_detailed(Activity(activity), id, client=client, timeout=20)
        if answer.status_code == 200:
            return answer.parsed

document = post_documents.sync(client=client, body=File(payload=io.BytesIO(content)), name="python.bin", ttl=3600)
assert hasattr(document, "sha256"), document
put = post_activities_put_object_jobs.sync(client=client, body=PutObjectInput(bucket="in", key="python.bin", document=document))
assert hasattr(put, "id"), put
job = ended("put-object", put.id)
assert isinstance(job, PutObjectJob) and job.result.object_.size == len(content), job
got = post_activities_get_object_jobs.sync(client=client, body=GetObjectInput(object_=ObjectRef(bucket="in", key="python.bin")), attempts=2)
job = ended("get-object", got.id)
assert isinstance(job, GetObjectJob), job
back = get_documents_id.sync(job.result.document.id, client=client)
assert back.payload.read() == content
batch = post_batches.sync(client=client, body=DeleteBatch(operation="delete", source=PrefixSource(bucket="in", prefix="python")))
while batch.state != "completed":
    assert batch.state != "failed", batch
    batch = get_batches_id.sync(batch.id, client=client)
print("done")
`;

/** A Python environment with the tools in it. */
export type Python = { readonly program: (name: string) => string };

/** Makes it; or says why there is none: no Python, or no registry to install from. */
export async function preparePython(folder: string): Promise<Python | { readonly absent: string }> {
  const home = join(folder, "python");
  const program = (name: string): string => join(home, "bin", name);
  try {
    await command("python3", ["-m", "venv", home], { cwd: folder });
    await command(program("pip"), ["install", "--quiet", "--disable-pip-version-check", ...PACKAGES], { cwd: folder });
    return { program };
  } catch (error) {
    return { absent: (error as Error).message }; // command rejects with errors
  }
}

/** A client as openapi-python-client makes it. */
export async function pythonClient({ folder, document, url, token }: Clients, { program }: Python): Promise<void> {
  const config = join(folder, "generator.json");
  await writeFile(config, JSON.stringify({ post_hooks: [] }));
  const out = join(folder, "bucketline-client");
  const said = await command(
    program("openapi-python-client"),
    ["generate", "--path", document, "--config", config, "--output-path", out],
    { cwd: folder },
  );
  if (/warning/i.test(said)) throw new Error(`the generator had to leave something out:\n${said}`);
  await writeFile(join(out, "app.py"), APP);
  await command(program("python"), ["app.py", url, token], { cwd: out, timeout: 60_000 });
}

/** The example of the docs for whoever has BullMQ's own client for Python: a result, and an error by its code. */
export async function pythonExample({ program }: Python, root: string, env: NodeJS.ProcessEnv): Promise<void> {
  const run = (bucket: string) =>
    command(program("python"), ["examples/enqueue.py", bucket], { cwd: root, timeout: 60_000, env });
  const said = await run("in");
  if (!/^\d+ objects$/m.test(said)) throw new Error(said);
  const refused = await run("no-such-bucket").then(
    (text) => `it was taken: ${text}`,
    (error: Error) => error.message,
  );
  if (!refused.includes("NoSuchBucket")) throw new Error(refused);
}
