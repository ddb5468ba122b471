import type { Prefix } from "../../model/entities.ts";
import { defineListHandler } from "../handler.ts";
import { listPrefixes } from "./contract.ts";

export const listPrefixesHandler = defineListHandler(listPrefixes, async function* (input, { s3, signal }) {
  const { bucket, prefix: root = "", delimiter, recursive } = input;
  // Depth first with a stack of what is still to visit: memory grows with the tree's width, not with the bucket.
  const open = [root];
  for (let prefix = open.pop(); prefix !== undefined; prefix = open.pop()) {
    let continuationToken: string | undefined;
    const below: string[] = [];
    do {
      const page = await s3.listPage(
        { bucket, prefix, delimiter, ...(continuationToken !== undefined && { continuationToken }) },
        { signal },
      );
      yield page.prefixes.map((found): Prefix => ({ bucket, prefix: found }));
      if (recursive) below.push(...page.prefixes);
      continuationToken = page.next;
    } while (continuationToken !== undefined);
    open.push(...below.toReversed());
  }
});
