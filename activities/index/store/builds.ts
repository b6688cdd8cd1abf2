import type { Build, BuildSettings } from '../../../domain/catalog/index/build.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';
import { collectionNames } from './collection-names.ts';
import { createIndexStore, type IndexStore } from './store.ts';
import { type IndexClient, failureOfWeaviate } from './weaviate.ts';

/**
 * The builds of an index in Weaviate. The description of a build's collection records its settings; an alias points to
 * the live build, so that a switch is atomic for searches.
 */
export interface Builds {
  /** All builds, the live one first. */
  list(): Promise<Build[]>;
  /** The build that searches and syncs use; null before the first. */
  live(): Promise<Build | null>;
  /** Creates the collections of a build, unless they exist. The first build becomes live. */
  create(digest: string, settings: BuildSettings): Promise<void>;
  /** Makes a build live; the live build becomes the previous one. Throws `InvalidInput` when it does not exist. */
  switchTo(digest: string): Promise<void>;
  /** Deletes a build with all its objects and receipts, or what is left of it. Throws `InvalidInput` for the live one. */
  drop(digest: string): Promise<void>;
  /**
   * The digests of collections with a build's name that are not a build: half of a build that was being created or
   * dropped, or what a late write recreated in a Weaviate with auto-schema. None without a live build.
   */
  leftovers(): Promise<string[]>;
  /** The objects and receipts of the build with this digest, whether it exists or not. */
  store(digest: string): IndexStore;
}

/** See {@link Builds}. `name` is `index.name` in longhaul.yaml. */
export function createBuilds(client: IndexClient, name: string): Builds {
  const stores = new Map<string, IndexStore>();
  const settingsOf = new Map<string, BuildSettings>();
  const aliases = { live: `${name}Chunk`, previous: `${name}ChunkPrevious` };
  const prefix = collectionNames(name, '').chunks;

  function store(digest: string): IndexStore {
    const known = stores.get(digest) ?? createIndexStore(client, name, digest);
    stores.set(digest, known);
    return known;
  }

  /** The digests that the aliases point to. */
  async function pointers(): Promise<{ live: string | null; previous: string | null }> {
    const all = (await reaching(() => client.alias.listAll())) ?? [];
    const digestOf = (alias: string): string | null =>
      all.find((entry) => entry.alias === alias)?.collection.slice(prefix.length) ?? null;
    return { live: digestOf(aliases.live), previous: digestOf(aliases.previous) };
  }

  async function point(role: 'live' | 'previous', digest: string): Promise<void> {
    const alias = aliases[role];
    const collection = collectionNames(name, digest).chunks;
    const now = (await pointers())[role];
    if (now === digest) return;
    try {
      if (now === null) await reaching(() => client.alias.create({ collection, alias }));
      else await reaching(() => client.alias.update({ newTargetCollection: collection, alias }));
    } catch (error) {
      // another worker may have done it first
      if ((await pointers())[role] !== digest) throw error;
    }
  }

  /** The settings of a build: written once, so they may be cached. */
  async function readSettings(digest: string): Promise<BuildSettings> {
    const known = settingsOf.get(digest);
    if (known) return known;
    const { chunks } = collectionNames(name, digest);
    const settings = parseDescription((await reaching(() => client.collections.use(chunks).config.get())).description);
    if (settings === null) {
      throw new LonghaulError(
        'SchemaMismatch',
        `Collection ${chunks} in Weaviate has no record of its build settings.`,
      );
    }
    settingsOf.set(digest, settings);
    return settings;
  }

  async function list(): Promise<Build[]> {
    const [{ live, previous }, collections] = await Promise.all([
      pointers(),
      reaching(() => client.collections.listAll()),
    ]);
    const roleOf = (digest: string): Build['role'] =>
      digest === live ? 'live' : digest === previous ? 'previous' : 'beside';
    const order: readonly Build['role'][] = ['live', 'previous', 'beside'];
    return collections
      .flatMap((collection) => {
        if (!collection.name.startsWith(prefix)) return [];
        const digest = collection.name.slice(prefix.length);
        const settings = parseDescription(collection.description);
        return settings === null ? [] : [{ digest, role: roleOf(digest), settings }];
      })
      .sort((a, b) => order.indexOf(a.role) - order.indexOf(b.role) || (a.digest < b.digest ? -1 : 1));
  }

  return {
    list,
    store,
    async live() {
      const { live } = await pointers();
      return live === null ? null : { digest: live, role: 'live', settings: await readSettings(live) };
    },
    async create(digest, settings) {
      await reaching(() => store(digest).prepare(describe(settings)));
      if ((await pointers()).live !== null) return;
      try {
        await point('live', digest);
      } catch (error) {
        // another worker's build may have become live meanwhile
        if ((await pointers()).live === null) throw error;
      }
    },
    async switchTo(digest) {
      const builds = await list();
      if (!builds.some((build) => build.digest === digest)) {
        const known = builds.map((build) => build.digest).join(', ');
        throw new LonghaulError(
          'InvalidInput',
          `There is no build ${digest} of ${name}; available: ${known || 'none'}.`,
        );
      }
      const { live } = await pointers();
      if (live === digest) return;
      if (live !== null) await point('previous', live);
      await point('live', digest);
    },
    async drop(digest) {
      const { live, previous } = await pointers();
      if (live === digest) throw new LonghaulError('InvalidInput', `Build ${digest} is live: it cannot be dropped.`);
      // an alias to a deleted collection would stay forever
      if (previous === digest) await reaching(() => client.alias.delete(aliases.previous));
      const { chunks, receipts } = collectionNames(name, digest);
      await reaching(() => client.collections.delete(receipts));
      await reaching(() => client.collections.delete(chunks));
      stores.delete(digest);
    },
    async leftovers() {
      const [known, collections] = await Promise.all([list(), reaching(() => client.collections.listAll())]);
      // the first build is not listed before it is complete
      if (known.every(({ role }) => role !== 'live')) return [];
      const registered = new Set(known.map(({ digest }) => digest));
      const left = collections.flatMap((collection) => {
        const [, digest = ''] = NAME.exec(collection.name.slice(name.length)) ?? [];
        return collection.name.startsWith(name) && digest !== '' && !registered.has(digest) ? [digest] : [];
      });
      return [...new Set(left)];
    },
  };
}

/** Converts a connection loss to a named failure, for which flows wait, and a refused key to `AuthenticationFailed`. */
async function reaching<Result>(call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    throw failureOfWeaviate(error);
  }
}

/** The suffix of a collection's name after that of the index. */
const NAME = /^(?:Chunk|Receipt)_([0-9a-f]{16})$/;

const DESCRIPTION = 'Longhaul code chunks. Made with ';

function describe(settings: BuildSettings): string {
  return `${DESCRIPTION}${JSON.stringify(settings)}`;
}

function parseDescription(text: string | undefined): BuildSettings | null {
  return text?.startsWith(DESCRIPTION) ? (JSON.parse(text.slice(DESCRIPTION.length)) as BuildSettings) : null;
}
