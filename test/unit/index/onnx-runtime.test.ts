import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findOnnxRuntime, loadOnnxRuntime } from '../../../activities/index/models/onnx-runtime.ts';
import { LonghaulError } from '../../../domain/shared/failures.ts';

let folder: string;
beforeAll(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'longhaul-onnx-')));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The error that `work` throws. */
function thrown(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('it did not throw');
}

describe('the optional package onnxruntime-node', () => {
  test('is found and loaded where it is installed', () => {
    expect(findOnnxRuntime()).toContain('onnxruntime-node');
    expect(loadOnnxRuntime().InferenceSession).toBeTypeOf('function');
  });

  test('is a typed failure with a remedy where it is not installed', () => {
    for (const work of [findOnnxRuntime, loadOnnxRuntime]) {
      const error = thrown(() => work(join(folder, 'module.js')));
      expect(error).toBeInstanceOf(LonghaulError);
      expect(error).toMatchObject({
        type: 'InvalidConfiguration',
        message: expect.stringMatching(/not installed.*npm install onnxruntime-node.*--no-rescore/) as string,
      });
    }
  });

  test('is a typed failure with the reason where its native library does not load', async () => {
    const installed = join(folder, 'broken', 'node_modules', 'onnxruntime-node');
    await mkdir(installed, { recursive: true });
    await writeFile(join(installed, 'index.js'), `throw new Error('libonnxruntime.so.1: cannot open shared object');`);
    expect(thrown(() => loadOnnxRuntime(join(folder, 'broken', 'module.js')))).toMatchObject({
      type: 'InvalidConfiguration',
      message: expect.stringMatching(/does not load on this machine: libonnxruntime\.so\.1/) as string,
    });
  });
});
