// The background process of `longhaul up --detach`: its first message says what to start. It reports to the command
// that started it until everything is ready, then runs until it is stopped.
import type { StackProgress } from '../../../stack/progress.ts';
import { messageOf } from '../../../platform/error-code.ts';
import type { SupervisorContext } from './supervisor.ts';
import { startStackAndWorker } from './supervisor.ts';

/** Messages of this process to the command that started it. */
export type SupervisorMessage =
  | { readonly type: 'progress'; readonly progress: StackProgress }
  | { readonly type: 'ready' }
  | { readonly type: 'failed'; readonly message: string };

function say(message: SupervisorMessage): void {
  if (process.connected) process.send?.(message);
}

async function supervise(context: SupervisorContext): Promise<void> {
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort());
  process.on('SIGHUP', () => undefined);
  // The command that waited was killed before this process was ready: no other process knows of it.
  const orphaned = (): void => stop.abort();
  process.once('disconnect', orphaned);
  const stack = await startStackAndWorker(
    { ...context, env: process.env },
    {
      signal: stop.signal,
      onProgress: (progress) => {
        console.error(`${new Date().toISOString()} ${progress.about}: ${progress.message}`);
        say({ type: 'progress', progress });
      },
    },
  );
  process.off('disconnect', orphaned);
  // Ctrl-C may have arrived in between.
  if (!stop.signal.aborted) {
    say({ type: 'ready' });
    await new Promise<void>((resolve) => {
      stop.signal.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  await stack.stop();
}

process.once('message', (context: SupervisorContext) => {
  supervise(context)
    .catch((error: unknown) => {
      console.error(error);
      say({ type: 'failed', message: messageOf(error) });
      process.exitCode = 1;
    })
    .finally(() => {
      if (process.connected) process.disconnect();
    });
});
