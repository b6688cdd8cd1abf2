export * from './catalog/index.ts';
export * from './release/index.ts';
export * from './workspace/index.ts';
