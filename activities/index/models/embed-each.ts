/** Known to every model: when this cannot be embedded, the model is at fault, not a text. */
const PROBE = 'read the file';

/** How {@link embedEach} tells a text's fault from the model's. */
export interface TextFaults {
  /** False for errors that no other texts would avoid: they are thrown. @default every error may be a text's */
  readonly isOfText?: (error: unknown) => boolean;
  /** Receives each text that gets no vector. */
  readonly onFault: (text: string, error: unknown) => void;
}

/**
 * Embeds texts with one call if possible. If it fails, halves are tried, down to the texts that the model fails on:
 * they get no vector. Throws when the model fails on a known text too.
 */
export async function embedEach(
  embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
  texts: readonly string[],
  faults: TextFaults,
): Promise<readonly (Float32Array | undefined)[]> {
  const { isOfText = () => true, onFault } = faults;
  try {
    return await embed(texts);
  } catch (error) {
    if (!isOfText(error)) throw error;
    const [text = ''] = texts;
    if (texts.length > 1) {
      const half = texts.length >> 1;
      const first = await embedEach(embed, texts.slice(0, half), faults);
      return [...first, ...(await embedEach(embed, texts.slice(half), faults))];
    }
    await embed([PROBE]);
    onFault(text, error);
    return [undefined];
  }
}
