import { z } from "zod";
import { didYouMean } from "../model/closest-name.ts";

/** A strict object whose complaint about an unknown field names the one that was probably meant. */
export function knownFields<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys") return undefined;
      const names = Object.keys(shape);
      return (issue.keys as readonly string[])
        .map((key) => `unknown field ${JSON.stringify(key)}${didYouMean(key, names)}`)
        .join("; ");
    },
  });
}
