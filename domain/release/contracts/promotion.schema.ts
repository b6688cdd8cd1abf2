import { z } from 'zod';
import { spanOfTime } from '../../shared/span.schema.ts';
import { problemOfWindow } from '../promotion/freeze.ts';
import { line } from './names.schema.ts';

const time = z.string().min(9).max(100);

const freezeWindow = z
  .strictObject({
    name: line,
    /** When it begins: a cron expression with five fields, or a local time such as 2026-12-20T00:00. */
    from: time,
    /** When it ends, in the same form. */
    until: time,
    /** Time zone of both: Europe/Berlin. */
    time_zone: z.string().min(1).max(60).default('UTC'),
  })
  .superRefine((window, context) => {
    const problem = problemOfWindow(window);
    if (problem !== null) context.addIssue({ code: 'custom', path: [problem[0]], message: problem[1] });
  });

const approvals = z.strictObject({
  /** How many people must approve. */
  needed: z.int().min(1).max(20).default(1),
  /** Names of people and groups that may. */
  from: z.array(line).min(1, 'give at least one person or group').max(100),
  /** Whether authors of the released commits may not approve. The person who promotes never may. */
  exclude_authors: z.boolean().default(false),
  /** How long the promotion waits for them. */
  deadline: spanOfTime('365d').optional(),
  /** What happens at the deadline, when too few have approved. */
  at_deadline: z.enum(['reject', 'approve']).default('reject'),
  /** The time until the first reminder; each further one takes twice as long, at most a week. */
  reminder: spanOfTime('7d').optional(),
  /** Further people and groups that may approve after a time. */
  escalation: z
    .strictObject({
      after: spanOfTime('365d'),
      to: z.array(line).min(1, 'give at least one person or group').max(100),
    })
    .optional(),
});

/** The section `promotion` of `policy.yaml`: what a promotion waits for, in addition to proofs. */
export const promotionSection = z.strictObject({
  /** The shortest time between the last proof and the promotion, which waits until then. */
  soak: spanOfTime('90d').optional(),
  /** Times in which nothing is released. */
  freeze: z.array(freezeWindow).max(100).default([]),
  approvals: approvals.optional(),
  /**
   * Paths and patterns of artifacts that the release at the forge gets as files; they are those of the runs that passed
   * on the tree that is released.
   */
  assets: z.array(z.string().min(1).max(300)).max(100).default([]),
});
