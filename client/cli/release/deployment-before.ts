import { stringify } from 'yaml';
import { readSeal } from '../../../activities/release/deployment/sealed.ts';
import { expandPath } from '../../../activities/shared/config.ts';
import { ownFields } from '../../../domain/kubernetes/restore.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import type { CliContext } from '../../core/context.ts';
import { readersLogin } from '../../core/ledger.ts';
import { printableLines } from './printable-lines.ts';

/**
 * `longhaul deployments before`: prints an object as it was before a deployment, with all values, as a manifest. Only where
 * the key of the role `deploy` is. Returns the exit code.
 */
export async function deploymentBeforeCommand(context: CliContext, id: string, position: string): Promise<number> {
  const { objectBefore } = await import('../../../activities/release/deployment/read-deployments.ts');
  const { key } = context.config.deploy;
  const seal = await readSeal(key === undefined ? undefined : expandPath(key, '/'));
  if (!/^\d{1,6}$/u.test(position)) {
    throw new LonghaulError(
      'InvalidInput',
      `${position} is no position: \`longhaul deployments show ${id}\` has them.`,
    );
  }
  const object = await objectBefore(await readersLogin(context), seal, { id, position: Number(position) });
  context.stdout.write(printableLines(stringify(ownFields(object))));
  return 0;
}
