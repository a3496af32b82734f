/** Does work in rounds. Who asks for a round while one is under way, from within it, gets another one after it. */
export class Rounds {
  /** Whether a round is under way. */
  isUnderWay = false;
  readonly #round: () => void;
  #isAgain = false;

  constructor(round: () => void) {
    this.#round = round;
  }

  run(): void {
    this.#isAgain = true;
    if (this.isUnderWay) return;
    this.isUnderWay = true;
    try {
      while (this.#isAgain) {
        this.#isAgain = false;
        this.#round();
      }
    } finally {
      this.isUnderWay = false;
    }
  }
}
