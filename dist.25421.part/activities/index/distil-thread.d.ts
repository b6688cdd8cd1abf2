/** One thread's part of a distillation: what the transformer says of each token when it stands alone, row by row. */
export default function ask(tokens: readonly number[]): Promise<Float32Array>;
