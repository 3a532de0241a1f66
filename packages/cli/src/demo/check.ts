/** A check of the demo did not hold. */
export class DemoFailure extends Error {}

/** @throws DemoFailure unless it holds. */
export function check(holds: boolean, failure: string): void {
  if (!holds) throw new DemoFailure(failure);
}
