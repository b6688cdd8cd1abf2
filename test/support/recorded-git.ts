import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A git that records how it is started, and then is the real one. */
export interface RecordedGit {
  /** The folder with this git, to put first in `PATH`. */
  readonly bin: string;
  /** The arguments of every git process so far, those included that git itself started, such as `git-remote-https`. */
  starts(): readonly (readonly string[])[];
  /** The environment of those that git did not start itself: `NAME=value`. */
  variables(): readonly string[];
}

/** Creates a {@link RecordedGit} in a folder. */
export function recordGit(folder: string): RecordedGit {
  const bin = join(folder, 'bin');
  mkdirSync(bin, { recursive: true });
  const [variables, events] = [join(folder, 'git-variables'), join(folder, 'git-events')];
  const real = execFileSync('which', ['git'], { encoding: 'utf8' }).trim();
  // without GIT_TRACE_REDACT git would leave passwords out of its record
  writeFileSync(
    join(bin, 'git'),
    `#!/bin/sh\nenv >>'${variables}'\nGIT_TRACE_REDACT=0 GIT_TRACE2_EVENT='${events}' exec '${real}' "$@"\n`,
  );
  chmodSync(join(bin, 'git'), 0o755);
  const linesOf = (file: string): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return {
    bin,
    starts: () =>
      linesOf(events)
        .map((line) => JSON.parse(line) as { readonly event: string; readonly argv?: readonly string[] })
        .flatMap(({ event, argv }) => (event === 'start' && argv !== undefined ? [argv] : [])),
    variables: () => linesOf(variables),
  };
}
