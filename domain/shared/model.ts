/** The models that need no server and no entry in `longhaul.yaml`. */
export const BUILT_IN_MODELS = ['static', 'onnx'] as const;

/**
 * Identifies an embedding model by exactly what its vectors depend on: no secret, no local path, no budget. Plain JSON,
 * stored with an index and compared.
 */
export type ModelSettings =
  | { readonly type: (typeof BUILT_IN_MODELS)[number] }
  | {
      readonly type: 'openai';
      readonly url: string;
      readonly model: string;
      /** Null: the server's default. */
      readonly dimensions: number | null;
      readonly maxInputBytes: number;
    }
  | {
      readonly type: 'weaviate';
      readonly module: string;
      /** The module's own options, keys in order. */
      readonly options: Readonly<Record<string, unknown>>;
      readonly maxInputBytes: number;
    };

/** A short name of a model: `static`, `openai text-embedding-3-small`, `weaviate text2vec-ollama`. */
export function modelName(model: ModelSettings): string {
  if (model.type === 'openai') return `openai ${model.model}`;
  return model.type === 'weaviate' ? `weaviate ${model.module}` : model.type;
}
