/** Why a deployment was started as it was. */
export interface DeploymentReasons {
  /** Why it is urgent, in the words of the person who started it; null for no reason. */
  readonly reason: string | null;
  /** The environments before this one that did not have the release. */
  readonly passedOver: readonly string[];
  /** Why it is deployed during a freeze; null outside of one. */
  readonly overrideFreeze: string | null;
}

/** The reasons as sentences without a full stop; empty for a deployment like any other. */
export function describeReasons({ reason, passedOver, overrideFreeze }: DeploymentReasons): readonly string[] {
  const because = reason === null ? 'without a reason' : `because: ${reason}`;
  return [
    ...(passedOver.length > 0 ? [`past ${passedOver.join(', ')}, ${because}`] : reason === null ? [] : [because]),
    ...(overrideFreeze === null ? [] : [`during a freeze, because: ${overrideFreeze}`]),
  ];
}
