/** Mixes values, in the same way at each run; a linear congruential generator with the constants of Numerical Recipes. */
export function shuffled<T>(values: readonly T[]): T[] {
  let state = 2_026;
  const order = values.map((value) => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return { value, state };
  });
  return order.sort((a, b) => a.state - b.state).map(({ value }) => value);
}
