/** True when the index holds this repository completely, under the current chunker and model. */
export function isIndexed(receipt, digest) {
    return receipt !== undefined && receipt.commit !== '' && receipt.pending === null && receipt.digest === digest;
}
/** Initial onboarding: every repository that was found and is not completely indexed. */
export function planOnboarding(found, receipts, digest) {
    const work = found.filter(({ id }) => !isIndexed(receipts.get(id), digest));
    const upToDate = found.filter(({ id }) => isIndexed(receipts.get(id), digest)).map(({ id }) => id);
    return { matched: found.length, work: byId(work), upToDate, failures: [] };
}
/** Delta sync: every indexed repository whose HEAD is elsewhere than its receipt, or whose last run did not finish. */
export function planSync(receipts, heads, digest) {
    const work = [];
    const upToDate = [];
    const failures = [];
    for (const receipt of receipts) {
        const { repository: id, cloneUrl } = receipt;
        const head = heads.get(id);
        if (head === undefined || head instanceof Error) {
            failures.push({
                repository: id,
                type: head?.type ?? 'GitFailed',
                error: head?.message ?? `mgit did not say where HEAD of ${id} is.`,
            });
        }
        else if (isIndexed(receipt, digest) && receipt.commit === head.commit && receipt.branch === head.branch) {
            upToDate.push(id);
        }
        else {
            work.push({ id, cloneUrl });
        }
    }
    return { matched: receipts.length, work: byId(work), upToDate, failures };
}
function byId(repositories) {
    return [...repositories].sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}
/** The part of a plan after the id `after` with at most `limit` repositories to work on. Pages never overlap. */
export function pageOf(plan, after, limit) {
    const later = (id) => after === null || id > after;
    const left = plan.work.filter(({ id }) => later(id));
    const repositories = left.slice(0, limit);
    const next = left.length > limit ? (repositories.at(-1)?.id ?? null) : null;
    const onThisPage = (id) => later(id) && (next === null || id <= next);
    return {
        matched: plan.matched,
        total: plan.work.length,
        upToDate: plan.upToDate.filter(onThisPage).length,
        repositories,
        failures: plan.failures.filter(({ repository }) => onThisPage(repository)),
        next,
    };
}
//# sourceMappingURL=plan.js.map