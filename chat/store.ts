import type { ChatMessage, Member, Position, StorageState } from './protocol.ts';

/** A message that has no place yet. */
export type NewMessage = Omit<ChatMessage, 'offset'> & { readonly room: string };

/**
 * A stretch of a room's stream. `messages` are in order, without a gap among them; `offset` is the place after the last of them.
 * `complete`: nothing lies between what was asked for and the first of them. `more`: the stream goes on after `offset`.
 */
export type Page = Position & {
  readonly messages: readonly ChatMessage[];
  readonly complete: boolean;
  readonly more: boolean;
};

/** What a store tells the service that uses it. */
export type StoreEvents = {
  /** A message of a watched room: in order, none missing, none twice. */
  message(room: string, epoch: string, message: ChatMessage): void;
  /** A watched room's stream goes on from here instead, and what lay between is lost. */
  reset(room: string, position: Position): void;
  /** How many tabs a person has in a watched room on another instance; 0: none any more. */
  presence(room: string, instance: string, member: Member): void;
  /** Another instance has gone without a word: nobody is on it any more. */
  instanceGone(instance: string): void;
  /** Another instance's typing notice. */
  typing(room: string, notice: TypingSignal): void;
  state(state: StorageState): void;
};

export type TypingSignal = { readonly person: string; readonly name: string; readonly typing: boolean };

/** The store does not answer, or not in time: whether the message was kept is not known, and sending it again settles it. */
export class StorageAwayError extends Error {
  override readonly name = 'StorageAwayError';
  readonly code = 'ERR_CHAT_STORAGE_AWAY';
}

/** Where rooms live. Every method that returns a promise may reject with StorageAwayError. */
export interface Store {
  readonly state: StorageState;
  /** Why `state` is `away`, for people who operate it; empty while it is `ok`. */
  readonly reason: string;
  start(events: StoreEvents): Promise<void>;

  /** Number a message and keep it. The same person's same id gets the same place, and is kept and told once. */
  append(message: NewMessage): Promise<Position>;

  /** @param since  null: the newest `limit` messages; else the first `limit` after it, or the newest where those are lost */
  read(room: string, since: Position | null, limit: number): Promise<Page>;

  /** From when this resolves, every message after the position that it resolves with is told to `StoreEvents.message`. */
  watch(room: string): Promise<Position>;
  unwatch(room: string): void;

  /** Tell the other instances how many tabs a person has in a room on this one; 0: none any more. */
  announce(room: string, member: Member): void;
  /** Who is in a room on the other instances. */
  present(room: string): Promise<readonly { readonly instance: string; readonly member: Member }[]>;
  typing(room: string, signal: TypingSignal): void;

  /** Forget what is too old; to be called now and then. */
  sweep(): void;
  /** Write what waits and let go. Nothing may be appended afterwards. */
  close(): Promise<void>;
}
