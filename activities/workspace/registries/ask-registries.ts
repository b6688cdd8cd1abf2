import pLimit from 'p-limit';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { compareTexts } from '../../../domain/workspace/canonical-snapshot.ts';
import {
  REGISTRY_OF,
  type RegistryName,
  type RegistryState,
  type SourceOutcome,
  type StatesByRegistry,
} from '../../../domain/workspace/registry-package.ts';
import type { SnapshotContent } from '../../../domain/workspace/workspace-snapshot.ts';
import { createPageCache } from '../../mgit/page-cache.ts';
import { registryAddresses } from './registry-addresses.ts';
import { createRegistryClient, RegistryAnswerError } from './registry-client.ts';
import { REGISTRY_SOURCES } from './sources.ts';

/** What registries are asked with. */
export interface AskRegistriesOptions {
  /** Names the registries: {@link registryAddresses}. */
  readonly env: NodeJS.ProcessEnv;
  readonly cacheDir: string;
  /** Ends the requests. */
  readonly signal?: AbortSignal | undefined;
  /** Waits before a request is repeated. @default a timer */
  readonly pause?: (milliseconds: number) => Promise<void>;
}

/** What registries say about the packages of a workspace. */
export interface RegistryAnswers {
  /** Null for a registry that was not asked, or that failed. */
  readonly states: StatesByRegistry;
  /** One for each registry that was asked, and one for each package whose answer could not be used. */
  readonly sources: readonly SourceOutcome[];
}

const REGISTRIES: readonly RegistryName[] = ['npm', 'pypi', 'go', 'crates', 'hex'];
/** Answers are kept as they were read: another form has another place. */
const KEPT_FORM = 'packages-1';
/** Requests to one registry in parallel. */
const AT_ONCE = 6;
/** A workspace with more packages than this in one registry is read in part, which is said. */
const MOST_PACKAGES = 1_000;

/**
 * Asks the registries for the packages that the repositories of a workspace have, and for those that they need from a
 * registry. A registry that fails is tried again, then skipped and named; the others are read all the same.
 */
export async function askRegistries(
  snapshot: Pick<SnapshotContent, 'repos' | 'deps'>,
  options: AskRegistriesOptions,
): Promise<RegistryAnswers> {
  const addresses = registryAddresses(options.env);
  const names = packagesOf(snapshot);
  const asked = await Promise.all(
    REGISTRIES.map(async (registry) => {
      const wanted = names.get(registry) ?? [];
      if (wanted.length === 0) return { registry, state: null, sources: [] };
      const base = addresses[registry];
      if (base === null) {
        const problem = `The registry ${registry} was not read: it is switched off, or its address is no HTTP address.`;
        return { registry, state: null, sources: [{ source: registry, asked: wanted.length, found: 0, problem }] };
      }
      return { registry, ...(await askOne(registry, base, wanted, options)) };
    }),
  );
  const stateOf = (name: RegistryName): RegistryState | null =>
    asked.find(({ registry }) => registry === name)?.state ?? null;
  return {
    states: {
      npm: stateOf('npm'),
      pypi: stateOf('pypi'),
      go: stateOf('go'),
      crates: stateOf('crates'),
      hex: stateOf('hex'),
    },
    sources: asked.flatMap(({ sources }) => sources),
  };
}

async function askOne(
  registry: RegistryName,
  base: string,
  wanted: readonly string[],
  { cacheDir, signal, pause }: AskRegistriesOptions,
): Promise<{ readonly state: RegistryState | null; readonly sources: readonly SourceOutcome[] }> {
  const { isName, read } = REGISTRY_SOURCES[registry];
  const ended = new AbortController();
  const client = createRegistryClient({
    registry,
    pages: createPageCache(cacheDir, `registry-${registry}`, KEPT_FORM),
    signal: signal ? AbortSignal.any([signal, ended.signal]) : ended.signal,
    ...(pause ? { pause } : {}),
  });
  const names = wanted.filter(isName);
  const unusable: SourceOutcome[] = [];
  const skip = (name: string, why: string): void =>
    void unusable.push({
      source: registry,
      asked: 1,
      found: 0,
      problem: `${name} of ${registry} was skipped: ${why}.`,
    });
  for (const name of wanted) if (!isName(name)) skip(name, 'no package can have this name');
  try {
    const limit = pLimit(AT_ONCE);
    const found = await limit.map(names.slice(0, MOST_PACKAGES), async (name) => {
      try {
        return await read(client, base, name);
      } catch (error) {
        if (!(error instanceof RegistryAnswerError)) throw error;
        skip(name, error.message);
        return null;
      }
    });
    const packages = found.filter((one) => one !== null);
    const left = names.length - MOST_PACKAGES;
    const problem =
      left > 0 ? `Only ${MOST_PACKAGES} of ${names.length} packages of ${registry} were asked for.` : null;
    return {
      state: { packages },
      sources: [
        { source: registry, asked: Math.min(names.length, MOST_PACKAGES), found: packages.length, problem },
        ...unusable,
      ],
    };
  } catch (error) {
    // the other requests would wait for the same failure
    ended.abort();
    signal?.throwIfAborted();
    if (!(error instanceof LonghaulError)) throw error;
    return { state: null, sources: [{ source: registry, asked: names.length, found: 0, problem: error.message }] };
  }
}

/** The names of the packages to ask for, by registry, in order. */
function packagesOf({
  repos,
  deps,
}: Pick<SnapshotContent, 'repos' | 'deps'>): ReadonlyMap<RegistryName, readonly string[]> {
  const names = new Map<RegistryName, Set<string>>();
  const add = (registry: RegistryName, name: string): void =>
    void names.set(registry, (names.get(registry) ?? new Set()).add(name));
  for (const { packages } of repos) {
    for (const { ecosystem, name } of packages) if (name !== null) add(REGISTRY_OF[ecosystem], name);
  }
  for (const { ecosystem, app, source } of deps) {
    if (source === 'registry' || source === 'hex') add(REGISTRY_OF[ecosystem], app);
  }
  return new Map([...names].map(([registry, set]) => [registry, [...set].sort(compareTexts)]));
}
