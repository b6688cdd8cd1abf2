import { z } from 'zod';
import type { GateView } from '../../domain/gates/gate.ts';
import type { FlowRegistry, Messages } from '../../domain/shared/flow.ts';
import { flowProgress } from '../../domain/shared/progress.schema.ts';
import { VERSION } from '../core/version.ts';
import { FORGES } from '../../domain/forge/webhook.ts';
import { decisionBody, delegationBody } from './gates.ts';

type Json = Readonly<Record<string, unknown>>;

const decision = z.object({
  person: z.string(),
  onBehalfOf: z.string().nullable(),
  verdict: z.enum(['approve', 'reject', 'revoke']),
  why: z.string(),
  digest: z.string(),
  authenticatedBy: z.string(),
  at: z.iso.datetime(),
});
const gate = z.object({
  id: z.string(),
  kind: z.string(),
  subject: z.string(),
  repository: z.string().nullable(),
  workflowId: z.string(),
  digest: z.string(),
  requestedBy: z.string(),
  requestedAt: z.iso.datetime(),
  deadline: z.iso.datetime().nullable(),
  atDeadline: z.enum(['approved', 'rejected']).nullable(),
  escalatesAt: z.iso.datetime().nullable(),
  needed: z.int(),
  have: z.int(),
  from: z.array(z.string()),
  escalatesTo: z.array(z.string()),
  evidence: z.array(z.string()),
  status: z.enum(['open', 'approved', 'rejected', 'cancelled']),
  reason: z.enum(['quorum', 'rejection', 'deadline', 'cancelled', 'superseded']).nullable(),
  closedAt: z.iso.datetime().nullable(),
  decisions: z.array(decision),
  authenticated: z.boolean(),
}) satisfies z.ZodType<GateView>;

/** The schemas of the answers. */
const ANSWERS = {
  Gate: gate,
  Gates: z.object({ gates: z.array(gate) }),
  Decided: z.object({ gate, decision, repeated: z.boolean() }),
  Person: z.object({ person: z.string(), authenticatedBy: z.string(), formToken: z.string().nullable() }),
  Delegation: z.object({ person: z.string(), delegate: z.string(), until: z.iso.datetime() }),
  Started: z.object({ workflowId: z.string(), runId: z.string() }),
  Run: z.object({
    workflowId: z.string(),
    runId: z.string(),
    type: z.string(),
    status: z.string(),
    startedAt: z.iso.datetime(),
    closedAt: z.iso.datetime().nullable(),
    progress: flowProgress.nullable(),
    result: z.unknown().optional(),
    failure: z.object({ type: z.string(), message: z.string(), remedy: z.string().nullable() }).optional(),
  }),
  Updated: z.object({ workflowId: z.string(), runId: z.string(), result: z.unknown() }),
  Followed: z.object({
    delivery: z.string(),
    followed: z.array(z.string()).optional(),
    proving: z.array(z.string()).optional(),
    ignored: z.string().optional(),
  }),
  AnsweredAlerts: z.object({ started: z.array(z.string()), busy: z.array(z.string()) }),
  Health: z.object({ status: z.string(), temporal: z.string().optional() }),
  Error: z.object({ error: z.object({ type: z.string(), message: z.string(), remedy: z.string().nullable() }) }),
} as const;

/** The OpenAPI 3.1 document of the gateway, generated from the schemas of its requests. */
export function describeApi({ forServices }: FlowRegistry): Json {
  const flows = forServices.map(({ type, does }) => [
    `/v1/flows/${type}`,
    {
      post: {
        operationId: type,
        summary: `Starts ${type}, or joins the run that does the same`,
        description: does,
        parameters: [IDEMPOTENCY_KEY],
        security: [{ key: [] }],
        requestBody: bodyOf(`${type}Input`),
        responses: { 202: answerOf('Started', 'The run'), ...refusals(400, 401, 403, 409, 413, 415, 422, 429, 503) },
      },
    },
  ]);
  const allUpdates = Object.assign({}, ...forServices.map((flow) => flow.updates)) as Messages;
  const updates = Object.keys(allUpdates).map((name) => [
    `/v1/runs/{id}/updates/${name}`,
    {
      post: {
        operationId: `update_${name}`,
        summary: `Sends the update ${name} to a run and waits for its answer`,
        parameters: [RUN_ID, IDEMPOTENCY_KEY],
        security: [{ key: [] }],
        requestBody: bodyOf(`${name}Update`),
        responses: {
          200: answerOf('Updated', 'The answer'),
          ...refusals(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
        },
      },
    },
  ]);
  const webhooks = FORGES.map((forge) => [
    `/webhooks/${forge}`,
    {
      post: {
        operationId: `webhook_${forge.replaceAll('-', '_')}`,
        summary: `Receives webhooks of ${forge}, if longhaul.yaml configures one`,
        requestBody: { required: true, content: { 'application/json': { schema: {} } } },
        responses: {
          200: answerOf('Followed', 'There is nothing to do'),
          202: answerOf('Followed', 'The delivery is stored'),
          ...refusals(400, 401, 413, 415, 503),
        },
      },
    },
  ]);
  const alerts = {
    post: {
      operationId: 'webhook_alertmanager',
      summary: 'Receives alerts of Alertmanager, if longhaul.yaml has gateway.alertmanager',
      requestBody: { required: true, content: { 'application/json': { schema: {} } } },
      responses: {
        200: answerOf('AnsweredAlerts', 'There is nothing to do, or earlier alerts are being answered'),
        202: answerOf('AnsweredAlerts', 'The alerts are being answered'),
        ...refusals(400, 401, 413, 415, 422, 503),
      },
    },
  };
  return {
    openapi: '3.1.0',
    info: { title: 'Longhaul gateway', version: VERSION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths: {
      ...(Object.fromEntries([...flows, ...updates, ...webhooks]) as Json),
      '/webhooks/alertmanager': alerts,
      '/v1/runs/{id}': {
        get: {
          operationId: 'run',
          summary: 'State of a run, with its result or failure when it has ended',
          parameters: [RUN_ID, { name: 'runId', in: 'query', schema: { type: 'string' } }],
          security: [{ key: [] }],
          responses: { 200: answerOf('Run', 'The run'), ...refusals(401, 404, 429, 503) },
        },
      },
      '/v1/runs/{id}/signals/{name}': {
        post: {
          operationId: 'signal',
          summary: 'Sends a signal to a run',
          parameters: [RUN_ID, { name: 'name', in: 'path', required: true, schema: { type: 'string' } }],
          security: [{ key: [] }],
          requestBody: bodyOf('Signal'),
          responses: {
            202: answerOf('Started', 'The run received it'),
            ...refusals(400, 401, 403, 404, 409, 413, 415, 422, 429, 503),
          },
        },
      },
      '/v1/gates': {
        get: {
          operationId: 'gates',
          summary: 'The open gates of all flows, the oldest first',
          security: OF_PEOPLE,
          responses: { 200: answerOf('Gates', 'The gates'), ...refusals(401, 503) },
        },
      },
      '/v1/gates/{id}': {
        get: {
          operationId: 'gate',
          summary: 'A gate, open or closed, with its decisions',
          parameters: [GATE_ID],
          security: OF_PEOPLE,
          responses: { 200: answerOf('Gate', 'The gate'), ...refusals(401, 404, 503) },
        },
      },
      '/v1/gates/{id}/decisions': {
        post: {
          operationId: 'decide',
          summary: 'Approves or rejects a gate, or revokes the approval, in the name of the person who sends it',
          parameters: [GATE_ID],
          security: OF_PEOPLE,
          requestBody: bodyOf('Decision'),
          responses: {
            200: answerOf('Decided', 'The person had decided the same already'),
            201: answerOf('Decided', 'The decision is recorded'),
            ...refusals(400, 401, 403, 404, 409, 413, 415, 422, 503),
          },
        },
      },
      '/v1/delegations': {
        post: {
          operationId: 'delegate',
          summary: 'Lets another person decide in the place of the one who sends it, until a time',
          security: OF_PEOPLE,
          requestBody: bodyOf('NewDelegation'),
          responses: {
            201: answerOf('Delegation', 'The delegation is recorded'),
            ...refusals(400, 401, 403, 409, 413, 415, 422, 503),
          },
        },
      },
      '/v1/session': {
        get: {
          operationId: 'session',
          summary: 'The person who sends it, and for a session a token for one form',
          security: OF_PEOPLE,
          responses: { 200: answerOf('Person', 'The person'), ...refusals(401) },
        },
      },
      '/sign-in': {
        get: {
          operationId: 'signIn',
          summary: 'Sends a browser to the OpenID provider, if longhaul.yaml configures one',
          parameters: [
            { name: 'to', in: 'query', description: 'Path to go to afterwards', schema: { type: 'string' } },
          ],
          responses: { 302: { description: 'To the provider' }, ...refusals(404, 503) },
        },
      },
      '/sign-in/callback': {
        get: {
          operationId: 'signInCallback',
          summary: 'Where the OpenID provider sends the browser back to',
          responses: { 302: { description: 'Signed in' }, ...refusals(403, 503) },
        },
      },
      '/sign-out': {
        post: {
          operationId: 'signOut',
          summary: 'Ends the session of a browser',
          responses: { 204: { description: 'Signed out' }, ...refusals(403) },
        },
      },
      '/openapi.json': { get: { operationId: 'openapi', responses: { 200: { description: 'This document' } } } },
      '/healthz': { get: { operationId: 'healthz', responses: { 200: answerOf('Health', 'The process is alive') } } },
      '/readyz': {
        get: {
          operationId: 'readyz',
          responses: {
            200: answerOf('Health', 'Temporal answers'),
            503: answerOf('Health', 'Temporal does not answer'),
          },
        },
      },
    },
    components: {
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'lh_<id>_<secret>, of a service' },
        person: { type: 'http', scheme: 'bearer', description: 'lh_<id>_<secret>, of a person' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-longhaul' },
      },
      schemas: Object.fromEntries([
        ...forServices.map((flow) => [`${flow.type}Input`, schemaOf(flow.serviceInput(z), 'input')]),
        ...Object.entries(allUpdates).map(([name, schema]) => [`${name}Update`, schemaOf(schema(z), 'input')]),
        ['Decision', schemaOf(decisionBody, 'input')],
        ['NewDelegation', schemaOf(delegationBody, 'input')],
        ['Signal', schemaOf(z.record(z.string(), z.unknown()), 'input')],
        ...Object.entries(ANSWERS).map(([name, schema]) => [name, schemaOf(schema, 'output')]),
      ]) as Json,
    },
  };
}

const OF_PEOPLE = [{ person: [] }, { session: [] }];

const GATE_ID = { name: 'id', in: 'path', required: true, schema: { type: 'string' } };

const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  description: 'Requests with the same key return the first one’s run',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

const RUN_ID = {
  name: 'id',
  in: 'path',
  required: true,
  description: 'Workflow id, percent-encoded',
  schema: { type: 'string' },
};

const REASONS: Readonly<Record<number, string>> = {
  400: 'Not JSON, or a wrong header',
  401: 'No valid key or signature',
  403: 'The key, or the rules of the gate, do not allow this',
  404: 'No such run or gate, or none that the key may see',
  409: 'Another run is in progress, or the run or gate does not accept this now',
  413: 'Too large',
  415: 'Wrong content type',
  422: 'The input is wrong; the message names the field',
  429: 'Too many requests: see retry-after',
  503: 'Temporal, the ledger or the OpenID provider does not answer',
};

function refusals(...statuses: readonly number[]): Json {
  return Object.fromEntries(statuses.map((status) => [status, answerOf('Error', REASONS[status] ?? '')]));
}

function answerOf(schema: keyof typeof ANSWERS, description: string): Json {
  return { description, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

function bodyOf(schema: string): Json {
  return { required: true, content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
