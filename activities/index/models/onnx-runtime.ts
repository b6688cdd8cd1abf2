import { createRequire } from 'node:module';
import type * as OnnxRuntime from 'onnxruntime-node';
import { LonghaulError } from '../../../domain/shared/failures.ts';

/** The package that runs transformers. It is large and native, so it is an optional dependency. */
const PACKAGE = 'onnxruntime-node';

/** What to do when the package is missing. */
export const ONNX_RUNTIME_REMEDY =
  `Install it next to longhaul with \`npm install ${PACKAGE}\`. Without it, set index.model to a model of \`models\`; ` +
  'an index whose static model is already prepared can be searched with `longhaul search --no-rescore`.';

/**
 * The path of the installed package as a module at `from` finds it. Throws `InvalidConfiguration`, with the remedy,
 * when it is not installed.
 */
export function findOnnxRuntime(from: string = import.meta.url): string {
  try {
    return createRequire(from).resolve(PACKAGE);
  } catch (cause) {
    throw new LonghaulError(
      'InvalidConfiguration',
      `The package ${PACKAGE} is not installed, so no transformer can run here. ${ONNX_RUNTIME_REMEDY}`,
      { cause },
    );
  }
}

/**
 * Loads the package. Throws `InvalidConfiguration` when it is not installed, or when its native library does not load
 * on this machine.
 */
export function loadOnnxRuntime(from: string = import.meta.url): typeof OnnxRuntime {
  const path = findOnnxRuntime(from);
  try {
    return createRequire(from)(path) as typeof OnnxRuntime;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.split('\n', 1)[0] : String(cause);
    throw new LonghaulError(
      'InvalidConfiguration',
      `The package ${PACKAGE} does not load on this machine: ${why}. ${ONNX_RUNTIME_REMEDY}`,
      { cause },
    );
  }
}
