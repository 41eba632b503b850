import type { ChatMessage } from '../protocol.ts';

/** Messages of one room in the document at most; the oldest go first. */
const MOST_SHOWN = 2000;
/** What one person says within this time stands under one name. Unit: ms. */
const GROUP_MS = 5 * 60_000;

/** The text is set as text and never parsed: `textContent` alone, all through this file. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  ...children: (Node | string)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  made.className = className;
  made.append(...children);
  return made;
}

/** One of eight colours, the same for a person everywhere. */
export function nameClass(person: string): string {
  let sum = 0;
  for (const character of person) sum = (sum * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
  return `name-${sum % 8}`;
}

const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'short' });
const fullFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'full' });

/** The messages of one room as the page shows them, and below them one's own that have no place yet. */
export class MessageList {
  readonly root = element('div', 'conversation');
  readonly #list = element('ol', 'messages');
  readonly #pending = element('ol', 'pending');
  readonly #empty = element('p', 'empty', 'Nobody has said anything here yet.');
  readonly #pendingById = new Map<string, HTMLLIElement>();
  #last: ChatMessage | null = null;
  me = '';

  constructor() {
    this.root.append(this.#empty, this.#list, this.#pending);
  }

  add(messages: readonly ChatMessage[]): void {
    const fragment = document.createDocumentFragment();
    for (const message of messages) {
      if (this.#last === null || !isSameDay(this.#last.at, message.at)) {
        fragment.append(element('li', 'divider', dayFormat.format(message.at)));
        this.#last = null;
      }
      fragment.append(this.#itemOf(message));
      this.#last = message;
    }
    this.#list.append(fragment);
    while (this.#list.childElementCount > MOST_SHOWN) this.#list.firstElementChild?.remove();
    this.#empty.hidden = this.#list.childElementCount > 0;
  }

  addGap(): void {
    this.#list.append(element('li', 'divider gap', 'Some messages before this could not be recovered'));
    this.#last = null;
    this.#empty.hidden = true;
  }

  /** The newest messages follow a gap: what stands here is older, and stays. */
  addPending(id: string, text: string): void {
    const note = element('p', 'note', 'Sending…');
    const item = element('li', 'message mine', textOf(text), note);
    this.#pendingById.set(id, item);
    this.#pending.append(item);
    this.#empty.hidden = true;
  }

  settle(id: string): void {
    this.#pendingById.get(id)?.remove();
    this.#pendingById.delete(id);
  }

  fail(id: string, sentence: string, retry: () => void): void {
    const item = this.#pendingById.get(id);
    if (item === undefined) return;
    item.classList.add('failed');
    const again = element('button', '', 'Edit');
    again.type = 'button';
    again.addEventListener('click', () => {
      this.settle(id);
      retry();
    });
    item.querySelector('.note')?.replaceChildren(element('span', '', `Not sent: ${sentence}`), again);
  }

  #itemOf({ person, name, text, at, id }: ChatMessage): HTMLLIElement {
    this.settle(id);
    const follows = this.#last?.person === person && this.#last.name === name && at - this.#last.at < GROUP_MS;
    const time = element('time', '', timeFormat.format(at));
    time.dateTime = new Date(at).toISOString();
    time.title = fullFormat.format(at);
    const author = element('bdi', nameClass(person), name);
    author.title = name;
    const className = ['message', follows ? 'follows' : '', person === this.me ? 'mine' : ''].filter(Boolean).join(' ');
    return element('li', className, element('p', 'meta', author, ' ', time), textOf(text));
  }
}

function textOf(text: string): HTMLElement {
  const paragraph = element('p', 'text', text);
  paragraph.dir = 'auto';
  return paragraph;
}

const isSameDay = (a: number, b: number): boolean => new Date(a).toDateString() === new Date(b).toDateString();
