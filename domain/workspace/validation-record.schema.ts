import { z } from 'zod';
import { check } from '../shared/check.schema.ts';

const recordsSchema = z.object({
  version: z.literal(1),
  repos: z.record(
    z.string(),
    z.object({
      commit: z.string().nullable(),
      dirty: z.boolean(),
      fingerprint: z.string(),
      status: z.enum(['passed', 'failed']),
      at: z.string(),
    }),
  ),
});

/** The latest validation of each repository that ran to its end, by name: `.graft/validations.json`. */
export type ValidationRecords = z.output<typeof recordsSchema>['repos'];

/** Reads the text of `.graft/validations.json`: what cannot be read is as if nothing was validated. */
export function readValidationRecords(text: string | null): ValidationRecords {
  if (text === null) return {};
  try {
    return check(recordsSchema, JSON.parse(text)).data?.repos ?? {};
  } catch {
    return {};
  }
}

/** The text of the file. */
export function validationRecordsText(repos: ValidationRecords): string {
  return `${JSON.stringify({ version: 1, repos }, null, 2)}\n`;
}

/**
 * Whether the tests of a repository pass at a commit: what a run at exactly this commit, without changes, said. Null when no
 * run is recorded for it.
 */
export function testsPassing(records: ValidationRecords, repo: string, commit: string | null): boolean | null {
  const record = records[repo];
  if (record === undefined || commit === null || record.dirty || record.commit !== commit) return null;
  return record.status === 'passed';
}
