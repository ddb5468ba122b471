import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { accounts, startDashboardHarness } from "../../test/dashboard-harness.ts";
import { startHarness } from "../../test/harness.ts";

/** What docs/http-api.md shows, with nothing but Python's standard library. */
const SCRIPT = `
import json, sys, urllib.request, urllib.error

base, token = sys.argv[1], sys.argv[2]

def call(method, path, body=None, raw=None, headers={}):
    data = raw if raw is not None else (json.dumps(body).encode() if body is not None else None)
    kind = {"Content-Type": "application/json"} if body is not None else {}
    request = urllib.request.Request(base + path, data=data, method=method, headers={"Authorization": "Bearer " + token, **kind, **headers})
    with urllib.request.urlopen(request) as response:
        return response.read()

def run(activity, body):
    job = json.loads(call("POST", f"/api/activities/{activity}/jobs", body))
    while True:
        state = json.loads(call("GET", job["url"] + "/wait?timeout=20"))
        if state["state"] in ("completed", "failed", "cancelled"):
            return state

content = bytes(range(256)) * 1000
document = json.loads(call("POST", "/api/documents?name=all-bytes.bin", raw=content, headers={"Content-Type": "application/x-bytes"}))
put = run("put-object", {"bucket": "in", "key": "ä b.bin", "document": document})
assert put["state"] == "completed" and put["result"]["object"]["size"] == len(content), put
got = run("get-object", {"object": {"bucket": "in", "key": "ä b.bin"}})
assert got["result"]["object"]["contentType"] == "application/x-bytes", got
assert call("GET", "/api/documents/" + got["result"]["document"]["id"]) == content
failed = run("head-object", {"object": {"bucket": "in", "key": "missing"}})
assert failed["error"]["code"] == "NoSuchKey", failed
try:
    call("POST", "/api/activities/list-objects/jobs", {"bucket": "a/b"})
    raise AssertionError("expected a refusal")
except urllib.error.HTTPError as refusal:
    problem = json.loads(refusal.read())
    assert refusal.code == 422 and problem["field"] == "bucket", problem
print("done")
`;

const python = await promisify(execFile)("python3", ["--version"]).then(
  () => true,
  () => false,
);

if (!python) process.stderr.write("python3 is not on the PATH: the test of an app in Python is skipped (CI has it)\n");
// Python is no dependency of ours; CI has it.
test.runIf(python || process.env["CI"] !== undefined)(
  "an app in Python uploads, enqueues, waits and downloads",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "bucketline-python-"));
    const harness = await startHarness();
    const known = accounts();
    const dashboard = await startDashboardHarness({
      prefix: harness.prefix,
      documentsUrl: harness.config.documentsUrl,
      env: known.env,
    });
    onTestFinished(async () => {
      await dashboard.close();
      await harness.close();
      await rm(folder, { recursive: true });
    });
    harness.sandbox.createBucket("in");
    const file = join(folder, "client.py");
    await writeFile(file, SCRIPT);
    const token = known.operator.authorization.replace("Bearer ", "");
    const { stdout } = await promisify(execFile)("python3", [file, dashboard.url, token], { timeout: 30_000 });
    expect(stdout.trim()).toBe("done");
    expect(harness.sandbox.keys("in")).toEqual(["ä b.bin"]);
  },
);
