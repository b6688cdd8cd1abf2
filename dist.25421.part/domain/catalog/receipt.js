/** The ref that every repository is indexed at: whatever branch its HEAD names, so that renaming that branch costs nothing. */
export const DEFAULT_REF = 'HEAD';
/** The neutral element of {@link xorIds}: the XOR of no object. */
export const NO_OBJECTS = '0'.repeat(32);
/** XORs a UUID into an accumulated 32-digit hexadecimal value. The same id twice cancels itself, in any order. */
export function xorIds(accumulated, id) {
    return (BigInt(`0x${accumulated}`) ^ BigInt(`0x${id.replaceAll('-', '')}`)).toString(16).padStart(32, '0');
}
//# sourceMappingURL=receipt.js.map