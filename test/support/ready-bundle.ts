import { registerHooks } from 'node:module';

// For worker processes of tests, with `--import`: they take the bundle of flows that all tests of the run share, instead
// of making the same one again, which takes more than half of the processor time of their start.
const OWN = new URL('../../workers/bundle.ts', import.meta.url).href;
const path = process.env['READY_BUNDLE'] ?? '';

registerHooks({
  load: (url, context, nextLoad) =>
    url === OWN
      ? {
          format: 'module',
          shortCircuit: true,
          source: `export const workflowBundle = async () => (${JSON.stringify({ codePath: path })});`,
        }
      : nextLoad(url, context),
});
