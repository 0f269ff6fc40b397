// The test cluster, judged by Camunda's TypeScript client: it rejects a response that breaks the contract of 8.9.

import assert from "node:assert/strict";
import { test } from "node:test";
import { isSdkError } from "@camunda8/orchestration-cluster-api";
import { client, control, createJob, environment, inState } from "./control.mjs";

const camunda = client();
const MISSING = "2251799813000000";

/** The only job of this type, or undefined. */
async function activate(type, more = {}) {
  const request = { type, worker: "judge", timeout: 600_000, maxJobsToActivate: 5, requestTimeout: -1, ...more };
  const { jobs } = await camunda.activateJobs(request);
  assert.ok(jobs.length <= 1);
  return jobs[0];
}

/** A job in the client's hands. */
async function activated(spec) {
  const created = await createJob(spec);
  const job = await activate(created.type);
  assert.equal(job.jobKey, created.jobKey);
  return job;
}

/** The call ends with the client's own error for a response, which has these fields. */
const refused = (call, fields) =>
  assert.rejects(call, (error) => {
    assert.ok(isSdkError(error), error);
    assert.equal(error.name, "HttpSdkError", error);
    for (const [name, value] of Object.entries(fields)) assert.equal(error[name], value, error);
    assert.ok(error.detail);
    assert.ok(error.instance.startsWith("/v2/"));
    return true;
  });

const NOT_FOUND = { status: 404, title: "NOT_FOUND" };
const CONFLICT = { status: 409, title: "INVALID_STATE" };
const INVALID = { status: 400, title: "INVALID_ARGUMENT" };

test("the topology names the version", async () => {
  const topology = await camunda.getTopology();
  assert.match(topology.gatewayVersion, /^8\.9\./);
  assert.equal(topology.brokers.length, topology.clusterSize);
  assert.equal(topology.brokers[0].partitions.length, topology.partitionsCount);
});

test("without a job an activation ends with an empty list", async () => {
  assert.equal(await activate("nobody"), undefined);
  assert.equal(await activate("nobody", { requestTimeout: 1 }), undefined);
});

test("an activation waits for a job", async () => {
  const before = (await control("GET", "requests?call=activation")).length;
  const waiting = activate("later", { requestTimeout: 60_000 });
  await control("GET", `requests?call=activation&atLeast=${before + 1}&withinMs=60000`);
  const created = await createJob({ type: "later" });
  assert.equal((await waiting).jobKey, created.jobKey);
});

test("an activated job has its variables, headers and keys", async () => {
  const before = Date.now();
  const created = await createJob({ variables: { a: 1 }, inputs: { b: { c: [true, null] } }, headers: { h: "x" }, retries: 7 });
  const job = await activate(created.type);
  assert.deepEqual(job.variables, { a: 1, b: { c: [true, null] } });
  assert.deepEqual(job.customHeaders, { h: "x" });
  assert.equal(job.retries, 7);
  assert.equal(job.worker, "judge");
  assert.equal(job.tenantId, "<default>");
  assert.equal(job.kind, "BPMN_ELEMENT");
  assert.ok(job.deadline >= before + 600_000);
  for (const key of ["jobKey", "processInstanceKey", "elementInstanceKey"]) assert.equal(job[key], created[key]);
  assert.equal(await activate(created.type), undefined);
});

test("fetchVariable selects the variables", async () => {
  const { type } = await createJob({ variables: { a: 1, b: 2 } });
  assert.deepEqual((await activate(type, { fetchVariable: ["b", "absent"] })).variables, { b: 2 });
});

test("a tenant filter is accepted", async () => {
  const { type } = await createJob();
  assert.ok(await activate(type, { tenantFilter: "ASSIGNED" }));
  const other = await createJob();
  assert.ok(await activate(other.type, { tenantFilter: "PROVIDED", tenantIds: ["<default>"] }));
});

test("a job is completed once", async () => {
  const job = await activated();
  await camunda.completeJob({ jobKey: job.jobKey, variables: { done: 1 } });
  assert.deepEqual((await inState(job, "completed")).completedWith, { done: 1 });
  await refused(camunda.completeJob({ jobKey: job.jobKey }), { ...NOT_FOUND, operationId: "completeJob" });
});

test("a failed job with retries is handed out again", async () => {
  const job = await activated();
  await camunda.failJob({ jobKey: job.jobKey, retries: 2, errorMessage: "broken", retryBackOff: 0, variables: { seen: 1 } });
  const again = await activate(job.type);
  assert.equal(again.retries, 2);
  assert.deepEqual(again.variables, { seen: 1 });
});

test("a failed job waits for its back-off, and cannot be settled before", async () => {
  const job = await activated();
  await camunda.failJob({ jobKey: job.jobKey, retries: 2, retryBackOff: 600_000 });
  assert.equal(await activate(job.type), undefined);
  await refused(camunda.completeJob({ jobKey: job.jobKey }), { ...CONFLICT, operationId: "completeJob" });
});

test("a failure without retries leaves an incident", async () => {
  const job = await activated();
  await camunda.failJob({ jobKey: job.jobKey, errorMessage: "broken" });
  assert.deepEqual((await inState(job, "incident")).incident, { kind: "JOB_NO_RETRIES", message: "broken" });
  await refused(camunda.failJob({ jobKey: job.jobKey, retries: 1 }), { ...CONFLICT, operationId: "failJob" });
});

test("an error is caught, or leaves an incident", async () => {
  const caught = await activated({ catches: ["E"] });
  await camunda.throwJobError({ jobKey: caught.jobKey, errorCode: "E", errorMessage: "so", variables: { why: 1 } });
  assert.deepEqual((await inState(caught, "thrown")).processVariables, { why: 1 });
  const loose = await activated();
  await camunda.throwJobError({ jobKey: loose.jobKey, errorCode: "E" });
  assert.equal((await inState(loose, "incident")).incident.kind, "UNHANDLED_ERROR_EVENT");
  await refused(camunda.throwJobError({ jobKey: loose.jobKey, errorCode: "E" }), { ...CONFLICT, operationId: "throwJobError" });
});

test("a job's timeout and retries can be changed", async () => {
  const job = await activated();
  await camunda.updateJob({ jobKey: job.jobKey, changeset: { timeout: 3_600_000, retries: 9 } });
  const seen = await control("GET", `jobs/${job.jobKey}`);
  assert.equal(seen.retries, 9);
  assert.ok(seen.untilMs > job.deadline);
  await refused(camunda.updateJob({ jobKey: job.jobKey, changeset: { retries: 0 } }), { ...INVALID, operationId: "updateJob" });
  const free = await createJob();
  await camunda.failJob({ jobKey: free.jobKey });
  await refused(camunda.updateJob({ jobKey: free.jobKey, changeset: { timeout: 1 } }), CONFLICT);
});

test("a job that does not exist is not found by any call", async () => {
  const jobKey = MISSING;
  for (const call of [
    camunda.completeJob({ jobKey }),
    camunda.failJob({ jobKey, retries: 1 }),
    camunda.throwJobError({ jobKey, errorCode: "E" }),
    camunda.updateJob({ jobKey, changeset: { retries: 1 } }),
  ]) {
    await refused(call, NOT_FOUND);
  }
});

test("local variables are seen by the next activation", async () => {
  const job = await activated({ variables: { a: 1 } });
  const elementInstanceKey = job.elementInstanceKey;
  await camunda.createElementInstanceVariables({ elementInstanceKey, variables: { a: 2 }, local: true });
  await camunda.createElementInstanceVariables({ elementInstanceKey, variables: { p: 3 } });
  await control("POST", `jobs/${job.jobKey}/expire`);
  assert.deepEqual((await activate(job.type)).variables, { a: 2, p: 3 });
  assert.deepEqual((await control("GET", `jobs/${job.jobKey}`)).processVariables, { a: 1, p: 3 });
  const missing = { elementInstanceKey: MISSING, variables: {} };
  await refused(camunda.createElementInstanceVariables(missing), NOT_FOUND);
});

test("an expression has a result and warnings, or is refused", async () => {
  await control("POST", "expressions", { expression: "=a + b", result: { sum: 3 }, warnings: ["careful"] });
  await control("POST", "expressions", { expression: "=nothing" });
  await control("POST", "expressions", { expression: "=(", unparsable: "a bracket" });
  await control("POST", "expressions", { expression: "=deep", failed: "too deep" });
  const { result, warnings } = await camunda.evaluateExpression({ expression: "=a + b", variables: { a: 1, b: 2 } });
  assert.deepEqual(result, { sum: 3 });
  assert.deepEqual(warnings, [{ message: "careful" }]);
  assert.equal((await camunda.evaluateExpression({ expression: "=nothing" })).result, null);
  await refused(camunda.evaluateExpression({ expression: "=(" }), INVALID);
  await refused(camunda.evaluateExpression({ expression: "=deep" }), { status: 500, title: "INTERNAL" });
});

test("a message is published once while it is buffered", async () => {
  const message = { name: "answer", correlationKey: "typescript", messageId: "1", timeToLive: 600_000, variables: { a: 1 } };
  const { messageKey, tenantId } = await camunda.publishMessage(message);
  assert.match(messageKey, /^\d+$/);
  assert.equal(tenantId, "<default>");
  await refused(camunda.publishMessage(message), { status: 409, title: "ALREADY_EXISTS" });
  await refused(camunda.publishMessage({ ...message, name: "" }), INVALID);
});

test("an activation with a wrong value is refused", async () => {
  await refused(activate("t", { timeout: 0 }), { ...INVALID, operationId: "activateJobs" });
  await refused(activate("t", { maxJobsToActivate: 0 }), INVALID);
  await refused(activate(""), INVALID);
});

test("back-pressure and a lost broker are told apart", async () => {
  const job = await activated();
  const complete = () => camunda.completeJob({ jobKey: job.jobKey });
  for (const [fault, status, title] of [
    ["resource-exhausted", 503, "RESOURCE_EXHAUSTED"],
    ["unavailable", 503, "UNAVAILABLE"],
    ["gateway-timeout", 504, "DEADLINE_EXCEEDED"],
    ["rejected", 500, "INTERNAL"],
    ["forbidden", 403, "FORBIDDEN"],
  ]) {
    await control("POST", "faults", { call: "completion", job: job.jobKey, do: fault });
    await refused(complete(), { status, title });
  }
  await complete();
});

test("the client sends again after back-pressure", async () => {
  const patient = client({ CAMUNDA_SDK_HTTP_RETRY_MAX_ATTEMPTS: 2, CAMUNDA_SDK_HTTP_RETRY_BASE_DELAY_MS: 1 });
  const job = await activated();
  await control("POST", "faults", { call: "completion", job: job.jobKey, do: "resource-exhausted" });
  await patient.completeJob({ jobKey: job.jobKey });
  assert.equal((await inState(job, "completed")).state, "completed");
});

test("a cluster with basic authentication knows its user", async () => {
  const basic = (password) =>
    client({
      CAMUNDA_REST_ADDRESS: environment("CLUSTER_BASIC"),
      CAMUNDA_AUTH_STRATEGY: "BASIC",
      CAMUNDA_BASIC_AUTH_USERNAME: "demo",
      CAMUNDA_BASIC_AUTH_PASSWORD: password,
    });
  assert.ok((await basic("demo").getTopology()).gatewayVersion);
  await refused(basic("wrong").getTopology(), { status: 401 });
});

test("a cluster with OAuth issues a token and takes it", async () => {
  const address = environment("CLUSTER_OAUTH");
  const oauth = (secret) =>
    client({
      CAMUNDA_REST_ADDRESS: address,
      CAMUNDA_AUTH_STRATEGY: "OAUTH",
      CAMUNDA_OAUTH_URL: `${address}/oauth/token`,
      CAMUNDA_CLIENT_ID: "demo",
      CAMUNDA_CLIENT_SECRET: secret,
      CAMUNDA_OAUTH_RETRY_MAX: 1,
    });
  assert.ok((await oauth("demo").getTopology()).gatewayVersion);
  // Without a token the client sends the request all the same.
  await refused(oauth("wrong").getTopology(), { status: 401 });
});

test("the client's job worker completes, fails and throws", async () => {
  const jobs = [];
  for (let n = 0; n < 20; n += 1) jobs.push(await createJob({ type: "worked", variables: { n }, catches: true }));
  const worker = camunda.createJobWorker({
    jobType: "worked",
    workerName: "judge",
    maxParallelJobs: 4,
    jobTimeoutMs: 600_000,
    pollIntervalMs: 1,
    jobHandler: (job) => {
      if (job.variables.n === 7 && job.retries === 3) {
        return job.fail({ errorMessage: "once more", retries: 2, retryBackOff: 0 });
      }
      return job.variables.n === 8 ? job.error({ errorCode: "E", errorMessage: "no" }) : job.complete({ twice: 2 * job.variables.n });
    },
  });
  try {
    for (const [n, job] of jobs.entries()) {
      const ended = await inState(job, n === 8 ? "thrown" : "completed");
      assert.equal(ended.timesActivated, n === 7 ? 2 : 1);
      if (n !== 8) assert.deepEqual(ended.completedWith, { twice: 2 * n });
    }
  } finally {
    worker.stop();
  }
});
