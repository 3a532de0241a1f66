import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Names, at the end of a run, each test that only a second try has passed (docs/decisions/0011). */
export default class SecondTries implements Reporter {
  readonly #passed: TestCase[] = [];

  onTestCaseResult(test: TestCase): void {
    if (test.diagnostic()?.flaky) this.#passed.push(test);
  }

  onTestRunEnd(_modules: readonly TestModule[]): void {
    for (const test of this.#passed) {
      const reasons = test.result().errors?.map(({ message }) => message.split('\n', 1)[0]);
      console.warn(`SECOND TRY  ${test.module.relativeModuleId} > ${test.fullName}: ${reasons?.join('; ')}`);
    }
  }
}
