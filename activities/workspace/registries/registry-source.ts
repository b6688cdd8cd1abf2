import type { z } from 'zod';
import { check, describeIssue } from '../../../domain/shared/check.schema.ts';
import type { RegistryPackage } from '../../../domain/workspace/registry-package.ts';
import { messageOf } from '../../../platform/error-code.ts';
import { RegistryAnswerError, type RegistryClient } from './registry-client.ts';

/** How one kind of registry is asked. */
export interface RegistrySource {
  /** True for a name that its packages can have. Others are never put into an address. */
  readonly isName: (name: string) => boolean;
  /** What the registry at `base` says about a package; null when it has none. Throws as {@link RegistryClient}. */
  readonly read: (client: RegistryClient, base: string, name: string) => Promise<RegistryPackage | null>;
}

const LONGEST_TEXT = 500;
const MOST_VERSIONS = 20_000;

/** The value in a text of JSON. Throws `RegistryAnswerError`. */
export function parsedJson<Answer>(text: string, schema: z.ZodType<Answer>): Answer {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RegistryAnswerError(`the answer is no JSON: ${messageOf(error)}`);
  }
  const { data, error } = check(schema, value);
  if (error !== undefined) throw new RegistryAnswerError(`the answer is not as expected: ${describeIssue(error)}`);
  return data;
}

/** A description of a package within limits: others wrote it. Throws `RegistryAnswerError`. */
export function bounded(found: RegistryPackage): RegistryPackage {
  const { versions, deprecated, retired } = found;
  if (versions.length > MOST_VERSIONS) {
    throw new RegistryAnswerError(`the package has more than ${MOST_VERSIONS} versions`);
  }
  return {
    ...found,
    deprecated: deprecated === null ? null : oneLine(deprecated),
    retired: retired.map(({ version, why }) => ({ version, why: oneLine(why) })),
  };
}

function oneLine(text: string): string {
  return text
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim()
    .slice(0, LONGEST_TEXT);
}
