import { messageOf } from '../../stack/stack-error.js';
import { startStackAndWorker } from './supervisor.js';
function say(message) {
    if (process.connected)
        process.send?.(message);
}
async function supervise(context) {
    const stop = new AbortController();
    for (const signal of ['SIGTERM', 'SIGINT'])
        process.on(signal, () => stop.abort());
    process.on('SIGHUP', () => undefined);
    // Whoever waited for us was killed before we were ready: nobody knows of us.
    const orphaned = () => stop.abort();
    process.once('disconnect', orphaned);
    const stack = await startStackAndWorker({ ...context, env: process.env }, {
        signal: stop.signal,
        onProgress: (progress) => {
            console.error(`${new Date().toISOString()} ${progress.about}: ${progress.message}`);
            say({ type: 'progress', progress });
        },
    });
    process.off('disconnect', orphaned);
    // Ctrl-C may have come between.
    if (!stop.signal.aborted) {
        say({ type: 'ready' });
        await new Promise((resolve) => {
            stop.signal.addEventListener('abort', () => resolve(), { once: true });
        });
    }
    await stack.stop();
}
process.once('message', (context) => {
    supervise(context)
        .catch((error) => {
        console.error(error);
        say({ type: 'failed', message: messageOf(error) });
        process.exitCode = 1;
    })
        .finally(() => {
        if (process.connected)
            process.disconnect();
    });
});
//# sourceMappingURL=supervisor-process.js.map