import { z } from 'zod';

/** The name of a pipeline, which is also the name of its file, a job, or a step. */
export const programName = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'use letters, digits, dot, dash and underscore, at most 80');

/** One line for people. */
export const line = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\r\n]*$/, 'must be one line');

/** A text for people. */
export const prose = z.string().max(4_000);

/** The name of an environment variable of a job. Those of Longhaul begin with LONGHAUL_ and cannot be set. */
export const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'use letters, digits and underscore')
  .refine((name) => !/^LONGHAUL_/i.test(name), 'names that begin with LONGHAUL_ are set by Longhaul');
