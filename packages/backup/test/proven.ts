/** Random schedules in every test run. */
export const seeds = 2000;

/**
 * What the explorer visits, with at most so many faults. `patient`: nobody suspends or resumes the application while a
 * split script of somebody else may still run.
 */
export const explored = [
  { faults: 1, patient: false, states: 22_625, transitions: 59_649 },
  { faults: 2, patient: true, states: 116_436, transitions: 390_027 },
  { faults: 3, patient: true, states: 744_968, transitions: 3_170_260 },
] as const;
