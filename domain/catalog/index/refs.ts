import { branchOfRef } from '../../git/branch.ts';
import { DEFAULT_REF } from '../../git/snapshot.ts';
import type { Receipt } from './receipt.ts';

/** The indexed refs of a repository, according to the receipt of its HEAD. */
export function refsOfRepository(head: Pick<Receipt, 'branches'> | null | undefined): readonly string[] {
  return [DEFAULT_REF, ...(head?.branches ?? [])];
}

/** The names of the branches that a repository is indexed at in addition to HEAD. */
export function branchNames(head: Pick<Receipt, 'branches'> | null | undefined): string[] {
  return (head?.branches ?? []).flatMap((ref) => branchOfRef(ref) ?? []);
}

/** Receipts of HEAD: one per repository. */
export function headReceipts(receipts: readonly Receipt[]): Receipt[] {
  return receipts.filter(({ ref }) => ref === DEFAULT_REF);
}
