import { z } from 'zod';
import { isBranchName } from '../../git/branch.ts';
import { LEVELS } from '../quality/report.ts';
import { line } from './names.schema.ts';

/** A day, UTC; the exception still counts on it. */
const day = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d$/, 'give a date such as 2026-12-31')
  .refine(isDay, 'there is no such day');
const name = z.string().min(1).max(1_000);

const waiver = z.strictObject({
  rule: z.enum(['coverage', 'findings', 'tests']),
  /** A pattern of tests or findings, with * and ?; without one the whole rule is waived. */
  matching: name.optional(),
  until: day,
  /** The person who approved it. */
  approved_by: line,
  why: line,
});

/** The rules of a pipeline for the reports of its jobs (docs/pipelines.md). */
export const qualityRules = z.strictObject({
  /** The least percentage of lines that tests run. */
  coverage: z.strictObject({ minimum: z.number().min(0).max(100) }).optional(),
  findings: z
    .strictObject({
      /** No new finding of this level or a worse one. */
      none_new: z.enum(LEVELS),
      /** The branch whose passed runs have the known findings. Default: the default branch of the repository. */
      compared_with: z.string().refine(isBranchName, 'must be the name of a branch').optional(),
    })
    .optional(),
  /** No failed test, whatever the steps say. */
  tests: z.strictObject({ none_failed: z.literal(true) }).optional(),
  /** Tests whose failures do not count, patterns with * and ?. */
  quarantine: z
    .array(z.strictObject({ test: name, owner: line, until: day, why: line }))
    .max(1_000)
    .default([]),
  waivers: z.array(waiver).max(1_000).default([]),
});

/** The rules of a pipeline. */
export type Quality = z.output<typeof qualityRules>;
/** An exception from a rule, with an end. */
export type Waiver = z.output<typeof waiver>;

/** False for the 30th of February, which a date turns into a day of March. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}
