import { LonghaulError } from '../../domain/shared/failures.ts';
import { runProgram } from '../../platform/program.ts';
import type { Anchor } from './anchors.ts';

/** What the message of a final tag says of the audit chain (docs/ledger.md). */
const LINE = /^Longhaul-Audit: (\d{1,15}) ([0-9a-f]{64})$/m;

/**
 * The ends of the audit chain that the messages of the tags in a clone name: the chain as it was when each version was
 * promoted, which a copy of the database cannot change. Tags without such a line are left out. Throws `InvalidInput` for a
 * folder without git.
 */
export async function readTagAnchors(folder: string, env: NodeJS.ProcessEnv): Promise<readonly Anchor[]> {
  const format = '%(refname:short)%00%(contents)%00';
  const args = ['-C', folder, 'for-each-ref', `--format=${format}`, 'refs/tags'];
  const { code, stdout } = await runProgram('git', args, { env });
  if (code !== 0) {
    throw new LonghaulError('InvalidInput', `${folder} is in no git repository: name a clone that has the final tags.`);
  }
  const fields = stdout.split('\0');
  return fields.flatMap((message, at) => {
    const [, event, hash] = at % 2 === 1 ? (LINE.exec(message) ?? []) : [];
    return hash === undefined ? [] : [{ event_id: Number(event), hash, place: `tag ${(fields[at - 1] ?? '').trim()}` }];
  });
}
