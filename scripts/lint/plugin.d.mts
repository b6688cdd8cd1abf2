/** Names of the wings. */
export const WINGS: readonly string[];
/** Folders of `domain/` in the order in which they may import each other; `wing` stands for all wings. */
export const DOMAIN: readonly string[];
/** Which other layers a layer may import; `types` only with `import type`. */
export const LAYERS: Readonly<
  Record<string, { readonly allowed?: readonly string[]; readonly types?: readonly string[] }>
>;
