import type { Config } from '../../domain/config/config.schema.ts';
import type { ServedModelConfig } from '../../domain/config/models.schema.ts';
import { LonghaulError } from '../../domain/shared/failures.ts';
import { BUILT_IN_MODELS } from '../../domain/shared/model.ts';
import type { ModelSettings } from '../../domain/shared/model.ts';
import { canonical } from '../index/store/digest.ts';
import type { ModelConfig } from '../index/models/embedder.ts';
import type { RemoteModel } from '../index/models/remote-model.ts';
import type { WeaviateAddress } from '../index/store/weaviate.ts';

/** Locations of models, and the settings for opening them. */
export interface ModelPlaces {
  readonly weaviate: WeaviateAddress;
  /** Folder with `model.onnx` and `tokenizer.json`, or a function that finds it when a built-in model is opened. */
  readonly modelFolder: string | (() => Promise<string>);
  readonly cacheDir: string;
  /** Contains the keys that the configuration names. */
  readonly env: NodeJS.ProcessEnv;
  /** Aborts opening. */
  readonly signal?: AbortSignal | undefined;
}

/** The model named by `index.model` or `--model`. Throws `InvalidInput` when the configuration does not have it. */
export function modelSettings(config: Config, name: string = config.index.model): ModelSettings {
  const builtIn = BUILT_IN_MODELS.find((type) => type === name);
  if (builtIn !== undefined) return { type: builtIn };
  const served = Object.hasOwn(config.models, name) ? config.models[name] : undefined;
  if (served !== undefined) return settingsOf(served);
  const known = [...BUILT_IN_MODELS, ...Object.keys(config.models)].join(', ');
  throw new LonghaulError(
    'InvalidInput',
    `There is no model "${name}": known are ${known}. Add it under models in longhaul.yaml.`,
  );
}

/** True when both settings give equal vectors for equal texts. */
export function isSameModel(a: ModelSettings, b: ModelSettings): boolean {
  return canonical(a) === canonical(b);
}

/**
 * Opens the model with these settings. Keys and budgets come from the entry of `models` in the configuration with the
 * same vectors. Throws `InvalidConfiguration` when there is none or its key is not set, and what opening a model
 * throws.
 */
export async function openNamedModel(
  config: Config,
  settings: ModelSettings,
  { weaviate, modelFolder, cacheDir, env, signal }: ModelPlaces,
): Promise<ModelConfig | RemoteModel> {
  if (settings.type === 'static' || settings.type === 'onnx') {
    const folder = typeof modelFolder === 'string' ? modelFolder : await modelFolder();
    return { kind: settings.type, folder, cacheDir };
  }
  const served = Object.entries(config.models).find(([, candidate]) => isSameModel(settingsOf(candidate), settings));
  if (served === undefined) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `longhaul.yaml has no model with the settings ${canonical(settings)}: add it under models.`,
    );
  }
  const [name, model] = served;
  const apiKey = keyOf(name, model, env);
  if (model.type === 'openai') {
    const { openOpenAiModel } = await import('../index/models/openai-model.ts');
    return openOpenAiModel(model, { apiKey, cacheDir, signal });
  }
  const { openWeaviateModuleModel } = await import('../index/models/weaviate-module-model.ts');
  return openWeaviateModuleModel(model, { weaviate, indexName: config.index.name, apiKey, cacheDir, signal });
}

function settingsOf(model: ServedModelConfig): ModelSettings {
  const { maxInputBytes } = model;
  if (model.type === 'openai') {
    return { type: 'openai', url: model.url, model: model.model, dimensions: model.dimensions ?? null, maxInputBytes };
  }
  return { type: 'weaviate', module: model.module, options: model.options, maxInputBytes };
}

function keyOf(name: string, { apiKeyEnv }: ServedModelConfig, env: NodeJS.ProcessEnv): string | null {
  if (apiKeyEnv === undefined) return null;
  const key = env[apiKeyEnv];
  if (key !== undefined && key !== '') return key;
  throw new LonghaulError(
    'InvalidConfiguration',
    `models.${name}.apiKeyEnv names ${apiKeyEnv}, which is not set: set it where workers and commands run.`,
  );
}
