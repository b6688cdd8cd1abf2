import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import {
  type Client,
  WorkflowFailedError,
  WorkflowUpdateFailedError,
  type WorkflowExecutionDescription,
} from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ledgerFailure } from '../../activities/ledger/ledger-failure.ts';
import { recordRequest } from '../../activities/ledger/requests.ts';
import { logProcess } from '../../activities/shared/logger.ts';
import { check, describeIssue } from '../../domain/shared/check.schema.ts';
import type { Config } from '../../domain/config/config.schema.ts';
import type { ApiKeyConfig } from '../../domain/config/gateway.schema.ts';
import type { Actor } from '../../domain/shared/actor.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type { AnyFlow, FlowRegistry } from '../../domain/shared/flow.ts';
import { parseInput, parseServiceInput } from '../../domain/shared/flow.schema.ts';
import { shownError } from '../core/errors.ts';
import { hasEnded } from '../core/running-question.ts';
import { recordingLock, type StartRecord } from '../core/locked-start.ts';
import { startChecked } from '../core/start-flow.ts';
import { firstRunIdOf, queryProgress } from '../core/run-chain.ts';
import type { FlowProgress } from '../../domain/shared/progress.ts';
import { keyOf } from './api-key.ts';
import type { GatesTools } from './gates.ts';
import { createRateLimit, type RateLimit } from './rate-limit.ts';
import { Refusal } from './refusal.ts';
import { headerOf } from './signature.ts';
import { sha256 } from '../../platform/sha256.ts';

/** Timeout for Temporal. */
const DEADLINE_MS = 10_000;
/** The route by which flows are started, with the prefix. */
const START = '/v1/flows/:type';
/** The header with the token of a form, for a session. */
const FORM_TOKEN = 'longhaul-form-token';
/** Timeout for a flow's answer: there may be no worker. */
const QUERY_DEADLINE_MS = 2_000;

/** Dependencies of the flows' part of the gateway. */
export interface FlowsTools extends Pick<GatesTools, 'desk' | 'sessions'> {
  readonly config: Config;
  readonly client: Client;
  readonly flows: FlowRegistry;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The key of the service that sends it; set before anything else happens. */
    apiKey: ApiKeyConfig | null;
    /** The person who sends it instead. */
    starter: Actor | null;
  }
}

/**
 * Flows for services, below `/v1`, with API keys: start one, read its state, send it signals and updates. People start
 * flows that record who asked, with their own keys or sessions. Throws `InvalidConfiguration` for a key that allows
 * something that is not available to services.
 */
export async function serveFlows(server: FastifyInstance, tools: FlowsTools): Promise<void> {
  const { config, client, flows, sessions } = tools;
  const { keys } = config.gateway;
  for (const key of keys) checkKey(key, flows);
  const limits = new Map<string, RateLimit>(keys.map((key) => [key.id, createRateLimit(key.requestsPerMinute)]));
  server.removeContentTypeParser('text/plain');
  server.decorateRequest('apiKey', null);
  server.decorateRequest('starter', null);
  server.addHook('onRequest', async (request) => {
    const key = keyOf(keys, request.headers.authorization);
    if (key === null && request.routeOptions.url === START) {
      const person = sessions.personOfRequest(request);
      if (person !== null && person.authenticatedBy !== 'unauthenticated') {
        request.starter = person;
        return;
      }
    }
    if (key === null) throw new Refusal(401, 'AuthenticationFailed', 'The API key is missing or wrong.');
    const wait = limits.get(key.id)?.take(Date.now()) ?? null;
    if (wait !== null) {
      const message = `The key ${key.name} may send ${key.requestsPerMinute} requests per minute.`;
      throw new Refusal(429, 'TooManyRequests', message, { retryAfter: wait });
    }
    request.apiKey = key;
  });

  server.post<{ Params: { type: string } }>('/flows/:type', async (request, reply) => {
    const { type } = request.params;
    if (request.starter !== null) {
      sessions.checkForm(request, headerOf(request.headers, FORM_TOKEN) ?? undefined);
      const started = await startForPerson(tools, request, { type, person: request.starter });
      return reply.code(202).send(started);
    }
    const key = keyFor(request);
    const flow = flows.forServices.find((one) => one.type === type);
    if (flow === undefined) throw new Refusal(404, 'NotFound', 'There is no such flow.');
    if (!key.flows.includes(type)) {
      throw new Refusal(403, 'Forbidden', `The key ${key.name} may not start ${type}.`);
    }
    const given = { ...flow.serviceDefaults(config.gateway), ...objectIn(request) };
    const signed = signedBy(key, flow, parseServiceInput(flow, given));
    const once = onceOf(request, key.id);
    const actor = { name: nameIn(signed, flow), authenticatedBy: 'api-key' } as const;
    const input = await requested(tools, flow, signed, { actor, isPerson: false, once });
    const started = await start(tools, request, { flow, input, once, actor });
    logProcess(request.log, 'flow_started', { key: key.name, type, ...started }, 'flow started');
    return reply.code(202).send(started);
  });

  server.get<{ Params: { id: string }; Querystring: { runId?: string | string[] } }>('/runs/:id', async (request) => {
    const asked = request.query.runId;
    if (Array.isArray(asked)) throw new Refusal(400, 'InvalidInput', 'runId: give one.');
    const run = await latestOf(client, await runOf(client, request, asked));
    const { workflowId, runId, type, startTime, closeTime, status } = run;
    const ended = hasEnded(status.name) ? await endOf(client, workflowId, runId) : {};
    return {
      workflowId,
      runId,
      type,
      status: status.name,
      startedAt: startTime.toISOString(),
      closedAt: closeTime?.toISOString() ?? null,
      progress: await progressOf(client, workflowId, runId),
      ...ended,
    };
  });

  server.post<{ Params: { id: string; name: string } }>('/runs/:id/signals/:name', async (request, reply) => {
    const key = keyFor(request);
    const { name } = request.params;
    const { workflowId, runId, type } = await runOf(client, request);
    if (!key.signals.includes(name)) {
      throw new Refusal(403, 'Forbidden', `The key ${key.name} may not send this signal.`);
    }
    const input = objectIn(request);
    const schema = flows.find(type)?.signals[name];
    const checked = schema === undefined ? null : check(schema(z), input);
    if (checked?.success === false) throw new Refusal(422, 'InvalidInput', describeIssue(checked.error));
    try {
      await client.withDeadline(Date.now() + DEADLINE_MS, () =>
        client.workflow.getHandle(workflowId).signal(name, input),
      );
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      throw new Refusal(409, 'Conflict', 'The run has ended.');
    }
    logProcess(request.log, 'signal_sent', { key: key.name, name, workflowId, runId }, 'signal sent');
    return reply.code(202).send({ workflowId, runId });
  });

  server.post<{ Params: { id: string; name: string } }>('/runs/:id/updates/:name', async (request) => {
    const key = keyFor(request);
    const { workflowId, runId, type } = await runOf(client, request);
    const { name } = request.params;
    if (!key.updates.includes(name)) {
      throw new Refusal(403, 'Forbidden', `The key ${key.name} may not send this update.`);
    }
    const schema = flows.find(type)?.updates[name];
    if (schema === undefined)
      throw new Refusal(409, 'Conflict', `A run of ${type} does not accept the update ${name}.`);
    const checked = check(schema(z), objectIn(request));
    if (!checked.success) throw new Refusal(422, 'InvalidInput', describeIssue(checked.error));
    const updateId = onceOf(request, key.id);
    const input = { ...(checked.data as object), by: key.name };
    const result = await update(client, { workflowId, name, input, updateId });
    logProcess(request.log, 'update_sent', { key: key.name, name, workflowId, runId }, 'update sent');
    return { workflowId, runId, result };
  });
}

/** The requested run; a run that the key may not see is reported as missing. */
async function runOf(
  client: Client,
  request: FastifyRequest<{ Params: { id: string } }>,
  runId?: string,
): Promise<WorkflowExecutionDescription> {
  const none = new Refusal(404, 'NotFound', 'There is no such run.');
  try {
    const handle = client.workflow.getHandle(request.params.id, runId);
    const found = await client.withDeadline(Date.now() + DEADLINE_MS, () => handle.describe());
    if (keyFor(request).flows.includes(found.type)) return found;
  } catch (error) {
    // an invalid id or run id is treated as missing
    if (!(error instanceof WorkflowNotFoundError) && !isInvalidArgument(error)) throw error;
  }
  throw none;
}

/** The current run of a flow that has continued as new. */
async function latestOf(client: Client, run: WorkflowExecutionDescription): Promise<WorkflowExecutionDescription> {
  if (run.status.name !== 'CONTINUED_AS_NEW') return run;
  const handle = client.workflow.getHandle(run.workflowId);
  const latest = await client.withDeadline(Date.now() + DEADLINE_MS, () => handle.describe());
  return firstRunIdOf(latest) === firstRunIdOf(run) ? latest : run;
}

function keyFor({ apiKey }: FastifyRequest): ApiKeyConfig {
  if (apiKey === null) throw new Refusal(401, 'AuthenticationFailed', 'The API key is missing or wrong.');
  return apiKey;
}

function objectIn({ body }: FastifyRequest): object {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body;
  throw new Refusal(400, 'InvalidInput', 'Send one JSON object as application/json.');
}

/** The request's name from the header `Idempotency-Key`; each caller has its own namespace of names. */
function onceOf(request: FastifyRequest, caller: string): string | undefined {
  const given = headerOf(request.headers, 'idempotency-key');
  if (given === null) return undefined;
  if (!/^[\x21-\x7e]{1,255}$/.test(given)) {
    throw new Refusal(400, 'InvalidInput', 'Idempotency-Key: give 1 to 255 visible ASCII characters.');
  }
  return `${caller}:${given}`;
}

/** Throws `InvalidConfiguration` for a key that names an unknown flow or update. */
export function checkKey(key: Pick<ApiKeyConfig, 'name' | 'flows' | 'updates'>, { forServices }: FlowRegistry): void {
  const known = {
    flows: forServices.map(({ type }) => type),
    updates: [...new Set(forServices.flatMap(({ updates }) => Object.keys(updates)))],
  };
  for (const list of ['flows', 'updates'] as const) {
    const unknown = key[list].find((name) => !known[list].includes(name));
    if (unknown === undefined) continue;
    const message = `The API key ${key.name}: ${list}: there is no "${unknown}"; known are ${known[list].join(', ')}.`;
    throw new LonghaulError('InvalidConfiguration', message);
  }
}

/** The input with the key's name before the person's: it stays in the record. */
function signedBy({ name }: ApiKeyConfig, { person }: AnyFlow, input: object): object {
  return person === null ? input : prefixed(input, person.split('.'), `${name}: `);
}

function prefixed(value: object, [key = '', ...path]: readonly string[], prefix: string): object {
  const field = (value as Readonly<Record<string, unknown>>)[key];
  if (path.length > 0) return { ...value, [key]: prefixed(field as object, path, prefix) };
  return { ...value, [key]: `${prefix}${String(field)}`.slice(0, 200) };
}

/** A flow to start. */
interface NewStart {
  readonly flow: AnyFlow;
  /** Checked, with its defaults filled in. */
  readonly input: object;
  /** The idempotency key of the request. */
  readonly once: string | undefined;
  readonly actor: Actor;
}

/** Starts a flow for a person, whose name and proof are in the ledger before the flow exists. */
async function startForPerson(
  tools: FlowsTools,
  request: FastifyRequest,
  { type, person }: { readonly type: string; readonly person: Actor },
): Promise<{ workflowId: string; runId: string }> {
  const { flows, desk } = tools;
  const flow = flows.all.find((one) => one.type === type && one.isRequested && one.startedBy.includes('people'));
  if (flow === undefined) throw new Refusal(404, 'NotFound', 'There is no such flow for people.');
  if (desk === null) throw new Refusal(503, 'ServerUnavailable', 'The gateway has no ledger: set DATABASE_GATES_URL.');
  const checked = parseInput(flow, { ...objectIn(request), [flow.person ?? 'by']: person.name }) as object;
  const once = onceOf(request, `person ${person.name}`);
  const input = await requested(tools, flow, checked, { actor: person, isPerson: true, once });
  const started = await start(tools, request, { flow, input, once, actor: person });
  const said = { person: person.name, authenticated_by: person.authenticatedBy, type, ...started };
  logProcess(request.log, 'flow_started', said, 'flow started');
  return started;
}

/**
 * Records who asks for a flow, and returns the input with the id of the request. The input alone for a flow that does not
 * record it, for a gateway without a ledger, and for a person whom nothing authenticated.
 */
async function requested(
  { desk }: FlowsTools,
  flow: AnyFlow,
  given: object,
  { actor, isPerson, once }: { readonly actor: Actor; readonly isPerson: boolean; readonly once: string | undefined },
): Promise<object> {
  const { name, authenticatedBy } = actor;
  if (!flow.isRequested || desk === null || authenticatedBy === 'unauthenticated') return given;
  // the same for a repeated request, whose input must not differ
  const id = once === undefined ? randomBytes(16).toString('hex') : sha256(`request ${once}`).slice(0, 32);
  const input = { ...given, requestId: id };
  const request = { id, type: flow.type, input, actor: { name, authenticatedBy }, isPerson };
  try {
    await recordRequest(desk.ledger, request);
  } catch (error) {
    throw ledgerFailure(error, desk.url);
  }
  return input;
}

/** The name of who starts a flow, from its input. */
function nameIn(input: object, { person }: AnyFlow): string {
  let value: unknown = input;
  for (const key of person?.split('.') ?? []) value = (value as Readonly<Record<string, unknown>>)[key];
  return String(value);
}

async function start(
  { client, desk }: FlowsTools,
  { log }: FastifyRequest,
  { flow, input, once, actor }: NewStart,
): Promise<{ workflowId: string; runId: string }> {
  const record: StartRecord = {
    actor,
    withLedger: async (work) => (desk === null ? undefined : work(desk.ledger)),
    onMissing: (error) =>
      logProcess(log, 'refusal_not_recorded', { err: error }, 'a refused start is not in the audit trail'),
  };
  const handle = await recordingLock(flow, input, record, () =>
    client.withDeadline(Date.now() + DEADLINE_MS, () =>
      startChecked(client, flow, input, once === undefined ? {} : { once }),
    ),
  );
  return { workflowId: handle.workflowId, runId: handle.firstExecutionRunId };
}

/** The flow's progress; null when it has none, or no worker answers. */
async function progressOf(client: Client, workflowId: string, runId: string): Promise<FlowProgress | null> {
  try {
    return await client.withDeadline(Date.now() + QUERY_DEADLINE_MS, () => queryProgress(client, workflowId, runId));
  } catch {
    return null;
  }
}

/** The result or failure of a run that has ended. Throws when Temporal does not provide it. */
async function endOf(client: Client, workflowId: string, runId: string): Promise<object> {
  try {
    const handle = client.workflow.getHandle<() => Promise<unknown>>(workflowId, runId);
    return { result: await client.withDeadline(Date.now() + DEADLINE_MS, () => handle.result()) };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { type, message, remedy } = shownError(error);
    return { failure: { type, message, remedy } };
  }
}

async function update(
  client: Client,
  sent: {
    readonly workflowId: string;
    readonly name: string;
    readonly input: object;
    readonly updateId: string | undefined;
  },
): Promise<unknown> {
  const { workflowId, name, input, updateId } = sent;
  const named = updateId === undefined ? {} : { updateId: sha256(updateId) };
  try {
    return await client.withDeadline(Date.now() + DEADLINE_MS, () =>
      client.workflow.getHandle(workflowId).executeUpdate<unknown, [object]>(name, { args: [input], ...named }),
    );
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError) throw new Refusal(409, 'Conflict', shownError(error).message);
    if (error instanceof WorkflowNotFoundError) throw new Refusal(409, 'Conflict', 'The run has ended.');
    throw error;
  }
}

/** gRPC: invalid argument. */
function isInvalidArgument(error: unknown): boolean {
  for (let at = error; at instanceof Error; at = at.cause) if ('code' in at && at.code === 3) return true;
  return false;
}
