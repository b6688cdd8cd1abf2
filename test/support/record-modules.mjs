// Preloaded by NODE_OPTIONS: writes the URL of each module that the process loads to the file RECORDED_MODULES.
import { appendFileSync } from 'node:fs';
import { registerHooks } from 'node:module';

const file = process.env.RECORDED_MODULES;
registerHooks({
  load(url, context, next) {
    appendFileSync(file, `${url}\n`);
    return next(url, context);
  },
});
