/** Random schedules in every test run. */
export const seeds = 2000;

/**
 * What the explorer visits, with at most so many faults. `patient`: nobody suspends or resumes the application while a
 * split script of somebody else may still run.
 */
export const explored = [
  { faults: 1, patient: false, states: 26_746, transitions: 70_907 },
  { faults: 2, patient: true, states: 259_661, transitions: 934_053 },
  { faults: 3, patient: true, states: 2_315_690, transitions: 10_580_890 },
] as const;
