/**
 * Memoizes a function of words. A word is given by its position in a text, so that a known word, as almost every word
 * of source code is, need not be cut out of the text.
 */
export interface WordMemory<Made> {
  /** The value for the non-empty word in `units` from `from` up to but not including `to`. */
  of(units: Uint16Array, from: number, to: number): Made;
}

/** Limits of a {@link WordMemory}. */
export interface WordMemoryLimits {
  /** Number of words after which the memory is cleared. */
  readonly most: number;
  /** Longest word, in UTF-16 units, that is memoized. */
  readonly longest: number;
}

const FIRST_SLOTS = 1_024;
const FIRST_UNITS = 16_384;

let room = Buffer.alloc(2 * FIRST_UNITS);
let roomUnits = new Uint16Array(room.buffer, room.byteOffset, FIRST_UNITS);

/**
 * The UTF-16 units of a text, which are read much faster than its characters. The buffer is reused by the next call.
 */
export function unitsOf(text: string): Uint16Array {
  if (text.length > roomUnits.length) {
    room = Buffer.from(new ArrayBuffer(4 * text.length));
    roomUnits = new Uint16Array(room.buffer);
  }
  room.write(text, 'utf16le');
  return roomUnits;
}

/** Memoizes `make`, which must depend on the word alone. */
export function createWordMemory<Made>(
  make: (word: string) => Made,
  { most, longest }: WordMemoryLimits,
): WordMemory<Made> {
  let made: Made[] = [];
  // the units of all words one after another, where each begins, and where the next one will
  let written = new Uint16Array(FIRST_UNITS);
  let starts = [0];
  // a hash table with open addressing: 0, or 1 more than the index of a word; at most half full
  let slots = new Int32Array(FIRST_SLOTS);
  // random, so that no file can be written whose words all collide
  const multiplier = Math.floor(Math.random() * 2 ** 32) | 1;

  /** The slot of the word, or the free slot where it belongs. */
  function slotOf(units: Uint16Array, from: number, to: number): number {
    const mask = slots.length - 1;
    let hash = 0;
    for (let at = from; at < to; at++) hash = Math.imul(hash ^ (units[at] as number), multiplier);
    for (let slot = (hash ^ (hash >>> 16)) & mask; ; slot = (slot + 1) & mask) {
      const index = slots[slot] as number;
      if (index === 0 || isWord(index - 1, units, from, to)) return slot;
    }
  }

  function isWord(index: number, units: Uint16Array, from: number, to: number): boolean {
    const start = starts[index] as number;
    if ((starts[index + 1] as number) - start !== to - from) return false;
    for (let at = from; at < to; at++) if (units[at] !== written[start + at - from]) return false;
    return true;
  }

  function remember(units: Uint16Array, from: number, to: number, value: Made): void {
    if (made.length >= most) {
      made = [];
      starts = [0];
      slots.fill(0);
    }
    const start = starts.at(-1) ?? 0;
    const end = start + to - from;
    if (end > written.length) written = grown(written);
    if (made.length * 2 >= slots.length) {
      slots = new Int32Array(slots.length * 2);
      for (let at = 0; at < made.length; at++) slots[slotOf(written, starts[at] ?? 0, starts[at + 1] ?? 0)] = at + 1;
    }
    slots[slotOf(units, from, to)] = made.push(value);
    written.set(units.subarray(from, to), start);
    starts.push(end);
  }

  return {
    of(units, from, to) {
      const isLong = to - from > longest;
      const index = isLong ? 0 : (slots[slotOf(units, from, to)] as number);
      if (index > 0) return made[index - 1] as Made;
      const value = make(textOf(units.subarray(from, to)));
      if (!isLong) remember(units, from, to, value);
      return value;
    },
  };
}

function grown(units: Uint16Array): Uint16Array<ArrayBuffer> {
  const larger = new Uint16Array(units.length * 2);
  larger.set(units);
  return larger;
}

function textOf({ buffer, byteOffset, byteLength }: Uint16Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('utf16le');
}
