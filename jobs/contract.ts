import { z } from "zod";
import { CustomerKeyRef } from "../model/customer-key.ts";
import type { Access } from "../model/access.ts";
import { headerSizeProblem } from "../model/attributes/header-size.ts";
import type { ObjectAttributes } from "../model/object-attributes.ts";
import { CredentialsRef as CredentialsRefSchema, DocumentPointer } from "../model/entities.ts";

/** What may be asked (input), what comes back (result), and what it touches. */
export type Contract<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> = {
  /** The activity's name, its queue's name and its folder's name. It never changes. */
  readonly name: Name;
  /** One line for documentation and dashboards. */
  readonly summary: string;
  readonly input: Input;
  /** What is stored on the job. */
  readonly result: Result;
  readonly access: (input: z.output<Input>) => readonly Access[];
  /** For activities whose result is a secret: what the document holds that the stored result points to. It never is in Redis. */
  readonly secret?: z.ZodType;
  /** For activities that return a list: under which name, and of what. */
  readonly list?: { readonly name: string; readonly entity: z.ZodType };
};

/** A contract whose result is a list of entities, inline or in a document. */
export type ListContract<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  ListName extends string = string,
  Entity extends z.ZodType = z.ZodType,
> = Contract<Name, Input, z.ZodType<ListResult>> & {
  readonly list: { readonly name: ListName; readonly entity: Entity };
};

/** A contract whose result is a secret, in a document. */
export type SecretContract<
  Name extends string = string,
  Input extends z.ZodType = z.ZodType,
  Secret extends z.ZodType = z.ZodType,
> = Contract<Name, Input, z.ZodType<{ document: DocumentPointer }>> & { readonly secret: Secret };

/** A list as it is stored on the job: `{ count, <name>: [...] }` up to 16 KiB, else `{ count, document }` (NDJSON, a line an entity). */
export type ListResult = { readonly count: number; readonly document?: DocumentPointer } & {
  readonly [list: string]: unknown;
};

/** What a handler of a contract returns. */
export type ResultOf<C extends Contract> = z.input<C["result"]>;

/** Every input may say whose credentials it uses. */
export const withCredentials = { credentials: CredentialsRefSchema.optional() };

/** What every result says that has nothing else to say. */
export const success = z.literal(true).meta({ description: "The effect was seen, not only asked for" });

/** Who pays. */
export const RequesterPays = z.boolean().meta({
  description: "The requester pays, in buckets whose owners want that. Default: as the profile says",
});

/** And those that work with objects, who pays for it: `true` in buckets whose owners want that of the requester. Default: the profile's. */
export const withRequester = { ...withCredentials, requesterPays: RequesterPays.optional() };

/** And those that read or write their content, which key of the customer's encrypts it, if one does. */
export const withCustomerKey = {
  ...withRequester,
  customerKey: CustomerKeyRef.optional().meta({ description: "The customer's key that encrypts the object (SSE-C)" }),
};

/** One object is encrypted in one way. */
export function refuseTwoEncryptions(
  { encryption, customerKey }: { readonly encryption?: unknown; readonly customerKey?: unknown },
  context: z.core.$RefinementCtx,
  path: readonly string[] = [],
): void {
  if (encryption === undefined || customerKey === undefined) return;
  const message = "expected either encryption or a customer's key, which S3 takes one of";
  context.addIssue({ code: "custom", path: [...path, "customerKey"], message });
}

/** What is said of an object goes in the headers of one request. */
export function refuseLargeHeaders(
  said: Omit<ObjectAttributes, "acl" | "objectLock">,
  context: z.core.$RefinementCtx,
): void {
  const problem = headerSizeProblem(said);
  if (problem !== undefined) context.addIssue({ code: "custom", path: [problem.field], message: problem.message });
}

/** Declares an activity. */
export function defineContract<const Name extends string, Input extends z.ZodType, Result extends z.ZodType>(
  contract: Contract<Name, Input, Result>,
): Contract<Name, Input, Result> {
  return contract;
}

/** Declares an activity whose result is a secret: what is on the job is the pointer to the document that holds it. */
export function defineSecretContract<const Name extends string, Input extends z.ZodType, Secret extends z.ZodType>(
  contract: Omit<Contract<Name, Input>, "result" | "list"> & { readonly secret: Secret },
): SecretContract<Name, Input, Secret> {
  return {
    ...contract,
    result: z.strictObject({ document: DocumentPointer.meta({ description: "Holds the secret, as JSON" }) }),
  };
}

/** Declares an activity that returns a list of entities. */
export function defineListContract<
  const Name extends string,
  Input extends z.ZodType,
  const ListName extends string,
  Entity extends z.ZodType,
>(contract: {
  readonly name: Name;
  readonly summary: string;
  readonly input: Input;
  readonly access: (input: z.output<Input>) => readonly Access[];
  readonly list: { readonly name: ListName; readonly entity: Entity };
}): ListContract<Name, Input, ListName, Entity> {
  const count = z
    .int()
    .nonnegative()
    .meta({ description: `How many ${contract.list.name} there are` });
  const inline = z.strictObject({
    count,
    [contract.list.name]: z.array(contract.list.entity).meta({ description: "All of them, up to 16 KiB as JSON" }),
  });
  const spilled = z.strictObject({
    count,
    document: DocumentPointer.meta({ description: "A longer list as NDJSON, a line an entity" }),
  });
  // The computed key widens the object's type; the union holds exactly the two forms of ListResult.
  return { ...contract, result: z.union([inline, spilled]) as unknown as z.ZodType<ListResult> };
}
