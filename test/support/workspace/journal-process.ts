import { openJournal } from '../../../activities/workspace/journal.ts';

// adds numbers to the journal for ever, and prints each when it is on the disk
const [file = ''] = process.argv.slice(2);
const isNumbered = (value: unknown): value is { readonly at: number } => typeof value === 'object' && value !== null;
const journal = await openJournal(file, isNumbered);
for (let at = journal.entries.length; ; at += 2) {
  await Promise.all([journal.append({ at }), journal.append({ at: at + 1 })]);
  process.stdout.write(`${at + 1}\n`);
}
