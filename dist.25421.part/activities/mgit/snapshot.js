import { LonghaulError } from '../../domain/failures.js';
import { formatOf, isNullOid, readCommit } from './diff.js';
import { resolveHead, withSource } from './open-source.js';
/** The snapshot at a commit, whose name may be abbreviated. Throws `InvalidInput` when the repository does not have it. */
export async function findSnapshot(git, cacheDir, access, commit) {
    const { id: about, signal } = access;
    if (!/^[0-9a-f]{4,64}$/.test(commit))
        refuse(commit, about);
    const head = await resolveHead(git, access);
    return withSource(git, cacheDir, access, formatOf(head.commit) ?? 'sha1', async (source) => {
        if (!isNullOid(head.commit))
            await source.fetchHead(head.commit);
        const full = (await resolve(git, source, commit, access)) ?? refuse(commit, about);
        const { tree, timestamp } = await readCommit(git, source.store, full, { about, signal });
        return { commit: full, tree, timestamp, branch: null };
    });
}
async function resolve(git, source, commit, { id: about, signal }) {
    const { store } = source;
    const known = async () => {
        try {
            const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${commit}^{commit}`];
            return (await git.run(args, { about, signal, store })).toString('latin1').trim();
        }
        catch (error) {
            signal?.throwIfAborted();
            if (error instanceof LonghaulError)
                return null;
            throw error;
        }
    };
    const found = await known();
    if (found !== null || formatOf(commit) !== store.format)
        return found;
    return (await source.fetchCommit(commit)) ? known() : null;
}
function refuse(commit, about) {
    throw new LonghaulError('InvalidInput', `${about} has no commit ${commit}: give its hexadecimal name.`);
}
//# sourceMappingURL=snapshot.js.map