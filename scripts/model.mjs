// Run by the Dockerfile, in two layers: `fetch` the embedding model into ./model, `distil` the static one from it into
// ./cache.
import { mkdirSync, renameSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

const model = resolve('model');
const cacheDir = resolve('cache');
const progress = (message, fraction) =>
  console.log(fraction === undefined ? message : `${message} ${Math.round(fraction * 100)} %`);

switch (process.argv[2]) {
  case 'fetch': {
    const { ensureModel } = await import('../stack/model.ts');
    const { folder } = await ensureModel({ cacheDir: `${cacheDir}-of-fetch`, onProgress: progress });
    mkdirSync(dirname(model), { recursive: true });
    renameSync(folder, model);
    break;
  }
  case 'distil': {
    const { shareModel } = await import('../activities/index/models/embedder.ts');
    await shareModel({ kind: 'static', folder: model, cacheDir });
    break;
  }
  default:
    throw new Error('Give `fetch` or `distil`.');
}
