import { sql } from 'kysely';
import type { LedgerDatabase } from './open-ledger.ts';

/** A value of a metric at a time. */
export interface MetricSample {
  readonly time: Date;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** Adds samples of metrics, whose days get their partitions first. */
export async function recordSamples(ledger: LedgerDatabase, samples: readonly MetricSample[]): Promise<void> {
  if (samples.length === 0) return;
  const days = new Set(samples.map(({ time }) => time.toISOString().slice(0, 10)));
  for (const day of [...days].sort()) await sql`SELECT ensure_metrics_day(${day}::date)`.execute(ledger);
  await ledger
    .insertInto('metrics_samples')
    .values(samples.map((sample) => ({ ...sample, labels: JSON.stringify(sample.labels) })))
    .execute();
}
