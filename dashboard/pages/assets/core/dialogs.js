/** @import { ComponentChildren } from "preact" */
import { createStore } from "./store.js";

/** @typedef {{ id: number, message: string, tone: string }} Toast */
/**
 * What is asked before something is done. `word` is what has to be typed; `reason` asks why.
 * @typedef {{ title: string, text: ComponentChildren, action?: string, tone?: string, word?: string, reason?: boolean }} Question
 */
/** @typedef {Question & { answer: (given: { yes: boolean, reason: string }) => void }} OpenQuestion */

export const toasts = createStore(/** @type {readonly Toast[]} */ ([]));
export const question = createStore(/** @type {OpenQuestion | undefined} */ (undefined));

const SHOWN_MS = 5000;
const PROBLEM_SHOWN_MS = 9000;
let last = 0;

/**
 * Says what was done, for eyes and screen readers.
 * @param {string} message
 * @param {string} [tone]
 */
export function toast(message, tone = "plain") {
  const id = (last += 1);
  toasts.set([...toasts.get(), { id, message, tone }]);
  setTimeout(
    () => toasts.set(toasts.get().filter((one) => one.id !== id)),
    tone === "danger" ? PROBLEM_SHOWN_MS : SHOWN_MS,
  );
}

/**
 * Asks before something is done that cannot be taken back.
 * @param {Question} asked
 * @returns {Promise<{ yes: boolean, reason: string }>}
 */
export function ask(asked) {
  return new Promise((answer) => {
    question.set({
      ...asked,
      answer: (given) => {
        question.set(undefined);
        answer(given);
      },
    });
  });
}

/** @param {unknown} error */
export const messageOf = (error) => (error instanceof Error ? error.message : String(error));
