/**
 * Prints what is done with its duration, and counts what passed.
 */
/** Thrown by a step that was told to fail. */
export class ToldToFail extends Error {}

export class Report {
  private readonly start = Date.now();
  private passed = 0;
  private failed = 0;

  /** Whether the work was done; what it throws is printed. A step that is not asserted shows only when it fails or takes a second. */
  public async step(name: string, work: () => Promise<unknown>, asserted = true): Promise<boolean> {
    const begin = Date.now();
    const seconds = () => (Date.now() - begin) / 1000;
    try {
      await work();
    } catch (error) {
      if (error instanceof ToldToFail) {
        this.passed++;
        this.note(`${name} fails as told after ${seconds().toFixed(1)} s`);
        return false;
      }
      this.failed++;
      this.note(`${name} FAILED after ${seconds().toFixed(1)} s: ${(error as Error).message}`);
      return false;
    }
    this.passed += asserted ? 1 : 0;
    if (asserted || seconds() >= 1) {
      this.note(`${name} ok ${seconds().toFixed(1)} s`);
    }
    return true;
  }

  /** Asserts that there are no problems. */
  public async check(name: string, problems: () => Promise<string[]>): Promise<boolean> {
    return this.step(name, async () => {
      const found = await problems();
      if (found.length > 0) {
        throw new Error(found.map((problem) => `\n          ${problem}`).join(''));
      }
    });
  }

  public note(text: string): void {
    console.log(`${this.seconds().toFixed(1).padStart(7)}  ${text}`);
  }

  /** Since the first line. */
  public seconds(): number {
    return (Date.now() - this.start) / 1000;
  }

  /** Prints the last line and returns the exit code. */
  public end(): number {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed > 0 ? 1 : 0;
  }
}
