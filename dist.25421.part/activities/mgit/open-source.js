import { join } from 'node:path';
import { LonghaulError } from '../../domain/failures.js';
import { nullOid } from './diff.js';
import { findLayout, readHead } from './layout.js';
import { isDamage, mirrorPath, openMirror } from './mirror.js';
/** Where HEAD is. Throws `RepositoryNotFound`, `AuthenticationFailed`, `GitFailed`. */
export async function resolveHead(git, access) {
    const { path } = access.remote;
    return (path === null ? null : await readHead(await layoutOf(access, path))) ?? askRemote(git, access);
}
/**
 * Opens the objects of a repository. One on this machine is read in its place, with none of its configuration, so there is
 * nothing to fetch; of one elsewhere the cache keeps a mirror.
 */
export async function openSource(git, cacheDir, access, format) {
    const { id, remote, signal } = access;
    if (remote.path === null) {
        return openMirror(git, mirrorPath(cacheDir, id), format, { about: id, config: await remoteConfig(access), signal });
    }
    const { commonDir } = await layoutOf(access, remote.path);
    return {
        store: { objects: join(commonDir, 'objects'), format },
        isBlank: false,
        fetchHead: () => Promise.resolve(),
        fetchCommit: () => Promise.resolve(false),
        fetchBlobs: () => Promise.resolve(false),
        discard: () => Promise.resolve(),
    };
}
/** Works with a repository's objects; when a mirror turns out to be damaged, makes it again and tries once more. */
export async function withSource(git, cacheDir, access, format, work) {
    const source = await openSource(git, cacheDir, access, format);
    const wasBlank = source.isBlank;
    try {
        return await work(source);
    }
    catch (error) {
        if (access.remote.path !== null || wasBlank || !isDamage(error))
            throw error;
        await source.discard();
        return work(await openSource(git, cacheDir, access, format));
    }
}
async function layoutOf({ id }, path) {
    const layout = await findLayout(path);
    if (layout === null)
        throw new LonghaulError('RepositoryNotFound', `There is no git repository at ${path} (${id}).`);
    return layout;
}
async function askRemote(git, access) {
    const { id: about, signal } = access;
    const config = await remoteConfig(access);
    // a URL of the configuration is never taken for an option
    const printed = await git.run(['ls-remote', '--symref', 'origin', 'HEAD'], { about, config, signal });
    const lines = printed.toString('utf8').split('\n');
    const branch = lines.map((line) => /^ref: refs\/heads\/(.+)\tHEAD$/.exec(line)?.[1]).find(Boolean) ?? null;
    const commit = lines.map((line) => /^([0-9a-f]+)\tHEAD$/.exec(line)?.[1]).find(Boolean);
    return { commit: commit ?? nullOid('sha1'), branch };
}
async function remoteConfig({ remote, credentials }) {
    return [['remote.origin.url', remote.url], ...(remote.path === null ? await credentials() : [])];
}
//# sourceMappingURL=open-source.js.map