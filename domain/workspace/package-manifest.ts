/** Where a package comes from: its registry, and the tool that reads its manifest. */
export type Ecosystem = 'npm' | 'go' | 'cargo' | 'python' | 'hex';

/**
 * What a dependency is needed for. `optional`: only with a feature, an extra, or where it can be installed. Peers are
 * provided by the consumer of the package.
 */
export type DependencyKind = 'normal' | 'dev' | 'build' | 'peer' | 'optional';

/**
 * Where the manifest says that a dependency comes from: the registry of the ecosystem (`hex` for Elixir, `registry` for
 * the others), a git repository, an archive at an address (`url`), a folder or archive on this disk (`path`), another
 * package of the same repository that is named without its folder (`workspace`). `unknown`: the manifest does not say
 * it in a form that can be read without running it, and a diagnostic names the line.
 */
export type DependencySource = 'hex' | 'registry' | 'git' | 'url' | 'path' | 'workspace' | 'unknown';

/** A half-open range of bytes in a file. */
export interface ByteSpan {
  readonly start: number;
  readonly end: number;
}

/** An option of a dependency as the manifest has it, such as `only: :test`. */
export interface DependencyOption {
  readonly name: string;
  /** The text of the value. */
  readonly raw: string;
}

/** One dependency that a manifest declares. */
export interface Dependency {
  /** The name of the package in its registry: a module path for Go, the normalized name (PEP 503) for Python. */
  readonly name: string;
  /** The name under which the package's own code uses it, where that differs. */
  readonly alias: string | null;
  /** The versions that fit, in the ecosystem's own notation; null where the manifest gives none. */
  readonly requirement: string | null;
  readonly kind: DependencyKind;
  readonly source: DependencySource;
  /** The folder (as written, relative to the manifest's) or address of a `path`, `git` or `url`; null for others. */
  readonly location: string | null;
  /** False for what a go.mod lists only because other modules need it (`// indirect`). */
  readonly isDirect: boolean;
  /** As written in the manifest: the text of the tuple in mix.exs, the value or line elsewhere. */
  readonly raw: string;
  /** Line of the manifest, from 1. */
  readonly line: number;
  /** Where `raw` is in the file; only in a mix.exs, whose links are rewritten in place. */
  readonly span: ByteSpan | null;
  /** The options of a tuple in a mix.exs, in their order; empty elsewhere. */
  readonly options: readonly DependencyOption[];
}

/** A package that a repository contains. */
export interface PackageManifest {
  readonly ecosystem: Ecosystem;
  /** Null for a workspace root without a name, or where the name is computed. */
  readonly name: string | null;
  /** Null where the manifest has none (Go), or computes it. */
  readonly version: string | null;
  /** The package's folder, relative to the repository, with `/`; `.` for the repository's own folder. */
  readonly path: string;
  /** The manifest, relative to the repository, with `/`. */
  readonly file: string;
  /** Digest of the manifest's bytes, in hexadecimal. */
  readonly sha256: string;
  /** In the order of the file. */
  readonly dependencies: readonly Dependency[];
}

/**
 * - `syntax`: the file is not valid in its format; it gives no package.
 * - `computed`: a value that only running the manifest would tell. It is left out, never guessed.
 * - `invalid`: a value of the wrong type or form.
 * - `duplicate`: a key that is given twice; the last one counts, as for the ecosystem's own tool.
 * - `unresolved`: a value that refers to another file or table, which does not have it.
 * - `too_large`: a file above the limit, or more manifests than are read; not read.
 * - `not_text`: a file or path that is not valid UTF-8; not read.
 * - `outside`: a link that leaves the repository, or something that is no regular file; not read.
 * - `missing`: a file that git tracks and the work tree does not have.
 */
export type ManifestDiagnosticKind =
  | 'syntax'
  | 'computed'
  | 'invalid'
  | 'duplicate'
  | 'unresolved'
  | 'too_large'
  | 'not_text'
  | 'outside'
  | 'missing';

/** Something in a manifest that was not read, or not as its author may expect. */
export interface ManifestDiagnostic {
  readonly kind: ManifestDiagnosticKind;
  /** Relative to the repository, with `/`. */
  readonly file: string;
  /** From 1; null when it is about the whole file. */
  readonly line: number | null;
  readonly message: string;
}

/** The packages of one repository. */
export interface RepositoryManifests {
  /** By path, then ecosystem. */
  readonly packages: readonly PackageManifest[];
  /** By file, then line. */
  readonly diagnostics: readonly ManifestDiagnostic[];
}
