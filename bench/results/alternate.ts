/** Measures several sides in turn, round after round, each round beginning with another side: a noisy machine is noisy to all of them. */
export async function alternate<Side extends string, Sample>(
  rounds: number,
  sides: Readonly<Record<Side, () => Promise<Sample>>>,
  onRound: (round: number) => void = () => {},
): Promise<Record<Side, Sample[]>> {
  const names = Object.keys(sides) as Side[]; // the very keys of the record
  const samples = Object.fromEntries(names.map((name) => [name, [] as Sample[]])) as Record<Side, Sample[]>;
  for (let round = 0; round < rounds; round++) {
    onRound(round + 1);
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(round + turn) % names.length];
      if (name !== undefined) samples[name].push(await sides[name]());
    }
  }
  return samples;
}
