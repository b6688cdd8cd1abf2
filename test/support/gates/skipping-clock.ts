import { condition, defineSignal, setHandler, type WorkflowInterceptorsFactory } from '@temporalio/workflow';

/**
 * Gives a flow a clock that the signal `skipTime` moves forward, in milliseconds: its timers fire when that clock has
 * reached them. Months pass in no time, at exactly the moments that a test chooses, and the history replays. Only for
 * workers with `reuseV8Context: false`: otherwise other flows would get the clock, too.
 */
export const interceptors: WorkflowInterceptorsFactory = () => {
  const ofServer = Date.now.bind(Date);
  let skipped = 0;
  Date.now = () => ofServer() + skipped;
  return {
    inbound: [
      {
        execute(input, next) {
          setHandler(defineSignal<[number]>('skipTime'), (ms) => void (skipped += ms));
          return next(input);
        },
      },
    ],
    outbound: [
      {
        startTimer({ durationMs }) {
          const due = Date.now() + durationMs;
          return condition(() => Date.now() >= due);
        },
      },
    ],
  };
};
