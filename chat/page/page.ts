import { type Joined, type Member, roomKey, type ServerMessage, type Welcome } from '../protocol.ts';
import { ChatClient, type ConnectionState } from './client.ts';
import * as identity from './identity.ts';
import { element, MessageList, nameClass } from './message-list.ts';
import { eventsTransport, type SocketLike, webSocketTransport } from './transport.ts';

type Room = {
  readonly name: string;
  readonly list: MessageList;
  readonly people: Map<string, Member>;
  memberCount: number;
  unread: number;
  readonly typing: Map<string, { readonly name: string; readonly until: number }>;
  draft: string;
};

const FIRST_ROOM = 'lobby';
const TYPING_MS = 6000;
const PEOPLE_SHOWN = 200;
/** Nearer to the end than this, the reader is taken to follow along. */
const FOLLOWS_PX = 80;

function get<Name extends keyof HTMLElementTagNameMap>(id: string, _name: Name): HTMLElementTagNameMap[Name] {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`the page has no #${id}`);
  return found as HTMLElementTagNameMap[Name];
}

const view = {
  entrance: get('entrance', 'main'),
  enter: get('enter', 'form'),
  name: get('name', 'input'),
  firstRoom: get('first-room', 'input'),
  enterError: get('enter-error', 'p'),
  chat: get('chat', 'div'),
  panel: get('panel', 'aside'),
  panelButton: get('panel-button', 'button'),
  unreadElsewhere: get('unread-elsewhere', 'span'),
  roomTitle: get('room-title', 'h1'),
  roomName: get('room-name', 'bdi'),
  roomCount: get('room-count', 'p'),
  dot: get('dot', 'span'),
  connectionText: get('connection-text', 'span'),
  rooms: get('rooms', 'ul'),
  addRoom: get('add-room', 'form'),
  newRoom: get('new-room', 'input'),
  roomError: get('room-error', 'p'),
  people: get('people', 'ul'),
  banner: get('banner', 'div'),
  bannerText: get('banner-text', 'span'),
  retry: get('retry', 'button'),
  scroller: get('scroller', 'div'),
  newest: get('newest', 'button'),
  typing: get('typing', 'p'),
  composer: get('composer', 'form'),
  text: get('text', 'textarea'),
  composerError: get('composer-error', 'p'),
  transport: get('fact-transport', 'dd'),
  address: get('fact-address', 'dd'),
  latency: get('fact-latency', 'dd'),
  instance: get('fact-instance', 'dd'),
  rename: get('rename', 'button'),
};

const rooms = new Map<string, Room>();
let current: Room | null = null;
let myName = identity.name();
let connection: ConnectionState = { phase: 'connecting', transport: null, retryAt: null, why: '' };
let isStorageAway = false;
let messageBytes = 4096;
let latencyMs: number | null = null;
let typingSentAt = 0;
let isFollowing = true;

const key = identity.key();
const client = new ChatClient({
  key,
  newId: identity.newId,
  transports: [
    webSocketTransport(() => {
      const url = new URL('/ws/', location.href);
      url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
      return new WebSocket(url) as SocketLike;
    }),
    eventsTransport({ base: location.origin, key, nameIn: () => myName, fetch: (url, init) => fetch(url, init) }),
  ],
  events: {
    state(state) {
      connection = state;
      showConnection();
    },
    welcome: showWelcome,
    messages(name, messages, isPast) {
      const room = rooms.get(name);
      if (room === undefined) return;
      // A screen reader is told what is said now, not the history.
      view.scroller.setAttribute('aria-live', isPast ? 'off' : 'polite');
      room.list.add(messages);
      for (const { person } of messages) room.typing.delete(person);
      identity.keepUnsettled(client.unsettled);
      if (room === current && isFollowing) scrollToEnd();
      else if (room === current) view.newest.hidden = isPast;
      if (!isPast && (room !== current || document.hidden)) room.unread += messages.length;
      showRooms();
      showTyping();
    },
    lost: (name) => rooms.get(name)?.list.addGap(),
    settled(name, id, outcome) {
      identity.keepUnsettled(client.unsettled);
      const room = rooms.get(name);
      const text = textsById.get(id) ?? '';
      textsById.delete(id);
      if (room === undefined || 'offset' in outcome) return;
      room.list.fail(id, outcome.refusal.message, () => {
        view.text.value = text;
        view.text.focus();
      });
    },
    other: received,
    latency(ms) {
      latencyMs = ms;
      showConnection();
    },
  },
});
/** What was written, for as long as it may come back to be edited. */
const textsById = new Map<string, string>();

// ------------------------------------------------------------------------------------------------ what the service says

function received(message: ServerMessage): void {
  switch (message.type) {
    case 'joined':
      joined(message);
      break;
    case 'presence': {
      const room = rooms.get(message.room);
      if (room === undefined) return;
      for (const member of message.joined) room.people.set(member.person, member);
      for (const person of message.left) room.people.delete(person);
      room.memberCount = message.memberCount;
      if (room === current) showPeople();
      break;
    }
    case 'typing': {
      const room = rooms.get(message.room);
      if (room === undefined) return;
      if (message.typing) room.typing.set(message.person, { name: message.name, until: Date.now() + TYPING_MS });
      else room.typing.delete(message.person);
      showTyping();
      break;
    }
    case 'status':
      isStorageAway = message.storage === 'away';
      showConnection();
      break;
    case 'error':
      if (message.room !== undefined && rooms.has(message.room) && /room|name/.test(message.code)) {
        view.roomError.textContent = message.message;
      } else if (!/storage-away|rate-limited/.test(message.code)) {
        view.composerError.textContent = message.message;
      }
      break;
  }
}

function joined({ room: name, person, members, memberCount }: Joined): void {
  const room = rooms.get(name);
  if (room === undefined) return;
  room.list.me = person;
  room.people.clear();
  for (const member of members) room.people.set(member.person, member);
  room.memberCount = memberCount;
  if (room === current) showPeople();
}

function showWelcome({ address, trusted, instance, storage, limits }: Welcome): void {
  isStorageAway = storage === 'away';
  messageBytes = limits.messageBytes;
  view.address.textContent =
    address === null ? 'not told' : trusted ? address : `${address} (not verified: may be the load balancer's)`;
  view.instance.textContent = instance;
  showConnection();
}

// ------------------------------------------------------------------------------------------------------ what is shown

function showConnection(): void {
  const { phase, transport, retryAt } = connection;
  view.dot.className = `dot ${phase}`;
  const latency = latencyMs === null ? '' : `${Math.max(1, Math.round(latencyMs))} ms`;
  const way =
    transport === 'websocket'
      ? location.protocol === 'https:'
        ? 'wss'
        : 'ws'
      : transport === 'events'
        ? 'fallback'
        : '';
  view.connectionText.textContent =
    phase === 'open' ? ['Connected', way].join(' · ') : phase === 'connecting' ? 'Connecting…' : 'Disconnected';
  view.transport.textContent =
    transport === 'events'
      ? 'fallback (server-sent events; the WebSocket was refused)'
      : way === ''
        ? '–'
        : `${way} (WebSocket)`;
  view.latency.textContent = phase === 'open' && latency !== '' ? latency : '–';

  const waits = retryAt === null ? 0 : Math.ceil((retryAt - Date.now()) / 1000);
  const banner =
    phase === 'waiting'
      ? `No connection. What you write is kept and sent later. ${waits > 1 ? `Next try in ${waits} s.` : 'Trying again…'}`
      : phase === 'open' && isStorageAway
        ? 'The chat cannot keep messages at the moment. What you write is kept here and sent when it can.'
        : '';
  view.banner.hidden = banner === '';
  if (view.bannerText.textContent !== banner) view.bannerText.textContent = banner;
  view.retry.hidden = phase !== 'waiting';
}

function showRooms(): void {
  const items = Array.from(rooms.values(), (room) => {
    const open = element('button', 'open', element('bdi', '', room.name));
    open.type = 'button';
    open.setAttribute('aria-current', String(room === current));
    if (room.unread > 0) {
      open.append(
        element('span', 'badge', String(Math.min(room.unread, 99)), element('span', 'visually-hidden', ' unread')),
      );
    }
    open.addEventListener('click', () => {
      show(room.name);
      closePanel();
    });
    const item = element('li', '', open);
    if (rooms.size > 1) {
      const leave = element('button', 'leave', '×');
      leave.type = 'button';
      leave.setAttribute('aria-label', `Leave ${room.name}`);
      leave.addEventListener('click', () => leaveRoom(room.name));
      item.append(leave);
    }
    return item;
  });
  const focused = view.rooms.contains(document.activeElement)
    ? [...view.rooms.querySelectorAll('button')].indexOf(document.activeElement as HTMLButtonElement)
    : -1;
  view.rooms.replaceChildren(...items);
  if (focused >= 0) view.rooms.querySelectorAll('button')[focused]?.focus();

  const unread = Array.from(rooms.values()).reduce((sum, room) => sum + room.unread, 0);
  const elsewhere = unread - (current?.unread ?? 0);
  view.unreadElsewhere.hidden = elsewhere === 0;
  view.unreadElsewhere.textContent = String(Math.min(elsewhere, 99));
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${current?.name ?? 'Chat'} – Chat`;
}

function showPeople(): void {
  if (current === null) return;
  const { people, memberCount, list } = current;
  const sorted = [...people.values()].sort((a, b) => a.name.localeCompare(b.name));
  const items = sorted.slice(0, PEOPLE_SHOWN).map(({ person, name, tabs }) => {
    const label = element('bdi', nameClass(person), name);
    label.title = name;
    const notes = [person === list.me ? 'you' : '', tabs > 1 ? `${tabs} tabs` : ''].filter(Boolean).join(', ');
    return element('li', '', label, ...(notes === '' ? [] : [element('span', 'quiet', notes)]));
  });
  const rest = memberCount - items.length;
  if (rest > 0) items.push(element('li', 'quiet', `and ${rest} more`));
  view.people.replaceChildren(...items);
  view.roomCount.textContent = memberCount === 1 ? '1 person' : `${memberCount} people`;
}

function showTyping(): void {
  const now = Date.now();
  const names: string[] = [];
  for (const [person, { name, until }] of current?.typing ?? []) {
    if (until < now) current?.typing.delete(person);
    else names.push(name);
  }
  const isolated = names.slice(0, 2).map((name) => `\u2068${name}\u2069`);
  view.typing.textContent =
    names.length === 0
      ? ''
      : names.length > 2
        ? 'Several people are typing…'
        : `${isolated.join(' and ')} ${names.length === 1 ? 'is' : 'are'} typing…`;
}

const isAtEnd = (): boolean =>
  view.scroller.scrollHeight - view.scroller.scrollTop - view.scroller.clientHeight < FOLLOWS_PX;

function scrollToEnd(): void {
  view.scroller.scrollTop = view.scroller.scrollHeight;
  isFollowing = true;
  view.newest.hidden = true;
}

// ------------------------------------------------------------------------------------------------------ what is done

function enterRoom(name: string): Room {
  let room = rooms.get(name);
  if (room === undefined) {
    room = {
      name,
      list: new MessageList(),
      people: new Map(),
      memberCount: 0,
      unread: 0,
      typing: new Map(),
      draft: '',
    };
    rooms.set(name, room);
    identity.keepRooms([...rooms.keys()]);
    client.join(name, myName);
  }
  return room;
}

function show(name: string): void {
  const room = enterRoom(name);
  if (current !== null) current.draft = view.text.value;
  current = room;
  room.unread = 0;
  view.text.value = room.draft;
  view.roomName.textContent = name;
  view.scroller.setAttribute('aria-live', 'off');
  view.scroller.replaceChildren(room.list.root);
  scrollToEnd();
  if (decodeURIComponent(location.hash.slice(1)) !== name)
    history.replaceState(null, '', `#${encodeURIComponent(name)}`);
  showRooms();
  showPeople();
  showTyping();
}

function leaveRoom(name: string): void {
  rooms.delete(name);
  client.leave(name);
  identity.keepRooms([...rooms.keys()]);
  const [next] = rooms.keys();
  if (current?.name === name && next !== undefined) show(next);
  showRooms();
  view.newRoom.focus();
}

function send(): void {
  const text = view.text.value;
  if (current === null || text.trim() === '') return;
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > messageBytes) {
    view.composerError.textContent = `This message has ${bytes} bytes; at most ${messageBytes} can be sent.`;
    return;
  }
  view.composerError.textContent = '';
  view.text.value = '';
  const id = identity.newId();
  textsById.set(id, text);
  current.list.addPending(id, text);
  client.send(current.name, text, id);
  identity.keepUnsettled(client.unsettled);
  setTyping(false);
  scrollToEnd();
}

function setTyping(isTyping: boolean): void {
  const now = Date.now();
  if (current === null || (isTyping ? now - typingSentAt < TYPING_MS / 2 : typingSentAt === 0)) return;
  typingSentAt = isTyping ? now : 0;
  client.typing(current.name, isTyping);
}

function closePanel(): void {
  view.panel.classList.remove('open');
  view.panelButton.setAttribute('aria-expanded', 'false');
}

/** The service says what it refuses; this says at once what it would refuse for sure. */
function roomProblem(name: string): string {
  if (name === '') return 'Please give the room a name.';
  return /^[\p{L}\p{M}\p{N} _.-]+$/u.test(name) ? '' : 'Letters, digits, spaces and _ . - only.';
}

function begin(): void {
  view.entrance.hidden = true;
  view.chat.hidden = false;
  for (const name of identity.rooms()) enterRoom(name);
  show(roomKey(view.firstRoom.value));
  for (const { id, room, text } of identity.unsettled()) {
    textsById.set(id, text);
    rooms.get(room)?.list.addPending(id, text);
    client.send(room, text, id);
  }
  client.start();
  view.text.focus();
}

view.enter.addEventListener('submit', (event) => {
  event.preventDefault();
  const name = view.name.value.trim();
  const problem = name === '' ? 'Please give your name.' : roomProblem(roomKey(view.firstRoom.value));
  view.enterError.textContent = problem;
  if (problem !== '') {
    (name === '' ? view.name : view.firstRoom).focus();
    return;
  }
  myName = name;
  identity.keepName(name);
  if (rooms.size > 0) {
    view.entrance.hidden = true;
    view.chat.hidden = false;
    for (const room of rooms.keys()) client.join(room, myName);
    show(roomKey(view.firstRoom.value));
    view.text.focus();
  } else {
    begin();
  }
});

view.rename.addEventListener('click', () => {
  view.chat.hidden = true;
  view.entrance.hidden = false;
  view.firstRoom.value = current?.name ?? FIRST_ROOM;
  view.name.focus();
  view.name.select();
});

view.addRoom.addEventListener('submit', (event) => {
  event.preventDefault();
  const name = roomKey(view.newRoom.value);
  const problem = roomProblem(name);
  view.roomError.textContent = problem;
  if (problem !== '') return;
  view.newRoom.value = '';
  show(name);
  closePanel();
  view.text.focus();
});

view.composer.addEventListener('submit', (event) => {
  event.preventDefault();
  send();
  view.text.focus();
});
view.text.addEventListener('keydown', (event) => {
  // While an input method composes, Enter chooses a word.
  if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  send();
});
view.text.addEventListener('input', () => {
  view.composerError.textContent = '';
  setTyping(view.text.value !== '');
});

view.panelButton.addEventListener('click', () => {
  const isOpen = view.panel.classList.toggle('open');
  view.panelButton.setAttribute('aria-expanded', String(isOpen));
  if (isOpen) view.panel.querySelector('button')?.focus();
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !view.panel.classList.contains('open')) return;
  closePanel();
  view.panelButton.focus();
});

view.scroller.addEventListener('scroll', () => {
  isFollowing = isAtEnd();
  if (isFollowing) view.newest.hidden = true;
});
view.newest.addEventListener('click', () => {
  scrollToEnd();
  view.text.focus();
});
view.retry.addEventListener('click', () => client.reconnect());
window.addEventListener('online', () => client.reconnect());
window.addEventListener('offline', () => client.reconnect());
window.addEventListener('hashchange', () => {
  const name = roomKey(decodeURIComponent(location.hash.slice(1)));
  if (!view.chat.hidden && roomProblem(name) === '' && name !== current?.name) show(name);
});
document.addEventListener('visibilitychange', () => {
  if (document.hidden || current === null) return;
  current.unread = 0;
  showRooms();
});
// On a phone the keyboard takes half of the window away: who was at the end stays there.
new ResizeObserver(() => {
  if (isFollowing) scrollToEnd();
}).observe(view.scroller);
setInterval(() => {
  showTyping();
  if (connection.phase === 'waiting') showConnection();
}, 1000);

view.name.value = myName;
view.firstRoom.value = roomKey(decodeURIComponent(location.hash.slice(1))) || identity.rooms()[0] || FIRST_ROOM;
if (myName !== '' && roomProblem(roomKey(view.firstRoom.value)) === '') begin();
else {
  view.entrance.hidden = false;
  (myName === '' ? view.name : view.firstRoom).focus();
}
