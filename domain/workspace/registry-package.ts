import type { AnyJson } from './any-json.ts';
import type { Ecosystem } from './package-manifest.ts';
import type { RegistryStates, SnapshotContent } from './workspace-snapshot.ts';

/** A registry of packages. */
export type RegistryName = 'npm' | 'pypi' | 'go' | 'crates' | 'hex';

/** The registry of an ecosystem. */
export const REGISTRY_OF: Readonly<Record<Ecosystem, RegistryName>> = {
  npm: 'npm',
  python: 'pypi',
  go: 'go',
  cargo: 'crates',
  hex: 'hex',
};

/** A version that its author has taken back: yanked, retracted, retired, or deprecated. */
export interface RetiredVersion {
  readonly version: string;
  /** What its author says; empty when nothing. */
  readonly why: string;
}

/** What a registry says about a package. */
export interface RegistryPackage {
  readonly name: string;
  /** The version that is installed without a requirement; null when there is none. */
  readonly latest: string | null;
  /** All published versions, in the registry's order. */
  readonly versions: readonly string[];
  /** Why the package as a whole should not be used any more; null when it may. */
  readonly deprecated: string | null;
  readonly retired: readonly RetiredVersion[];
}

/** The packages that a registry knows, in the order of names. */
export interface RegistryState {
  readonly packages: readonly RegistryPackage[];
}

/** What registries say; null for one that was not asked, or that failed. */
export type StatesByRegistry = Readonly<Record<RegistryName, RegistryState | null>>;

/** The part of a snapshot with the registries, which has Hex apart. */
export function registriesOf({ npm, pypi, go, crates }: StatesByRegistry): RegistryStates {
  return { npm: jsonOf(npm), pypi: jsonOf(pypi), go: jsonOf(go), crates: jsonOf(crates) };
}

/** A snapshot with what registries say. */
export function withRegistries(content: SnapshotContent, states: StatesByRegistry): SnapshotContent {
  return { ...content, hex: jsonOf(states.hex), registries: registriesOf(states) };
}

function jsonOf(state: RegistryState | null): AnyJson {
  if (state === null) return null;
  return {
    packages: state.packages.map(({ name, latest, versions, deprecated, retired }) => ({
      name,
      latest,
      versions,
      deprecated,
      retired: retired.map(({ version, why }) => ({ version, why })),
    })),
  };
}

/** What became of the questions to one source of external data. */
export interface SourceOutcome {
  /** The registry, or the provider with the repository. */
  readonly source: string;
  /** How many packages or repositories were asked for, and how many the source knows. */
  readonly asked: number;
  readonly found: number;
  /** Why the source was skipped, as one sentence; null when it answered. */
  readonly problem: string | null;
}
