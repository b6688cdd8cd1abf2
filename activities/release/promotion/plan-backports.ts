import { posix } from 'node:path';
import { gt } from 'semver';
import { isMap, isSeq, parseDocument } from 'yaml';
import type { DeclaredChange } from '../../../domain/release/contracts/generation.schema.ts';
import type { Backport, PlanBackports } from '../../../domain/release/promotion/hotfix-steps.ts';
import { readContracts } from '../contracts/stored-contracts.ts';
import type { LedgerTools } from '../ledger-tools.ts';

/**
 * See `LedgerActivities.planBackports`. A generation is open when the default branch declares it and the ledger has not
 * promoted it; one below the hotfix is of an older line.
 */
export async function planBackports(
  { ledger, blobs }: Pick<LedgerTools, 'ledger' | 'blobs'>,
  { repository, version, contracts, current }: PlanBackports,
): Promise<readonly Backport[]> {
  const fixed = (await readContracts(blobs, contracts, `${repository} at ${version}`)).generations[version];
  const declared = await readContracts(blobs, current, `the default branch of ${repository}`);
  const known = await ledger
    .selectFrom('generations')
    .select(['version', 'status', 'hotfix_of'])
    .where('repository', '=', repository)
    .execute();
  const isClosed = (each: string): boolean =>
    known.some((one) => one.version === each && (one.status === 'promoted' || one.hotfix_of !== null));
  return Object.values(declared.generations).flatMap((generation): Backport[] => {
    const file = declared.fileOfGeneration(generation.version);
    if (file === null || !gt(generation.version, version) || isClosed(generation.version)) return [];
    const has = new Set(generation.changes.map(({ id }) => id));
    const added = (fixed?.changes ?? []).filter(({ id }) => !has.has(id));
    if (added.length === 0) return [];
    return [
      {
        version: generation.version,
        changes: added.map(({ id }) => id),
        path: posix.join(declared.folder, file.path),
        text: withChanges(file.text, added),
      },
    ];
  });
}

/** The text of a contract with further changes, in the form of those that it has; comments stay. */
export function withChanges(text: string, added: readonly Pick<DeclaredChange, 'type' | 'id' | 'title'>[]): string {
  const document = parseDocument(text);
  const changes = document.get('changes');
  if (!isSeq(changes)) throw new TypeError('a contract has a list of changes');
  const last = changes.items.at(-1);
  for (const { type, id, title } of added) {
    const node = document.createNode({ type, id, title });
    if (isMap(last) && last.flow === true) node.flow = true;
    changes.add(node);
  }
  return document.toString({ lineWidth: 0 });
}
