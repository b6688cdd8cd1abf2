/**
 * Waits for `result`; rejects immediately with the signal's reason when it is aborted, or was aborted before the call.
 */
export async function untilAborted<T>(signal: AbortSignal, result: Promise<T>): Promise<T> {
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
  });
  try {
    return await Promise.race([aborted, result]);
  } finally {
    if (onAbort) signal.removeEventListener('abort', onAbort);
  }
}
