/** The state of a fleet flow as a markdown table, for the details that the Temporal UI shows. Below 20 kB. */
export function describeProgress(progress) {
    const { stage, total, succeeded, failed, skipped, running, failures, sample } = progress;
    const rows = [
        ['stage', stage],
        ['matched', progress.matched],
        ['to do', total],
        ['succeeded', succeeded],
        ['failed', failed],
        ['skipped', skipped],
        ['files changed', progress.filesChanged],
        ['objects written', progress.objectsWritten],
        ['objects deleted', progress.objectsDeleted],
    ];
    const parts = [`| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`];
    if (stage === 'waiting for confirmation') {
        parts.push(`${proceedQuestion(total)}\n\nAnswer with the update \`confirm\`: \`{"proceed": true}\`.`);
        parts.push(list('Matched', sample, total));
    }
    if (running.length > 0)
        parts.push(list('Working on', running, running.length));
    if (failures.length > 0) {
        const shown = failures.slice(0, 20).map(({ repository, type, error }) => `${repository}: ${type}: ${clip(error)}`);
        parts.push(list('Failed', shown, failed));
    }
    return parts.join('\n\n');
}
/** The question that a person is asked before an initial indexing, in the words of seed 000, workflow 6. */
export function proceedQuestion(count) {
    return `Matched ${count} ${count === 1 ? 'repository' : 'repositories'}. Proceed with initial indexing?`;
}
/** What became of one repository, as a markdown table. */
export function describeOutcome(outcome) {
    const skipped = Object.entries(outcome.skipped).map(([reason, count]) => `${count} ${reason}`);
    const rows = [
        ['repository', outcome.repository],
        ['commit', outcome.commit],
        ['read', outcome.full === null ? 'the differential' : `everything (${outcome.full})`],
        ['files changed', outcome.filesChanged],
        ['objects written', outcome.objectsWritten],
        ['objects deleted', outcome.objectsDeleted],
        ['objects now', outcome.objects],
        ['embedded / reused', `${outcome.embedded} / ${outcome.embeddingsReused}`],
        ['not indexed', skipped.length === 0 ? 'none' : skipped.join(', ')],
    ];
    return `| | |\n|---|---|\n${rows.map(([name, value]) => `| ${name} | ${value} |`).join('\n')}`;
}
function list(title, names, count) {
    const shown = names.slice(0, 50).map((name) => `- ${escapeMarkdown(name)}`);
    if (count > shown.length)
        shown.push(`- and ${count - shown.length} more`);
    return `**${title}**\n\n${shown.join('\n')}`;
}
function clip(text) {
    return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}
function escapeMarkdown(text) {
    return text.replaceAll(/[`*_[\]<>|\\]/g, String.raw `\$&`).replaceAll(/\s+/g, ' ');
}
//# sourceMappingURL=progress.js.map