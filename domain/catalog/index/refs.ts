import { branchOfRef } from '../../git/branch.ts';
import { DEFAULT_REF } from '../../git/snapshot.ts';
import type { Receipt } from './receipt.ts';

/** The refs that a repository is indexed at, as the receipt of its HEAD says. */
export function refsOfRepository(head: Pick<Receipt, 'branches'> | null | undefined): readonly string[] {
  return [DEFAULT_REF, ...(head?.branches ?? [])];
}

/** The names of the branches that a repository is indexed at beside its HEAD. */
export function branchNames(head: Pick<Receipt, 'branches'> | null | undefined): string[] {
  return (head?.branches ?? []).flatMap((ref) => branchOfRef(ref) ?? []);
}

/** Receipts of HEADs: one for each repository. */
export function headReceipts(receipts: readonly Receipt[]): Receipt[] {
  return receipts.filter(({ ref }) => ref === DEFAULT_REF);
}
