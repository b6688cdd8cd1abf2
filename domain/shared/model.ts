/** The models that need no server and no entry in `longhaul.yaml`. */
export const BUILT_IN_MODELS = ['static', 'onnx'] as const;

/**
 * Names an embedding model by what its vectors depend on, and by nothing else: no secret, no path of a machine, no budget.
 * Plain JSON, to be kept with an index and compared.
 */
export type ModelSettings =
  | { readonly type: (typeof BUILT_IN_MODELS)[number] }
  | {
      readonly type: 'openai';
      readonly url: string;
      readonly model: string;
      /** Null: as many as the server gives by itself. */
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

/** A model in a few words: `static`, `openai text-embedding-3-small`, `weaviate text2vec-ollama`. */
export function modelName(model: ModelSettings): string {
  if (model.type === 'openai') return `openai ${model.model}`;
  return model.type === 'weaviate' ? `weaviate ${model.module}` : model.type;
}
