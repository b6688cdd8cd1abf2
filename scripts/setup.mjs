// npm run setup: from a fresh clone to the first passing test, in one idempotent command without dependencies.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installHooks } from './install-hooks.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The tools that must be installed, and where to get them. */
const TOOLS = [
  { name: 'git', args: ['--version'], remedy: 'https://git-scm.com/downloads' },
  { name: 'python3', args: ['--version'], remedy: 'https://www.python.org/downloads' },
  { name: 'go', args: ['version'], remedy: 'https://go.dev/dl' },
];

function say(line) {
  process.stdout.write(`${line}\n`);
}

function run(command, args, options = {}) {
  return spawnSync(command, args, { cwd: root, encoding: 'utf8', ...options });
}

/** Runs a step with its output shown; ends the process with its exit code when it fails. */
function step(title, command, args) {
  say(`\n== ${title}`);
  const { status, error } = run(command, args, { stdio: 'inherit' });
  if (error) say(`${command} could not be started: ${error.message}`);
  if (status !== 0) {
    say(
      `\nSetup stopped at "${title}". Fix the problem reported above and run \`npm run setup\` again: finished steps are skipped.`,
    );
    process.exit(status ?? 1);
  }
}

function checkTools() {
  say('== tools');
  const missing = [];
  if (Number(process.versions.node.split('.')[0]) < 20) {
    missing.push(`node is ${process.versions.node}; 20 or later is needed to install: https://nodejs.org`);
  }
  for (const { name, args, remedy } of TOOLS) {
    const { status, stdout } = run(name, args);
    if (status === 0) say(`${name}: ${stdout.trim()}`);
    else missing.push(`${name} is not on PATH: ${remedy}`);
  }
  for (const line of missing) say(line);
  if (missing.length > 0) process.exit(1);
}

checkTools();
step('locked dependencies', process.execPath, ['scripts/bootstrap.mjs']);
say('\n== git hooks');
say(installHooks(root));
// only tests without servers; on the Node that was just installed
const node = join(root, 'node_modules', '.bin', 'node');
step('first tests', node, ['scripts/test.mjs', '--project', 'unit', 'test/unit/git', 'test/unit/platform']);
say('\nReady. `npm run check` checks everything in seconds, `npm test` runs all tests, `npm start` shows the product.');
