import { openVectorCache, textKey } from '../../../activities/index/store/vector-cache.ts';

// a process of vector-cache.test.ts: writes batches of 50 vectors and says so after the first
const [file = '', model = '', prefix = '', batches = '0'] = process.argv.slice(2);
const cache = openVectorCache(file, { busyTimeout: 60_000 });
for (let batch = 0; batch < Number(batches); batch++) {
  const entries = Array.from(
    { length: 50 },
    (_, n) => [textKey(`${prefix} ${batch * 50 + n}`), new Float32Array(256).fill(batch)] as const,
  );
  cache.putVectors(model, entries);
  if (batch === 0) process.send?.('begun');
}
cache.close();
process.exit(0);
