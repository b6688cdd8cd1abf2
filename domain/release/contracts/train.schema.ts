import { z } from 'zod';
import { isTimeZone } from '../promotion/freeze.ts';
import { DAYS } from '../train/timetable.ts';
import { line } from './names.schema.ts';

/** The section `train` of `policy.yaml` (docs/train.md): when the release train leaves each week, and where it goes. */
export const trainSection = z.strictObject({
  /** The day on which it leaves. */
  day: z.enum(DAYS),
  /** The time at which it leaves, on the clocks of the time zone: `09:00`. */
  time: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time from 00:00 to 23:59, such as 09:00'),
  /** IANA name: `Europe/Berlin`. */
  time_zone: z.string().min(1).max(60).refine(isTimeZone, 'is not a time zone such as Europe/Berlin').default('UTC'),
  /** The environment to which the release is deployed. Without it the release is only promoted. */
  deploy_to: line.optional(),
});
