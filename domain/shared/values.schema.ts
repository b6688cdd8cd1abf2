import { z } from 'zod';

/** A name chosen by the user. */
export const shortName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/i, 'use letters, digits, dot, dash and underscore, at most 40');

/** The name of an environment variable that holds a secret. */
export const envName = z
  .string()
  .refine(
    (name) => !/^(gh[a-z]_|github_pat_|glpat-|AT[AC]TT3x|sk-|xox.-)/i.test(name),
    'this looks like a secret: give the name of the environment variable that holds it',
  )
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'give the name of an environment variable, never the secret itself');

/** An address without secrets, which may be shown to anyone. */
export const plainUrl = z
  .url({ protocol: /^https?$/ })
  .refine((url) => !/^https?:\/\/[^/]*@|[?#]/.test(url), 'give the address alone, without user, password, ? or #')
  .transform((url) => url.replace(/\/+$/, ''));
