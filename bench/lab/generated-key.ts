/** The i-th key that the sandbox generates without a prefix. */
export const generatedKey = (index: number): string => `${String(index).padStart(9, "0")}.bin`;

export const generatedKeys = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => generatedKey(index));
