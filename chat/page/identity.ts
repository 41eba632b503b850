import type { Send } from '../protocol.ts';

/**
 * What the browser keeps of a person: name and key for all tabs, and per tab the rooms and what was not yet acknowledged, so that
 * neither a reload nor a crash of the page loses a message.
 *
 * Storage may be refused (private windows, policies); then everything lives as long as the page.
 */
function read(storage: () => Storage, name: string): unknown {
  try {
    return JSON.parse(storage().getItem(name) ?? 'null');
  } catch {
    return null;
  }
}

function write(storage: () => Storage, name: string, value: unknown): void {
  try {
    storage().setItem(name, JSON.stringify(value));
  } catch {}
}

const shared = () => localStorage;
const ofTab = () => sessionStorage;

export function key(): string {
  const kept = read(shared, 'chat-key');
  if (typeof kept === 'string' && /^[A-Za-z0-9_-]{16,64}$/.test(kept)) return kept;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(24)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');
  write(shared, 'chat-key', made);
  return made;
}

export function name(): string {
  const kept = read(shared, 'chat-name');
  return typeof kept === 'string' ? kept : '';
}
export const keepName = (value: string): void => write(shared, 'chat-name', value);

export function rooms(): string[] {
  const kept = read(ofTab, 'chat-rooms');
  return Array.isArray(kept) ? kept.filter((each) => typeof each === 'string') : [];
}
export const keepRooms = (value: readonly string[]): void => write(ofTab, 'chat-rooms', value);

export function unsettled(): Send[] {
  const kept = read(ofTab, 'chat-unsettled');
  return Array.isArray(kept) ? (kept as Send[]) : [];
}
export const keepUnsettled = (value: readonly Send[]): void => write(ofTab, 'chat-unsettled', value);

/** `crypto.randomUUID` exists on https alone, and the page may be looked at over plain http. */
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
