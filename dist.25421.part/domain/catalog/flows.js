/** How many failures a {@link FleetResult} names; the rest is counted. */
export const FAILURES_KEPT = 200;
/** The part of a {@link Repository} that travels to the flow that works on it. */
export function addressOf({ id, cloneUrl }) {
    return { id, cloneUrl };
}
//# sourceMappingURL=flows.js.map