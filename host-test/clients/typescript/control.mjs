// The test cluster's control API, and Camunda's client for it.

import { createCamundaClient } from "@camunda8/orchestration-cluster-api";

/** Camunda's client. Every request and every response is checked against the contract, and nothing is sent twice. */
export function client(config = {}) {
  return createCamundaClient({
    config: {
      CAMUNDA_REST_ADDRESS: environment("CLUSTER"),
      CAMUNDA_AUTH_STRATEGY: "NONE",
      CAMUNDA_SDK_VALIDATION: "req:strict,res:strict",
      CAMUNDA_SDK_HTTP_RETRY_MAX_ATTEMPTS: 1,
      CAMUNDA_SDK_LOG_LEVEL: "silent",
      ...config,
    },
  });
}

export function environment(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run \`make test-cluster\``);
  return value;
}

export async function control(method, path, body) {
  const response = await fetch(`${environment("CLUSTER")}/control/${path}`, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${method} /control/${path}: ${response.status}: ${answer.error}`);
  return answer;
}

let types = 0;

/** A job of a type that no other test has. */
export const createJob = (spec = {}) => control("POST", "jobs", { type: `typescript-${(types += 1)}`, ...spec });

/** The job, as soon as it is in this state. */
export const inState = ({ jobKey }, state) => control("GET", `jobs/${jobKey}?state=${state}&withinMs=60000`);
