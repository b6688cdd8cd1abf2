import { readFile } from 'node:fs/promises';
import { Piscina } from 'piscina';
import { beside } from './beside.js';
import { distilTables, textTokens } from './distillation.js';
import { packFailure } from './packed-failure.js';
import { writeStaticModel } from './static-model.js';
import { createWordPiece } from './wordpiece.js';
const BATCH = 256;
const MESSAGE = 'Distilling the embedding model';
async function distil({ files, target, parallel }) {
    report({ message: MESSAGE, fraction: 0 });
    const { vocabulary } = createWordPiece(await readFile(files.tokenizer, 'utf8'));
    const tokens = textTokens(vocabulary);
    const rows = await askTransformer(files, tokens, parallel);
    await writeStaticModel(target, distilTables({ vocabulary, tokens, rows }));
    report({ message: MESSAGE, fraction: 1 });
}
async function askTransformer(files, tokens, threads) {
    const pool = new Piscina({
        filename: beside(import.meta.url, 'distil-thread'),
        minThreads: threads,
        maxThreads: threads,
        workerData: files,
    });
    const starts = Array.from({ length: Math.ceil(tokens.length / BATCH) }, (_, batch) => batch * BATCH);
    let done = 0;
    const answers = await Promise.all(starts.map(async (start) => {
        const answer = await pool.run(tokens.slice(start, start + BATCH));
        done = Math.min(done + BATCH, tokens.length);
        // the rest is the share of the linear algebra
        report({ message: MESSAGE, fraction: (0.8 * done) / tokens.length });
        return answer;
    }));
    await pool.destroy();
    return joined(answers);
}
function joined(parts) {
    const whole = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}
function report(answer) {
    process.send?.(answer);
}
process.once('disconnect', () => process.exit(1));
process.once('message', (order) => {
    distil(order).then(() => process.exit(0), (error) => process.send?.({ failure: packFailure(error) }, () => process.exit(1)));
});
//# sourceMappingURL=distil-process.js.map