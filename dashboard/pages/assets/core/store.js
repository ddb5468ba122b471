import { useEffect, useState } from "preact/hooks";

/**
 * A value that components follow.
 * @template Value
 * @typedef {{ get(): Value, set(next: Value): void, subscribe(listener: (value: Value) => void): () => void }} Store
 */

/**
 * @template Value
 * @param {Value} value
 * @returns {Store<Value>}
 */
export function createStore(value) {
  /** @type {Set<(value: Value) => void>} */
  const listeners = new Set();
  return {
    get: () => value,
    set(next) {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of listeners) listener(value);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/**
 * @template Value
 * @param {Store<Value>} store
 */
export function useStore(store) {
  const [value, setValue] = useState(store.get);
  useEffect(() => {
    setValue(() => store.get());
    return store.subscribe((next) => setValue(() => next));
  }, [store]);
  return value;
}
