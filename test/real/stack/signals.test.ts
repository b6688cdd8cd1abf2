import { expect, test } from 'vitest';
import { createProgram } from '../../../client/cli/program.ts';
import { commandEnv } from '../../support/command.ts';
import { createEstate } from '../../support/estate.ts';
import { memoryIo } from '../../support/memory-io.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

test('commands that run until a signal leave no signal handler behind', async () => {
  const estate = await createEstate();
  try {
    const io = memoryIo(commandEnv(estate));
    const listeners = (): number[] => SIGNALS.map((name) => io.signals.listenerCount(name));
    const serving = createProgram({ io }).run(['gateway', '--address', '127.0.0.1:0']);
    await expect.poll(listeners).toEqual([1, 1]);
    io.signals.emit('SIGTERM');
    expect(await serving).toBe(0);
    expect(listeners()).toEqual([0, 0]);

    const alone = memoryIo(commandEnv(estate, { TEMPORAL_ADDRESS: undefined }));
    expect(await createProgram({ io: alone }).run(['worker', '--roles', 'flows'])).not.toBe(0);
    expect(SIGNALS.map((name) => alone.signals.listenerCount(name))).toEqual([0, 0]);
  } finally {
    await estate.dispose();
  }
});
