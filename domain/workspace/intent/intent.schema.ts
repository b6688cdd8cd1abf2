import { z } from 'zod';
import { check, describeIssue } from '../../shared/check.schema.ts';
import { LonghaulError } from '../../shared/failures.ts';
import type { Intent } from './intent.ts';

const duration = z.string().regex(/^[1-9]\d{0,4}[mhd]$/, 'give minutes, hours or days, such as 90m, 2h or 3d');

const schema = z.strictObject({
  capabilities: z.array(z.string().min(1).max(100)).max(50).default([]),
  constraints: z
    .strictObject({
      max_difficulty: z.enum(['easy', 'medium', 'hard']).nullish(),
      time_available: duration.nullish(),
      /** The other name of `time_available`. */
      time: duration.nullish(),
      max_repos: z.int().min(1).max(5_000).nullish(),
    })
    .default({}),
  preferences: z
    .strictObject({ bug_vs_feature: z.enum(['bug', 'feature']).nullish(), needs_tests: z.boolean().nullish() })
    .default({}),
});

/**
 * Reads an intent that a person or program wrote. `time` is read as `time_available`. `from` names it in messages.
 * Throws `InvalidInput`.
 */
export function readIntent(value: unknown, from: string): Intent {
  const { data, error } = check(schema, value);
  if (error !== undefined) throw new LonghaulError('InvalidInput', `${from} is no intent: ${describeIssue(error)}.`);
  const { capabilities, constraints, preferences } = data;
  return {
    capabilities,
    constraints: {
      max_difficulty: constraints.max_difficulty ?? null,
      time_available: constraints.time_available ?? constraints.time ?? null,
      max_repos: constraints.max_repos ?? null,
    },
    preferences: {
      bug_vs_feature: preferences.bug_vs_feature ?? null,
      needs_tests: preferences.needs_tests ?? null,
    },
  };
}
