import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { scratchFolder } from '../../support/scratch-git.ts';
import { screenOf } from '../../support/screen.ts';

const TREE = pathToFileURL(join(import.meta.dirname, '../../../client/cli/release/job-tree.ts')).href;
const ENDED = { durationMs: 1_500, steps: [{ name: 'compile', state: 'passed', startedAt: null, durationMs: 1_200 }] };
const OPEN = { durationMs: null, steps: [] };
const RUNNING = {
  job: 'test',
  attempt: 1,
  written: 40,
  // ahead of the clock of the terminal
  startedAt: '2999-01-01T00:00:00Z',
  steps: [
    { name: 'install', state: 'passed', startedAt: null, durationMs: 300 },
    { name: 'unit', state: 'running', startedAt: '2999-01-01T00:00:00Z', durationMs: null },
  ],
};

/** What a program that draws these trees, one after another, wrote to a terminal of 60 by `rows`. */
async function recorded(
  rows: number,
  draws: readonly { readonly tail?: object; readonly states: readonly object[] }[],
) {
  const script = join(scratchFolder(), 'draw.ts');
  writeFileSync(
    script,
    `import { createJobTree } from ${JSON.stringify(TREE)};
process.stderr.write('before\\n');
const tree = createJobTree(process.stderr);
for (const { tail, states } of ${JSON.stringify(draws)}) {
  if (tail) tree.tail(tail as never);
  tree.states(states as never);
}
process.stderr.write('after\\n');
`,
  );
  const size = 'import fcntl,pty,struct,sys,termios';
  const start = `${size}
pid, fd = pty.fork()
if pid == 0:
    import os; os.read(0, 1); os.execv(sys.argv[1], sys.argv[1:])
import os
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', ${rows}, 60, 0, 0))
os.write(fd, b'\\n')
while True:
    try: piece = os.read(fd, 65536)
    except OSError: break
    if not piece: break
    sys.stdout.buffer.write(piece); sys.stdout.buffer.flush()`;
  const terminal = spawn('python3', ['-c', start, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [bytes] = await Promise.all([text(terminal.stdout), once(terminal, 'exit')]);
  return screenOf(bytes.slice(bytes.indexOf('before')), { rows, columns: 60 });
}

test('a live tree is drawn again in its place, and the last one stays', async () => {
  const long = 'x'.repeat(100);
  const screen = await recorded(20, [
    {
      states: [
        { id: 'build', state: 'running', ...OPEN },
        { id: 'test', state: 'waiting', ...OPEN },
      ],
    },
    {
      tail: { ...RUNNING, tail: `one\ntwo\n\u001B[31m${long}\nthree\n` },
      states: [
        { id: 'build', state: 'passed', ...ENDED },
        { id: 'test', state: 'running', ...OPEN },
        { id: 'deploy', state: 'waiting', ...OPEN },
      ],
    },
    {
      tail: { ...RUNNING, tail: `one\ntwo\n${long}\nthree\nfour\n` },
      states: [
        { id: 'build', state: 'passed', ...ENDED },
        { id: 'test', state: 'running', ...OPEN },
        { id: 'deploy', state: 'waiting', ...OPEN },
      ],
    },
  ]);
  expect(screen).toEqual([
    'before',
    '+ build: passed (1.5 s)',
    '  + compile (1.2 s)',
    '> test: running (0.0 s)',
    '  + install (0.3 s)',
    '  > unit (0.0 s)',
    `    | ${'x'.repeat(54)}`,
    '    | three',
    '    | four',
    '. deploy: waiting',
    'after',
  ]);
});

test('a tree that is larger than the terminal shows what runs and what failed, and never scrolls', async () => {
  const many = Array.from({ length: 30 }, (_, at) => ({ id: `job ${at}`, state: 'passed', ...ENDED }));
  const states = [
    ...many,
    { id: 'broken', state: 'failed', durationMs: 10, steps: [{ ...ENDED.steps[0], state: 'failed' }] },
    { id: 'test', state: 'running', ...OPEN },
  ];
  const draw = { tail: { ...RUNNING, tail: 'one\n' }, states };
  const screen = await recorded(12, [draw, draw, draw]);
  expect(screen).toEqual([
    'before',
    'x broken: failed (0.0 s)',
    '  x compile (1.2 s)',
    '> test: running (0.0 s)',
    '  + install (0.3 s)',
    '  > unit (0.0 s)',
    '    | one',
    '  … 30 more jobs',
    'after',
  ]);
});
