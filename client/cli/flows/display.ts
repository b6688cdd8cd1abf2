import type { FlowProgress } from '../../../domain/shared/progress.ts';
import type { CliContext } from '../../core/context.ts';
import type { Output } from '../../core/io.ts';
import { printable } from '../../core/sanitize.ts';

/** Shows the progress of a flow on standard error. */
export interface Display {
  /** Shows this progress in place of the last one. */
  update(progress: FlowProgress): void;
  /** Leaves the last progress on the screen. */
  close(): void;
}

/** A bar on a terminal; otherwise one line for each change. */
export async function openDisplay({ stderr }: CliContext): Promise<Display> {
  if (!stderr.isTTY) return lines(stderr);
  const { SingleBar, Presets } = await import('cli-progress');
  const bar = new SingleBar(
    { format: '{stage} {bar} {value}/{total} {facts}', stream: stderr, hideCursor: true, clearOnComplete: false },
    Presets.shades_classic,
  );
  bar.start(1, 0, { stage: 'starting', facts: '' });
  return {
    update: (progress) => {
      bar.setTotal(Math.max(1, progress.total));
      bar.update(progress.done, { stage: printable(progress.stage), facts: factsOf(progress) });
    },
    close: () => bar.stop(),
  };
}

function lines(stderr: Output): Display {
  let last = '';
  return {
    update: (progress) => {
      const { stage, done, total } = progress;
      const line = `${printable(stage)}: ${done}/${total} ${factsOf(progress)}`;
      if (line !== last) stderr.write(`${line}\n`);
      last = line;
    },
    close: () => undefined,
  };
}

function factsOf({ unit, lines: facts }: FlowProgress): string {
  return printable([unit, ...facts].join('  '));
}
