/** Why a generation of the ledger keeps its version, to be read after it; null for a draft that may have another one. */
export function whyVersionIsKept({
  status,
  hasEvolutions,
  hotfixOf,
}: {
  readonly status: string;
  readonly hasEvolutions: boolean;
  /** The version that a hotfix is made for; null for any other generation. */
  readonly hotfixOf: string | null;
}): string | null {
  if (status === 'promoted') return 'is promoted';
  if (hasEvolutions) return 'has evolutions';
  return hotfixOf === null ? null : 'is a hotfix, whose branch has its version';
}
