/** The tools that can take a package from a folder because a file in the root of the workspace says so. */
export const LINK_KINDS = ['go', 'cargo', 'npm', 'pnpm', 'python'] as const;
/** One of {@link LINK_KINDS}. */
export type LinkKind = (typeof LINK_KINDS)[number];

/** The file of each tool, relative to the root. */
export const LINK_FILES: Readonly<Record<LinkKind, string>> = {
  go: 'go.work',
  cargo: '.cargo/config.toml',
  npm: 'package.json',
  pnpm: 'pnpm-workspace.yaml',
  python: 'pyproject.toml',
};

/** A package that takes part in a link. */
export interface LinkMember {
  /** Its name in the registry. */
  readonly name: string;
  /** Its folder, relative to the root. */
  readonly path: string;
  /** The version of Go that its go.mod asks for; only for Go. */
  readonly go?: string | undefined;
}

/** A link as its file has it. */
export interface FileLink {
  /** The folder of the repository that depends, relative to the root. */
  readonly from: string;
  /** The folder of the repository that it takes packages from. */
  readonly to: string;
  /** The packages of `from` that need those of `to`. */
  readonly by: readonly LinkMember[];
  /** The packages of `to` that are taken from its folder, with those of `to` that they need. */
  readonly takes: readonly LinkMember[];
}

/**
 * What a file in the root says. `foreign`: it is not ours. `changed`: its part with the links is not what we have written.
 * `none`: there is no file.
 */
export type LinkFileState =
  | { readonly state: 'none' | 'foreign' | 'changed' }
  | { readonly state: 'ours'; readonly links: readonly FileLink[] };
