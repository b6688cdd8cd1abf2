import { z } from 'zod';
import type { FlowRegistry, Messages } from '../../domain/shared/flow.ts';
import { flowProgress } from '../../domain/shared/progress.schema.ts';
import { VERSION } from '../core/version.ts';
import { FORGES } from '../../domain/forge/webhook.ts';

type Json = Readonly<Record<string, unknown>>;

/** The schemas of the answers. */
const ANSWERS = {
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
    ignored: z.string().optional(),
  }),
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
  return {
    openapi: '3.1.0',
    info: { title: 'Longhaul gateway', version: VERSION, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    paths: {
      ...(Object.fromEntries([...flows, ...updates, ...webhooks]) as Json),
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
      securitySchemes: { key: { type: 'http', scheme: 'bearer', description: 'lh_<id>_<secret>' } },
      schemas: Object.fromEntries([
        ...forServices.map((flow) => [`${flow.type}Input`, schemaOf(flow.serviceInput(z), 'input')]),
        ...Object.entries(allUpdates).map(([name, schema]) => [`${name}Update`, schemaOf(schema(z), 'input')]),
        ['Signal', schemaOf(z.record(z.string(), z.unknown()), 'input')],
        ...Object.entries(ANSWERS).map(([name, schema]) => [name, schemaOf(schema, 'output')]),
      ]) as Json,
    },
  };
}

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
  403: 'The key does not allow this',
  404: 'No such run, or none that the key may see',
  409: 'Another run is in progress, or the run does not accept this now',
  413: 'Too large',
  415: 'Wrong content type',
  422: 'The input is wrong; the message names the field',
  429: 'Too many requests: see retry-after',
  503: 'Temporal does not answer',
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
