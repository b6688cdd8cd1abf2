import { z } from 'zod';
import { check } from '../../shared/check.schema.ts';
import { isRepoPath } from '../workspace-manifest.ts';
import type { FileLink } from './file-link.ts';

const path = z.string().max(1_000).refine(isRepoPath);
/** Names of packages, without anything that could end a string or a line. */
const LINKABLE = /^[A-Za-z0-9@_~][A-Za-z0-9@_~.+/-]{0,300}$/;
const member = z.strictObject({
  name: z.string().regex(LINKABLE),
  path,
  go: z
    .string()
    .regex(/^\d+\.\d+[\w.]*$/)
    .optional(),
});

const fileLinksSchema = z
  .array(
    z.strictObject({
      from: path,
      to: path,
      by: z.array(member).max(5_000),
      takes: z.array(member).min(1).max(5_000),
    }),
  )
  .min(1)
  .max(5_000);

/** True for the name of a package that can be written into a file with links. */
export function isLinkableName(name: string): boolean {
  return LINKABLE.test(name);
}

/** The links in JSON of a file; null when it is not what we write. */
export function parseFileLinks(json: string): readonly FileLink[] | null {
  try {
    return checkFileLinks(JSON.parse(json));
  } catch {
    return null;
  }
}

/** The links in a value; null when it has none. */
export function checkFileLinks(value: unknown): readonly FileLink[] | null {
  return check(fileLinksSchema, value).data ?? null;
}
