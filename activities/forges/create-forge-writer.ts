import {
  harmlessDescription,
  harmlessText,
  harmlessTitle,
  hasMarker,
  isSameText,
  withMarker,
} from '../../domain/forge/forge-text.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import type {
  ForgeWriter,
  ForgePull,
  ForgeRepository,
  PullBranches,
  WantedAsset,
  WantedRelease,
} from './forge-writer.ts';
import type { ForgeRequests, FoundAsset, FoundPull, ListedRelease, Signal } from './forge-requests.ts';

/** The operations of a forge. Each looks first, so that it can be repeated. */
export function createForgeWriter(api: ForgeRequests): ForgeWriter {
  let known: string | null = null;

  async function account(signal: Signal): Promise<string> {
    known ??= await api.account(signal);
    return known;
  }

  async function isOurs({ author }: { readonly author: string }, signal: Signal): Promise<boolean> {
    return author.toLowerCase() === (await account(signal)).toLowerCase();
  }

  async function shown(found: FoundPull, isNew: boolean, signal: Signal): Promise<ForgePull> {
    const { number, url, state } = found;
    return { number, url, state, isOurs: await isOurs(found, signal), isNew };
  }

  /** The open pull request, or the latest one. */
  async function pullOf(
    repository: ForgeRepository,
    branches: PullBranches,
    signal: Signal,
  ): Promise<FoundPull | undefined> {
    const found = await api.pulls(repository, branches, signal);
    return found.find(({ state }) => state === 'open') ?? found[0];
  }

  /** Deletes what is not the wanted asset, such as an interrupted upload, and returns the asset if it is there. */
  async function keptAsset(
    repository: ForgeRepository,
    release: ListedRelease,
    { name, size, sha256 }: WantedAsset,
    signal: Signal,
  ): Promise<FoundAsset | undefined> {
    let kept: FoundAsset | undefined;
    const assets = await api.assets(repository, release, signal);
    for (const asset of assets.filter((other) => other.name === name)) {
      const mayBe = kept === undefined && asset.isComplete && asset.size === size;
      const digest = mayBe ? (asset.sha256 ?? (await api.digestOf(repository, asset, signal))) : null;
      // where no digest can be known, the size decides
      const isSame = mayBe && (digest ?? sha256) === sha256;
      if (isSame) kept = asset;
      else await api.deleteAsset(repository, release, asset, signal);
    }
    return kept;
  }

  return {
    account,

    async findPull(repository, branches, signal) {
      const found = await pullOf(repository, branches, signal);
      return found === undefined ? null : shown(found, false, signal);
    },

    async putPull(repository, { head, base, ...text }, signal) {
      const title = harmlessTitle(text.title);
      const body = harmlessText(text.body);
      const update = async (found: FoundPull): Promise<ForgePull> => {
        const pull = await shown(found, false, signal);
        const isSame = found.title === title && isSameText(found.body, body);
        if (pull.state === 'open' && pull.isOurs && !isSame) {
          await api.updatePull(repository, found.number, { title, body }, signal);
        }
        return pull;
      };
      const found = await pullOf(repository, { head, base }, signal);
      if (found !== undefined) return update(found);
      const made = await createdOr(
        () => api.createPull(repository, { head, base, title, body }, signal),
        () => pullOf(repository, { head, base }, signal),
      );
      return made.isNew ? shown(made.value, true, signal) : update(made.value);
    },

    async putComment(repository, on, { marker, body: text }, signal) {
      const body = withMarker(marker, text);
      for (const comment of await api.comments(repository, on, signal)) {
        // another account may have written our marker
        if (!hasMarker(marker, comment.body) || !(await isOurs(comment, signal))) continue;
        if (!isSameText(comment.body, body)) await api.updateComment(repository, on, comment.id, body, signal);
        return { url: comment.url, isNew: false };
      }
      const { url } = await api.createComment(repository, on, body, signal);
      return { url, isNew: true };
    },

    async putLabel(repository, label, signal) {
      checkLabel(label.name);
      const isThere = async (): Promise<true | undefined> => {
        const names = await api.labels(repository, signal);
        return names.some((name) => name.toLowerCase() === label.name.toLowerCase()) || undefined;
      };
      if (await isThere()) return;
      const description = harmlessDescription(label.description).slice(0, 100);
      const create = async (): Promise<true> => {
        await api.createLabel(repository, { ...label, description }, signal);
        return true;
      };
      await createdOr(create, isThere);
    },

    async changeLabels(repository, on, { add, remove }, signal) {
      for (const name of [...add, ...remove]) checkLabel(name);
      const present = new Set((await api.labelsOf(repository, on, signal)).map((name) => name.toLowerCase()));
      const has = (name: string): boolean => present.has(name.toLowerCase());
      const missing = add.filter((name) => !has(name));
      if (missing.length > 0) await api.addLabels(repository, on, missing, signal);
      for (const name of remove.filter(has)) await api.removeLabel(repository, on, name, signal);
    },

    async putCheck(repository, given, signal) {
      const wanted = { ...given, description: harmlessDescription(given.description) };
      const isThere = async (): Promise<true | undefined> => {
        const found = await api.checks(repository, wanted.commit, signal);
        const latest = found.find(({ name }) => name === wanted.name);
        const isSame =
          latest?.state === wanted.state &&
          latest.description === wanted.description &&
          (latest.url ?? '') === (wanted.url ?? '');
        return isSame || undefined;
      };
      if (await isThere()) return;
      const create = async (): Promise<true> => {
        await api.createCheck(repository, wanted, signal);
        return true;
      };
      // GitLab takes a new description of the same state, and then refuses the state
      await createdOr(create, isThere);
    },

    async putRelease(repository, given, signal) {
      const { tag } = given;
      const wanted: WantedRelease = { ...given, title: harmlessTitle(given.title), notes: harmlessText(given.notes) };
      const update = async (found: ListedRelease): Promise<void> => {
        const isSame =
          found.title === wanted.title &&
          isSameText(found.notes, wanted.notes) &&
          (found.isPrerelease ?? wanted.isPrerelease ?? false) === (wanted.isPrerelease ?? false);
        if (!isSame) await api.updateRelease(repository, found, wanted, signal);
      };
      const find = async (): Promise<ListedRelease | undefined> =>
        (await api.release(repository, tag, signal)) ?? undefined;
      const found = await find();
      if (found !== undefined) {
        await update(found);
        return { url: found.url, isNew: false };
      }
      // the forge would make the tag itself, from any commit
      if (!(await api.hasTag(repository, tag, signal))) {
        throw new LonghaulError('InvalidInput', `${repository.id} has no tag ${tag}, so it cannot have its release.`);
      }
      const made = await createdOr(() => api.createRelease(repository, wanted, signal), find);
      if (!made.isNew) await update(made.value);
      return { url: made.value.url, isNew: made.isNew };
    },

    async putAsset(repository, wanted, signal) {
      if (!/^[A-Za-z0-9_-](?:[A-Za-z0-9._-]*[A-Za-z0-9_-])?$/.test(wanted.name) || wanted.name.length > 200) {
        throw new LonghaulError('InvalidInput', `"${wanted.name.slice(0, 200)}" cannot be the name of an asset.`);
      }
      const release = await api.release(repository, wanted.tag, signal);
      if (release === null) {
        throw new LonghaulError('InvalidInput', `${repository.id} has no release of the tag ${wanted.tag}.`);
      }
      const find = (): Promise<FoundAsset | undefined> => keptAsset(repository, release, wanted, signal);
      const kept = await find();
      if (kept !== undefined) return { url: kept.url, isNew: false };
      const { value, isNew } = await createdOr(() => api.uploadAsset(repository, release, wanted, signal), find);
      return { url: value.url, isNew };
    },
  };
}

/** Creates something. When the forge says that it exists, as another process may just have created it, finds it. */
async function createdOr<Value>(
  create: () => Promise<Value>,
  find: () => Promise<Value | undefined>,
): Promise<{ readonly value: Value; readonly isNew: boolean }> {
  try {
    return { value: await create(), isNew: true };
  } catch (error) {
    const mayExist = error instanceof LonghaulError && ['ForgeConflict', 'ForgeRejected'].includes(error.type);
    const value = mayExist ? await find() : undefined;
    if (value === undefined) throw error;
    return { value, isNew: false };
  }
}

/** Throws `InvalidInput` for a name that a forge would take for several, or change. */
function checkLabel(name: string): void {
  // oxlint-disable-next-line no-control-regex -- the point is to reject control characters
  if (name !== '' && name === name.trim() && name.length <= 50 && !/[\u0000-\u001f\u007f,]/.test(name)) return;
  throw new LonghaulError('InvalidInput', `"${name.slice(0, 100)}" cannot be the name of a label.`);
}
