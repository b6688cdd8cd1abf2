import { stringify } from 'yaml';
import type { FleetPackage } from './fleet-packages.ts';

/** The package whose release is shown. `main` begins at the early version; each later version becomes a change. */
export const RELEASED_PACKAGE = {
  name: 'commander',
  path: 'tj/commander.js',
  versions: ['11.0.0', '11.1.0', '12.0.0', '12.1.0', '13.0.0', '13.1.0'],
  early: '12.0.0',
} as const satisfies FleetPackage;

/** The version that is released. */
export const RELEASED_VERSION = 'v13.1.0';

/** A change of the release: what a published version of the package brought. */
export interface ReleasedChange {
  readonly id: string;
  readonly type: 'add' | 'refine';
  readonly title: string;
  /** The published version that has it. */
  readonly version: string;
  /** The subject of its commit. */
  readonly subject: string;
  /** A test that fails without it. */
  readonly test: string;
}

/** The changes, oldest first. */
export const RELEASED_CHANGES: readonly ReleasedChange[] = [
  {
    id: 'FEAT-201',
    type: 'add',
    title: 'Arguments of node --eval',
    version: '12.1.0',
    subject: 'feat: find the arguments of node --eval',
    test: `const { execFileSync } = require('node:child_process');
const code = "const { program } = require('./'); program.option('--debug').parse(); console.log(program.opts().debug)";
const out = execFileSync(process.execPath, ['--eval', code, '--', '--debug'], { encoding: 'utf8' });
require('node:assert').equal(out, 'true\\n');
`,
  },
  {
    id: 'FEAT-202',
    type: 'refine',
    title: 'Excess arguments are an error',
    version: '13.0.0',
    subject: 'feat: refuse excess arguments',
    test: `const { Command } = require('..');
const command = new Command().exitOverride().configureOutput({ writeErr: () => {} }).action(() => {});
require('node:assert').throws(() => command.parse(['extra'], { from: 'user' }), { code: 'commander.excessArguments' });
`,
  },
  {
    id: 'FEAT-203',
    type: 'add',
    title: 'Two long flags of one option',
    version: '13.1.0',
    subject: 'feat: a pair of long flags',
    test: `const { Command } = require('..');
const command = new Command().option('--ws, --workspace').parse(['--ws'], { from: 'user' });
require('node:assert').equal(command.opts().workspace, true);
`,
  },
];

/** The pipeline that proves the changes. */
export const RELEASE_PIPELINE = stringify({
  name: 'full-ci',
  steps: [
    { name: 'linting', command: 'for file in index.js lib/*.js; do node --check "$file"; done' },
    { name: 'unit-tests', command: 'node --test test/*.test.cjs' },
    { name: 'security-scan', command: '! grep -rE "BEGIN [A-Z ]*PRIVATE KEY" .' },
    { name: 'build', command: 'tar -cf "$TMPDIR/package.tar" index.js esm.mjs lib typings package.json' },
  ],
});

/** The policies of the repository. */
export const RELEASE_POLICY = stringify({
  policies: [
    { name: 'tests-always', required_steps: ['unit-tests'] },
    { name: 'security-scan-always', required_steps: ['security-scan'] },
    { name: 'minimum-evolutions', min_evolutions: RELEASED_CHANGES.length },
  ],
});

/** The file of the generation. */
export const RELEASE_CONTRACT = stringify({
  version: RELEASED_VERSION,
  description: 'Options of commander 13',
  changes: RELEASED_CHANGES.map(({ type, id, title }) => ({ type, id, title })),
  pipeline_template: 'full-ci',
});
