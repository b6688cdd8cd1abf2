import { z } from 'zod';

/** A path inside the repository: relative, with slashes, never out of it. */
const path = z
  .string()
  .refine(
    (given) => given.split('/').every((segment) => !['', '.', '..'].includes(segment)),
    'must be a path inside the package',
  );

const judgedQuery = z
  .strictObject({
    query: z.string().trim().min(1),
    category: z.enum(['symbol', 'semantic', 'architecture']),
    /** Where the answer is implemented. */
    relevant: z.array(path).min(1).max(3),
    /** Files that are also good results. */
    secondary: z.array(path).default([]),
  })
  .refine(
    ({ relevant, secondary }) => new Set([...relevant, ...secondary]).size === relevant.length + secondary.length,
    {
      message: 'a file is judged only once',
    },
  );

/** One file of `bench/judged`: a published package, and questions about it with the files that answer them. */
export const judgedFile = z.strictObject({
  package: z.strictObject({
    registry: z.enum(['npm', 'pypi', 'go', 'crates', 'maven']),
    /** The name in the registry; `group:artifact` on Maven. */
    name: z.string().min(1),
    version: z.string().min(1),
    /** Of the file served by the registry. */
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** The part of the package that becomes the repository. Without it: all of it. */
    folder: path.optional(),
  }),
  /** Search may be tuned on one half only; the other one measures the result. */
  half: z.enum(['tune', 'held-out']),
  queries: z.array(judgedQuery).min(1),
});

export type JudgedFile = z.infer<typeof judgedFile>;
export type JudgedQuery = z.infer<typeof judgedQuery>;
export type PublishedPackage = JudgedFile['package'];
