/** Random schedules in every test run. */
export const seeds = 2000;

/**
 * What the explorer visits, with at most so many faults. `patient`: nobody suspends or resumes the application while a
 * split script of somebody else may still run.
 */
export const explored = [
  { faults: 1, patient: false, states: 27_765, transitions: 73_730 },
  { faults: 2, patient: true, states: 186_416, transitions: 647_174 },
  { faults: 3, patient: true, states: 1_450_162, transitions: 6_422_337 },
] as const;
