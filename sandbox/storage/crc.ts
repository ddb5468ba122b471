import zlib from "node:zlib";

/** A running checksum: feed it bytes, ask for the digest. */
export type Crc = { update(bytes: Uint8Array): void; digest(): Buffer };

// CRC-32C (Castagnoli), reflected.
const CRC32C = makeTable32(0x82f63b78);
// CRC-64/NVME, reflected polynomial 0x9a6c9329ac4bc9b5, as high and low halves: BigInt would be fifty times slower.
const CRC64 = makeTable64(0x9a6c9329, 0xac4bc9b5);

/** CRC-32 (zlib's own). */
export function createCrc32(): Crc {
  let value = 0;
  return {
    update: (bytes) => {
      value = zlib.crc32(bytes, value);
    },
    digest: () => bigEndian(value),
  };
}

/** CRC-32C. */
export function createCrc32c(): Crc {
  let value = 0xffffffff;
  return {
    update: (bytes) => {
      let crc = value;
      for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC32C[(crc ^ bytes[i]!) & 0xff]!;
      value = crc;
    },
    digest: () => bigEndian(~value),
  };
}

/** CRC-64/NVME, S3's default since 2024: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html */
export function createCrc64Nvme(): Crc {
  let high = 0xffffffff;
  let low = 0xffffffff;
  return {
    update: (bytes) => {
      for (let i = 0; i < bytes.length; i++) {
        const index = ((low ^ bytes[i]!) & 0xff) << 1;
        low = ((low >>> 8) | (high << 24)) ^ CRC64[index + 1]!;
        high = (high >>> 8) ^ CRC64[index]!;
      }
    },
    digest: () => Buffer.concat([bigEndian(~high), bigEndian(~low)]),
  };
}

function bigEndian(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function makeTable32(polynomial: number): Uint32Array {
  const table = new Uint32Array(256);
  for (let n = 0; n < 256; n++) {
    let crc = n;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    table[n] = crc;
  }
  return table;
}

function makeTable64(polynomialHigh: number, polynomialLow: number): Int32Array {
  const table = new Int32Array(512);
  for (let n = 0; n < 256; n++) {
    let high = 0;
    let low = n;
    for (let bit = 0; bit < 8; bit++) {
      const odd = low & 1;
      low = (low >>> 1) | (high << 31);
      high >>>= 1;
      if (odd) {
        high ^= polynomialHigh;
        low ^= polynomialLow;
      }
    }
    table[n * 2] = high;
    table[n * 2 + 1] = low;
  }
  return table;
}
