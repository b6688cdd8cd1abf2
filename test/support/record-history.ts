import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { temporal } from '@temporalio/proto';
import manifest from '../../package.json' with { type: 'json' };
import type { RecordedRun } from './recorded-runs.ts';

const HISTORIES = new URL('../histories/', import.meta.url);

/**
 * Writes a history that later versions must replay, `v0.5.0-<name>.binpb`, and never overwrites one. With
 * `RECORD_HISTORIES=unreleased` it is one of a flow that no version has yet, `unreleased-<name>.binpb`: replaced at will,
 * until the first one with a version takes its place.
 */
export function recordHistory(name: string, history: RecordedRun['history'], folder: '' | 'blocks/' = ''): void {
  const fileOf = (version: string): URL => new URL(`${folder}${version}-${name}.binpb`, HISTORIES);
  const unreleased = fileOf('unreleased');
  const isUnreleased = process.env['RECORD_HISTORIES'] === 'unreleased';
  const file = isUnreleased ? unreleased : fileOf(`v${manifest.version}`);
  if (!isUnreleased && existsSync(file))
    throw new Error(`${file.pathname} is already recorded: raise the version first`);
  rmSync(unreleased, { force: true });
  writeFileSync(file, temporal.api.history.v1.History.encode(history).finish());
}
