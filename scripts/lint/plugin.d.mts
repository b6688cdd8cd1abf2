/** Names of the wings. */
export const WINGS: readonly string[];
/** Folders of `domain/` in the order in which they may import each other; `wing` stands for all wings. */
export const DOMAIN: readonly string[];
/** Which other layers a layer may import; `types` only with `import type`. */
export const LAYERS: Readonly<
  Record<string, { readonly allowed?: readonly string[]; readonly types?: readonly string[] }>
>;

/** Why the file `from` may not import the file `to`, both paths inside the repository; null when it may. */
export function refusal(from: string, to: string, isType: boolean): string | null;
