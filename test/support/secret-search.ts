import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { TestLedger } from './ledger.ts';
import { collectRuns } from './recorded-runs.ts';

/** A secret as it is, percent-encoded, in hexadecimal, and in base64 at each of the three places where it may begin. */
export function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((before) =>
    Buffer.from('x'.repeat(before) + secret)
      .toString('base64')
      .slice(before === 0 ? 0 : before + 1, -4),
  );
  const percent = encodeURIComponent(secret);
  return [secret, percent, percent.replaceAll('%20', '+'), Buffer.from(secret).toString('hex'), ...base64];
}

/** Every text in the histories of all flows of a namespace, with the content of their payloads. */
export async function historiesOf(client: Client): Promise<string> {
  const flows: [string, string][] = [];
  for await (const { workflowId, runId } of client.workflow.list()) flows.push([workflowId, runId]);
  return (await collectRuns(client, flows)).map(({ history }) => textIn(history)).join('\n');
}

/** All rows of all tables of a ledger, as text. */
export async function rowsOf(ledger: TestLedger): Promise<string> {
  const tables = await ledger.sql<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'longhaul'",
  );
  const rows = await Promise.all(tables.map(({ name }) => ledger.sql(`SELECT t::text FROM ${name} AS t`)));
  return JSON.stringify(rows);
}

function textIn(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  return typeof value === 'object' && value !== null ? Object.values(value).map(textIn).join('\n') : '';
}

/** The contents of all files of a folder. */
export function contentsOf(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n');
}
