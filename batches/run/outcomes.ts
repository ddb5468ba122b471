import type { Verified } from "../../model/entities.ts";
import type { ChunkManifest } from "../state/chunk-manifest.ts";

/** Where an object of a chunk stands. */
export const OPEN = 0;
/** A move's copy is proven, its source not yet deleted. */
export const COPIED = 1;
export const SUCCEEDED = 2;
export const FAILED = 3;
export const SKIPPED = 4;
export const UNATTEMPTED = 5;

const VERIFIED = ["", "etag", "checksum", "size"] as const;

/** Why an object failed, was skipped or not attempted, or what there is to say beside a success. */
export type Remark = { readonly code: string; readonly message: string; readonly httpStatus?: number | undefined };

/** The pin of an object whose batch did not name one, from a HEAD. */
export type LatePin = {
  readonly etag: string;
  readonly size: number;
  readonly lastModified: string;
  readonly storageClass: string;
  readonly versionId?: string | undefined;
};

/** What is known of every object of a chunk, in columns. Changes since the last checkpoint are remembered. */
export type ChunkOutcomes = {
  readonly status: Uint8Array;
  /** The destination's ETag. */
  readonly etags: (string | undefined)[];
  readonly remarks: Map<number, Remark>;
  readonly pins: Map<number, LatePin>;
  /** Copies that an earlier delivery proved: looked at again before their source is deleted. */
  readonly inherited: Set<number>;
  /** The same, whether they were looked at since or not: an earlier delivery may have sent the delete of their source. */
  readonly handedOver: ReadonlySet<number>;
  verifiedAt(index: number): Verified | undefined;
  /** With what there is to say of the copy, which stays where its source goes too. */
  copied(index: number, proof: { readonly etag: string; readonly verified: Verified }, remark?: Remark): void;
  /** What was copied without need to delete, or whose source is gone. */
  succeeded(index: number, remark?: Remark): void;
  failed(index: number, remark: Remark): void;
  skipped(index: number, remark: Remark): void;
  unattempted(index: number, remark: Remark): void;
  /** Back to the beginning: the copy proved not to be there any more. */
  reopen(index: number): void;
  /** Changes since the last call, encoded; empty where there are none. */
  takeGroup(): string;
  /** Takes up what an earlier delivery wrote. */
  restore(groups: readonly string[]): void;
  count(status: number): number;
};

type Group = {
  /** Index, status, index of the way it was verified. */
  readonly i: number[];
  readonly s: number[];
  readonly v: number[];
  /** ETags at the destination; empty where it is the source's. */
  readonly e: string[];
  readonly r: [number, Remark][];
  readonly p: [number, LatePin][];
};

export function createOutcomes(manifest: ChunkManifest): ChunkOutcomes {
  const length = manifest.keys.length;
  const status = new Uint8Array(length);
  const verified = new Uint8Array(length);
  const etags = Array.from<string | undefined>({ length });
  const remarks = new Map<number, Remark>();
  const pins = new Map<number, LatePin>();
  const inherited = new Set<number>();
  const handedOver = new Set<number>();
  const columns: Columns = { status, verified, etags, remarks, pins };
  let changed: number[] = [];

  const set = (index: number, to: number, remark?: Remark): void => {
    status[index] = to;
    if (remark === undefined) remarks.delete(index);
    else remarks.set(index, remark);
    changed.push(index);
  };

  return {
    status,
    etags,
    remarks,
    pins,
    inherited,
    handedOver,
    verifiedAt: (index) => VERIFIED[verified[index] ?? 0] || undefined,
    copied(index, proof, remark) {
      etags[index] = proof.etag;
      verified[index] = VERIFIED.indexOf(proof.verified);
      set(index, COPIED, remark);
    },
    succeeded: (index, remark = status[index] === COPIED ? remarks.get(index) : undefined) =>
      set(index, SUCCEEDED, remark),
    failed: (index, remark) => set(index, FAILED, remark),
    skipped: (index, remark) => set(index, SKIPPED, remark),
    unattempted: (index, remark) => set(index, UNATTEMPTED, remark),
    reopen(index) {
      etags[index] = undefined;
      verified[index] = 0;
      inherited.delete(index);
      set(index, OPEN);
    },
    takeGroup() {
      if (changed.length === 0) return "";
      const group = groupOf(columns, new Set(changed), manifest);
      changed = [];
      return JSON.stringify(group);
    },
    restore(groups) {
      for (const json of groups) takeUp(columns, JSON.parse(json) as Group, manifest); // only takeGroup writes it
      for (const [index, one] of status.entries()) {
        if (one !== COPIED) continue;
        inherited.add(index);
        handedOver.add(index);
      }
    },
    count: (wanted) => countOf(status, wanted),
  };
}

function countOf(status: Uint8Array, wanted: number): number {
  let count = 0;
  for (const one of status) if (one === wanted) count++;
  return count;
}

type Columns = Pick<ChunkOutcomes, "status" | "etags" | "remarks" | "pins"> & { readonly verified: Uint8Array };

function groupOf(
  { status, verified, etags, remarks, pins }: Columns,
  changed: ReadonlySet<number>,
  manifest: ChunkManifest,
): Group {
  const group: Group = { i: [...changed], s: [], v: [], e: [], r: [], p: [] };
  for (const index of group.i) {
    group.s.push(status[index] ?? OPEN);
    group.v.push(verified[index] ?? 0);
    const etag = etags[index] ?? "";
    group.e.push(etag === manifest.etags[index] ? "" : etag);
    const remark = remarks.get(index);
    if (remark !== undefined) group.r.push([index, remark]);
    const pin = pins.get(index);
    if (pin !== undefined) group.p.push([index, pin]);
  }
  return group;
}

function takeUp({ status, verified, etags, remarks, pins }: Columns, group: Group, manifest: ChunkManifest): void {
  for (const [at, index] of group.i.entries()) {
    status[index] = group.s[at] ?? OPEN;
    verified[index] = group.v[at] ?? 0;
    etags[index] = verified[index] === 0 ? undefined : group.e[at] || manifest.etags[index];
    remarks.delete(index);
  }
  for (const [index, remark] of group.r) remarks.set(index, remark);
  for (const [index, pin] of group.p) pins.set(index, pin);
}
