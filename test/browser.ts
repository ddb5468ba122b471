import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

/** The first that is there: without a window the same engine needs half the time. The same list as in scripts/ensure-test-tools.js. */
const CHROMIUM = [
  "/usr/bin/chromium-headless-shell",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];

/** Where Chromium is; `undefined` where there is none. */
export function findChromium(): string | undefined {
  return CHROMIUM.find((path) => existsSync(path));
}

export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error(`no Chromium at ${CHROMIUM.join(", ")}: apt-get install chromium`);
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-background-networking"] });
}

/** A page that notes whatever a user would not see: errors of scripts, refusals of the content security policy, requests to other hosts. */
export type WatchedPage = { readonly page: Page; readonly context: BrowserContext; readonly problems: string[] };

export async function openPage(
  browser: Browser,
  base: string,
  options: {
    readonly colorScheme?: "light" | "dark";
    readonly width?: number;
    readonly height?: number;
    readonly density?: number;
    readonly timezone?: string;
    /** A certificate that nobody vouches for will do. */
    readonly ownCertificate?: boolean;
  } = {},
): Promise<WatchedPage> {
  const { colorScheme = "light", width = 1280, height = 860, density = 1, timezone, ownCertificate = false } = options;
  const context = await browser.newContext({
    baseURL: base,
    colorScheme,
    viewport: { width, height },
    deviceScaleFactor: density,
    ...(timezone !== undefined && { timezoneId: timezone }),
    acceptDownloads: true,
    ignoreHTTPSErrors: ownCertificate,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(`script: ${error.message}`));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    if (message.type() === "error" && /Content Security Policy|Uncaught/i.test(message.text()))
      problems.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(base) && !request.url().startsWith("data:"))
      problems.push(`foreign request: ${request.url()}`);
  });
  return { page, context, problems };
}
