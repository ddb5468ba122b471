import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import {
  fromHttp,
  fromIni,
  fromInstanceMetadata,
  fromNodeProviderChain,
  fromProcess,
  fromSSO,
  fromTemporaryCredentials,
  fromTokenFile,
} from "@aws-sdk/credential-providers";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { AwsCredentialIdentityProvider, Logger as SdkLogger } from "@smithy/types";
import { fromProviderError } from "./unavailable.ts";
import { processProvider } from "./process-provider.ts";
import type { AssumeRoleConfig, ProviderConfig } from "./provider-config.ts";
import { agentProxy, proxyOf } from "./proxy.ts";
import { refreshing } from "./refreshing.ts";
import { staticProvider } from "./static-provider.ts";

/** Values in files and variables cost little to read, and whoever replaced them waits for it to count. */
const RECHECK_STATIC_MS = 5_000;
/** What a store gave without an end; somebody may still have replaced it. */
const RECHECK_MS = 5 * 60_000;
/** The metadata service of an instance drops a request now and then. */
const METADATA = { maxRetries: 2, timeout: 1_000 };

export type ProviderContext = {
  /** For messages and session names. */
  readonly profile: string;
  readonly region: string;
  readonly stsEndpoint?: string | undefined;
  readonly env: NodeJS.ProcessEnv;
  /** The provider of another profile, whose identity assumes a role. */
  readonly providerOf: (profile: string) => AwsCredentialIdentityProvider;
  readonly onRenewalFailed?: ((error: unknown) => void) | undefined;
};

/** Makes the provider that a profile describes. It renews in time, and fails with `CredentialsUnavailable` only. */
export function createProvider(config: ProviderConfig, context: ProviderContext): AwsCredentialIdentityProvider {
  const asked = { profile: context.profile, provider: config.type };
  const ask = askOf(config, context);
  const guarded = async () => {
    try {
      return await ask();
    } catch (error) {
      throw fromProviderError(asked, error);
    }
  };
  const recheckMs = config.type === "static" || config.type === "session" ? RECHECK_STATIC_MS : RECHECK_MS;
  return refreshing(guarded, { recheckMs, onRenewalFailed: context.onRenewalFailed });
}

/** The SDK keeps parsed files and chains for ever, so each call makes its provider anew, where that is not AssumeRole. */
// oxlint-disable-next-line typescript/consistent-return -- the switch is exhaustive, which the compiler checks
function askOf(config: ProviderConfig, context: ProviderContext): AwsCredentialIdentityProvider {
  const { env, profile } = context;
  const asked = { profile, provider: config.type };
  switch (config.type) {
    case "chain":
      return chain(context);
    case "static":
    case "session":
      return staticProvider(config, env, asked);
    case "assume-role":
      return assumeRole(config, context);
    case "web-identity":
      return fromTokenFile({
        ...roleParams(config, profile),
        webIdentityTokenFile: config.tokenFile,
        clientConfig: sts(config, context),
      });
    case "sso":
      return () => fromSSO({ profile: config.profile, ...shared(env) })();
    case "ini":
      return () => fromIni({ profile: config.profile, ...shared(env) })();
    case "process":
      return config.command === undefined
        ? () => fromProcess({ ...(config.profile !== undefined && { profile: config.profile }), ...shared(env) })()
        : processProvider(config.command, env, asked);
    case "container":
      return () => fromHttp({ ...METADATA, ...containerPlace(env), logger: silent })();
    case "instance":
      return () => fromInstanceMetadata({ ...METADATA, logger: silent })();
  }
}

/** AWS's default chain. Keys in the worker's own environment come first there too. */
function chain({ env }: ProviderContext): AwsCredentialIdentityProvider {
  const { AWS_PROFILE, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = env;
  // An empty variable counts as none, as in the SDK.
  if (!AWS_PROFILE && AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    const identity = {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN && { sessionToken: AWS_SESSION_TOKEN }),
    };
    return () => Promise.resolve(identity);
  }
  return () => fromNodeProviderChain({ ...METADATA, ...shared(env), ...(AWS_PROFILE && { profile: AWS_PROFILE }) })();
}

function assumeRole(config: AssumeRoleConfig, context: ProviderContext): AwsCredentialIdentityProvider {
  const { source } = config;
  const sourceProvider =
    typeof source === "string" ? context.providerOf(source) : createProvider(source ?? { type: "chain" }, context);
  const { roleArn, roleSessionName, durationSeconds, policy, policyArns } = roleParams(config, context.profile);
  return fromTemporaryCredentials({
    params: {
      RoleArn: roleArn,
      RoleSessionName: roleSessionName,
      ...(durationSeconds !== undefined && { DurationSeconds: durationSeconds }),
      ...(policy !== undefined && { Policy: policy }),
      ...(policyArns !== undefined && { PolicyArns: policyArns }),
      ...(config.externalId !== undefined && { ExternalId: config.externalId }),
    },
    masterCredentials: sourceProvider,
    clientConfig: sts(config, context),
    logger: silent,
  });
}

type RoleConfig = Pick<
  AssumeRoleConfig,
  "roleArn" | "sessionName" | "durationSeconds" | "sessionPolicy" | "sessionPolicyArns" | "stsEndpoint" | "region"
>;

function roleParams(config: RoleConfig, profile: string) {
  const { durationSeconds, sessionPolicy, sessionPolicyArns } = config;
  return {
    roleArn: config.roleArn,
    roleSessionName: config.sessionName ?? `bucketline-${profile}`.slice(0, 64),
    ...(durationSeconds !== undefined && { durationSeconds }),
    ...(sessionPolicy !== undefined && { policy: JSON.stringify(sessionPolicy) }),
    ...(sessionPolicyArns !== undefined && { policyArns: sessionPolicyArns.map((arn) => ({ arn })) }),
  };
}

function sts(config: RoleConfig, context: ProviderContext) {
  const endpoint = config.stsEndpoint ?? context.stsEndpoint;
  return {
    region: config.region ?? context.region,
    ...(endpoint !== undefined && { endpoint }),
    // What the environment says has been looked at already; a profile may have overruled it.
    ignoreConfiguredEndpointUrls: true,
    requestHandler: requestHandler(context.env),
  };
}

/** AWS's shared files, read anew. No region here: SSO has its own, and roles of shared profiles name theirs. */
function shared(env: NodeJS.ProcessEnv) {
  const { AWS_SHARED_CREDENTIALS_FILE, AWS_CONFIG_FILE } = env;
  return {
    ...(AWS_SHARED_CREDENTIALS_FILE && { filepath: AWS_SHARED_CREDENTIALS_FILE }),
    ...(AWS_CONFIG_FILE && { configFilepath: AWS_CONFIG_FILE }),
    ignoreCache: true,
    logger: silent,
    clientConfig: { requestHandler: requestHandler(env) },
  };
}

/** What ECS and EKS Pod Identity set. https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html */
function containerPlace(env: NodeJS.ProcessEnv) {
  const relative = env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"];
  const full = env["AWS_CONTAINER_CREDENTIALS_FULL_URI"];
  const token = env["AWS_CONTAINER_AUTHORIZATION_TOKEN"];
  const tokenFile = env["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"];
  return {
    ...(relative && { awsContainerCredentialsRelativeUri: relative }),
    ...(full && { awsContainerCredentialsFullUri: full }),
    ...(token && { awsContainerAuthorizationToken: token }),
    ...(tokenFile && { awsContainerAuthorizationTokenFile: tokenFile }),
  };
}

/** Gives up in time, and keeps no socket: identity services are asked about once an hour. */
function requestHandler(env: NodeJS.ProcessEnv): NodeHttpHandler {
  const agent = { keepAlive: false, ...agentProxy(proxyOf(env)) };
  return new NodeHttpHandler({
    connectionTimeout: 5_000,
    requestTimeout: 10_000,
    throwOnRequestTimeout: true,
    socketTimeout: 10_000,
    httpAgent: new HttpAgent(agent),
    httpsAgent: new HttpsAgent(agent),
  });
}

/** Else providers warn on the console. What goes wrong comes as an error. */
const silent: SdkLogger = { debug() {}, info() {}, warn() {}, error() {} };
