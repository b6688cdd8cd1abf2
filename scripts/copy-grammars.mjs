// Run by the build: puts the grammars beside the compiled code, so that the published package needs no grammar package.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { GRAMMARS, readGrammar } from '../activities/index/grammar-files.ts';

const target = new URL('../dist/grammars/', import.meta.url);
await mkdir(target, { recursive: true });
let bytes = 0;
for (const name of GRAMMARS) {
  const { wasm, tags } = await readGrammar(name);
  await writeFile(new URL(`${name}.wasm`, target), wasm);
  await writeFile(new URL(`${name}.scm`, target), tags);
  bytes += wasm.length + tags.length;
}
console.log(`${GRAMMARS.length} grammars, ${(bytes / 1e6).toFixed(1)} MB, copied to ${fileURLToPath(target)}`);
