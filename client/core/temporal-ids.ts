import { Client, credentials, Metadata, type ChannelCredentials } from '@grpc/grpc-js';
import protobuf from 'protobufjs/minimal.js';
import { findRunningStack } from '../../stack/running-stack.ts';
import { type TemporalTarget, yourTemporal } from '../../stack/temporal-connection.ts';
import type { CliContext } from './context.ts';

/** A running workflow. */
export interface RunningWorkflow {
  readonly id: string;
  readonly type: string;
}

const SERVICE = '/temporal.api.workflowservice.v1.WorkflowService';
/** More than a person would look through. */
const PAGE_SIZE = 1_000;

/**
 * The latest running workflows of the namespace, at most 1,000; none without a server. Rejects when the server refuses
 * the request, or does not answer before `signal` is aborted.
 *
 * Temporal's own client takes 0.3 s of processor time to load, and a person who pressed Tab would wait for that.
 */
export async function runningWorkflows(context: CliContext, signal: AbortSignal): Promise<RunningWorkflow[]> {
  const entries = await list(context, 'ListWorkflowExecutions', `ExecutionStatus = 'Running'`, signal);
  return entries.map((entry) => {
    const [execution = NO_BYTES] = fieldsOf(entry, 1);
    const [type = NO_BYTES] = fieldsOf(entry, 2);
    return { id: textOf(execution, 1), type: textOf(type, 1) };
  });
}

/** The ids of the schedules of the namespace, as {@link runningWorkflows}. */
export async function scheduleIds(context: CliContext, signal: AbortSignal): Promise<string[]> {
  const entries = await list(context, 'ListSchedules', '', signal);
  return entries.map((entry) => textOf(entry, 1));
}

/** The entries of a list, each as its encoded message: field 1 of the answer. */
async function list(context: CliContext, method: string, query: string, signal: AbortSignal): Promise<Uint8Array[]> {
  const target = await targetOf(context);
  if (target === null) return [];
  return fieldsOf(await call(target, `${SERVICE}/${method}`, encodeRequest(target.namespace, query), signal), 1);
}

async function targetOf({ config, env, dataDir }: CliContext): Promise<TemporalTarget | null> {
  const yours = await yourTemporal(config.temporal, env);
  if (yours !== null) return yours;
  const running = findRunningStack(dataDir)?.state.temporal ?? null;
  return running && { connectionOptions: { address: running.address }, namespace: running.namespace };
}

async function call(
  { connectionOptions }: TemporalTarget,
  method: string,
  request: Buffer,
  signal: AbortSignal,
): Promise<Buffer> {
  const { address, tls, apiKey, metadata } = connectionOptions;
  const secure = tls ?? apiKey !== undefined;
  const name = typeof secure === 'object' ? secure.serverNameOverride : undefined;
  const named = name ? { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name } : {};
  const client = new Client(address, credentialsOf(secure), named);
  const headers = new Metadata();
  for (const [key, value] of Object.entries(metadata ?? {})) headers.set(key, value);
  if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`);
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const running = client.makeUnaryRequest<Buffer, Buffer>(method, asIs, asIs, request, headers, (error, answer) => {
        if (error) reject(error);
        else resolve(answer ?? Buffer.alloc(0));
      });
      signal.addEventListener('abort', () => running.cancel(), { once: true });
    });
  } finally {
    client.close();
  }
}

function credentialsOf(tls: TemporalTarget['connectionOptions']['tls']): ChannelCredentials {
  if (!tls) return credentials.createInsecure();
  const { serverRootCACertificate: root, clientCertPair: pair } = tls === true ? {} : tls;
  return credentials.createSsl(bufferOf(root), bufferOf(pair?.key), bufferOf(pair?.crt));
}

const asIs = (bytes: Buffer): Buffer => bytes;
const bufferOf = (bytes: Uint8Array | undefined): Buffer | null => (bytes ? Buffer.from(bytes) : null);

const LENGTH_DELIMITED = 2;
const VARINT = 0;
// fields of ListWorkflowExecutionsRequest and ListSchedulesRequest
const NAMESPACE = (1 << 3) | LENGTH_DELIMITED;
const MAXIMUM_PAGE_SIZE = (2 << 3) | VARINT;
const QUERY = (4 << 3) | LENGTH_DELIMITED;

function encodeRequest(namespace: string, query: string): Buffer {
  const out = protobuf.Writer.create().uint32(NAMESPACE).string(namespace).uint32(MAXIMUM_PAGE_SIZE).int32(PAGE_SIZE);
  if (query !== '') out.uint32(QUERY).string(query);
  return Buffer.from(out.finish());
}

const NO_BYTES = new Uint8Array();

/** The values of a field of bytes, text or messages, which may be repeated. */
function fieldsOf(message: Uint8Array, field: number): Uint8Array[] {
  const reader = protobuf.Reader.create(message);
  const values: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === ((field << 3) | LENGTH_DELIMITED)) values.push(reader.bytes());
    else reader.skipType(tag & 7);
  }
  return values;
}

function textOf(message: Uint8Array, field: number): string {
  return new TextDecoder().decode(fieldsOf(message, field)[0]);
}
