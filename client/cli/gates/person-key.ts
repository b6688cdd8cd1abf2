import { shortName } from '../../../domain/shared/values.schema.ts';
import { check, describeIssue } from '../../../domain/shared/check.schema.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { createKey } from '../../gateway/api-key.ts';

/**
 * `longhaul person key`: creates an API key and prints it once, with its digest for `longhaul.yaml`. The key is not
 * stored. Throws `InvalidInput` for a name that longhaul.yaml would not accept.
 */
export function printPersonKey({ stdout, stderr }: CliContext, name: string, { json }: { json?: boolean }): number {
  const checked = check(shortName, name);
  if (!checked.success) throw new LonghaulError('InvalidInput', `${name}: ${describeIssue(checked.error)}`);
  const { key, id, hash } = createKey();
  if (json) {
    stdout.write(`${JSON.stringify({ key, config: { name, key: { id, hash } } })}\n`);
    return 0;
  }
  stderr.write('The key, which is shown only now; set it as LONGHAUL_PERSON_KEY:\n');
  stdout.write(`${key}\n`);
  stderr.write(`\nFor longhaul.yaml, below people, at ${name}:\n    key: { id: ${id}, hash: "${hash}" }\n`);
  return 0;
}
