import {
  condition,
  defineQuery,
  defineSignal,
  setHandler,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow';

/**
 * Gives a flow a clock that the signal `skipTime` moves forward, in milliseconds: its timers fire when that clock has
 * reached them; the query `waits` has their reasons. Months pass in no time, at exactly the moments that a test chooses, and the history replays. Only for
 * workers with `reuseV8Context: false`: otherwise other flows would get the clock, too.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const ofServer = Date.now.bind(Date);
  let skipped = 0;
  const waits: string[] = [];
  Date.now = () => ofServer() + skipped;
  return {
    inbound: [
      {
        execute(input, next) {
          setHandler(defineSignal<[number]>('skipTime'), (ms) => void (skipped += ms));
          setHandler(defineQuery('waits'), () => waits);
          return next(input);
        },
      },
    ],
    outbound: [
      {
        startTimer(input, next) {
          const { durationMs, options } = input;
          waits.push(options?.summary ?? '');
          // nothing would move the clock over a moment that has passed already
          if (durationMs < 1_000) return next(input);
          const due = Date.now() + durationMs;
          return condition(() => Date.now() >= due);
        },
      },
    ],
  };
};
