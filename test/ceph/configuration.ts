/** The smallest cluster that serves S3: nothing is replicated, nothing authenticated inside, nothing kept. */
export function cephConfiguration({
  directory,
  fsid,
  gateway,
}: {
  readonly directory: string;
  readonly fsid: string;
  /** The port of S3. */
  readonly gateway: number;
}): string {
  return `[global]
fsid = ${fsid}
# Not "mon host": a daemon that knows the address alone speaks before it knows the cluster, and is sent away at times.
monmap = ${directory}/monmap
public addr = 127.0.0.1
ms bind msgr2 = false
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
# Each of the gateway's pools waits for a round of the monitor: with the default of 1 s the start takes 11 s, not 1.
paxos propose interval = 0.01
paxos min wait = 0.01
mon data = ${directory}/mon
osd data = ${directory}/osd-$id
osd objectstore = memstore
memstore device bytes = 8589934592
osd crush chooseleaf type = 0
keyring = ${directory}/keyring
log file = ${directory}/$name.log
run dir = ${directory}
crash dir = ${directory}
admin socket =

[client.rgw]
rgw data = ${directory}/rgw
rgw frontends = beast endpoint=127.0.0.1:${gateway}
# Customers' keys over plain HTTP, and a KMS of one key, named "of-tests", in this file.
rgw crypt require ssl = false
rgw crypt s3 kms backend = testing
rgw crypt s3 kms encryption keys = of-tests=YmluCmJvb3N0CmJvb3N0LWJ1aWxkCmNlcGguY29uZgo=
`;
}
