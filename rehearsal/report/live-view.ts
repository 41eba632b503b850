/**
 * The run as one can watch it: the path of a connection with the state of each part, the traffic, the runbook, the stack.
 *
 * `render` is pure. In a terminal the picture is drawn over itself; elsewhere (a file, CI) a line is written when something
 * changes, and nothing is overwritten.
 */
import { createLogUpdate } from 'log-update';
import type { ReceiverMode } from '../traffic/client-address.ts';
import type { TrafficSnapshot } from '../traffic/counts.ts';
import { DISAGREEMENT_PHASE, type Timeline } from './result.ts';
import { beside, cell, clip, type Line, paint, type Span, type Style, sparkline, widthOf, wrap } from './terminal.ts';
import { clock, count, counted, failuresInWords } from './words.ts';

export interface LiveSnapshot {
  /** What is going on, in one line: `enable PROXY protocol for chat-fleet, by the runbook`. */
  readonly title: string;
  readonly elapsedMs: number;
  readonly phase: string;
  readonly nodes: readonly NodeState[];
  readonly instances: readonly InstanceState[];
  readonly traffic?: TrafficSnapshot;
  readonly history: History;
  /** What each node and instance was since when; shown where there is room for it. */
  readonly timeline?: Timeline;
  readonly runbook?: RunbookState;
  /** CloudFormation's, oldest first. */
  readonly events: readonly StackEvent[];
}

/** One entry for each look, about a second apart, oldest first; as long as one likes, all of them of one length. */
export interface History {
  /** Since the traffic's start, as a timeline counts: on a busy machine looks come late. Unit: milliseconds. */
  readonly atMs: readonly number[];
  readonly newConnections: readonly number[];
  /** Of every kind of request. */
  readonly failures: readonly number[];
  readonly phases: readonly string[];
}

export interface NodeState {
  readonly address: string;
  /** False: the load balancer's name does not resolve to it, so no client meets it. */
  readonly isInDns: boolean;
  /** `setting`: the API has the policy, the node does not have it yet; `clearing`: the other way round. */
  readonly ports: readonly { readonly instancePort: number; readonly policy: 'off' | 'setting' | 'on' | 'clearing' }[];
}

export interface InstanceState {
  readonly name: string;
  readonly address: string;
  /** `away`: the machine is off or reboots. */
  readonly mode: ReceiverMode | 'unknown' | 'away';
  readonly isInService: boolean;
}

export interface RunbookState {
  readonly steps: readonly {
    readonly name: string;
    readonly status: 'waiting' | 'running' | 'done' | 'failed' | 'skipped';
  }[];
  /** What the running step waits for, in words. */
  readonly waitingFor?: string;
}

export interface StackEvent {
  /** Since the run's start. */
  readonly atMs: number;
  readonly resource: string;
  readonly status: string;
  readonly reason?: string;
}

export interface RenderOptions {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
}

/** For the path and the stack's events: what was so is shown only where what is so keeps its room. */
const LEAST_ROWS_LEFT = 14;

export function render(snapshot: LiveSnapshot, { columns, rows, colour }: RenderOptions): string {
  const width = Math.min(columns, 132);
  const traffic = trafficBlock(snapshot, width);
  const trafficRows = traffic.length;
  const fixed = [
    header(snapshot, width),
    rule(width),
    [],
    ...traffic,
    ...(snapshot.runbook ? [rule(width), ...runbookBlock(snapshot.runbook, width, rows < 32)] : []),
  ];
  const overTime = overTimeBlock(snapshot, width);
  if (rows - fixed.length - overTime.length > LEAST_ROWS_LEFT) fixed.splice(2 + 1 + trafficRows, 0, ...overTime);
  // The path and the stack's events share what is left; the path first, but not to the last line.
  const left = Math.max(6, rows - 1 - fixed.length);
  const path = pathBlock(snapshot, width, left - (snapshot.events.length > 0 ? 2 : 0));
  const events = eventsBlock(snapshot.events, width, left - path.length - 1);
  const [top = [], topRule = [], ...below] = fixed;
  const lines = [top, topRule, ...path, ...below, ...(events.length > 0 ? [rule(width), ...events] : [])];
  return paint(lines.slice(0, rows - 1), colour);
}

function header({ title, elapsedMs, phase }: LiveSnapshot, width: number): Line {
  const right: Line = [phaseSpan(phase), '  ', ['dim', clock(elapsedMs)]];
  return [...cell([['bold', 'proxyflip'], '  ', title], width - widthOf(right) - 1), ' ', ...right];
}

function phaseSpan(phase: string): Span {
  return phase in MODE_STYLE ? [MODE_STYLE[phase as ReceiverMode], phase] : ['bold', phase];
}

function rule(width: number): Line {
  return [['dim', '─'.repeat(width)]];
}

const MODE_STYLE: Readonly<Record<ReceiverMode, Style>> = { plain: 'blue', both: 'yellow', proxy: 'green' };
const MODE_MARK: Readonly<Record<ReceiverMode, string>> = { plain: '○', both: '◐', proxy: '●' };

/** The same marks on both sides: ○ no PROXY line, ● a PROXY line, ◐ either. ● meeting ○ is what must never happen. */
function pathBlock(snapshot: LiveSnapshot, width: number, height: number): Line[] {
  const isWide = width >= 110;
  const arrow = isWide ? 9 : 5;
  const clients = isWide ? 24 : 17;
  const nodes = isWide ? 44 : 27;
  const instances = width - clients - nodes - 2 * arrow;
  const arrowLines: Line[] = [[], [['dim', ` ${'─'.repeat(arrow - 3)}► `]]];
  const body = height - 3;
  const legend: Line = isWide
    ? [
        [
          'dim',
          'A node sends a PROXY line (●) or does not (○); a receiver requires one (●), refuses one (○), or takes both (◐).',
        ],
      ]
    : [['dim', 'PROXY line   ○ none   ◔ changing   ● sent, required   ◐ either is taken']];
  return [
    ...beside([
      [[[['dim', 'clients']], ...clientLines(snapshot)], clients],
      [arrowLines, arrow],
      [
        [
          [['dim', "load balancer's nodes"]],
          ...limited(
            snapshot.nodes.map((node) => nodeLine(node, isWide)),
            body,
          ),
        ],
        nodes,
      ],
      [arrowLines, arrow],
      [
        [
          [['dim', 'instances']],
          ...limited(
            snapshot.instances.map((each) => instanceLine(each, isWide)),
            body,
          ),
        ],
        instances,
      ],
    ]),
    [],
    legend,
  ];
}

function limited(lines: readonly Line[], height: number): Line[] {
  const fits = Math.max(1, height);
  if (lines.length <= fits) return [...lines];
  return [...lines.slice(0, fits - 1), [['dim', `and ${lines.length - fits + 1} more`]]];
}

function clientLines({ traffic }: LiveSnapshot): Line[] {
  if (!traffic) return [['none yet']];
  const { rates, webSockets, generator } = traffic;
  return [
    [counted(generator.sources, 'address').replace('addresss', 'addresses')],
    [figure(rates.newConnections, 4), ' new/s'],
    [figure(rates.keepAlive, 4), ' kept/s'],
    [figure(webSockets.open, 4), ' WebSockets'],
  ];
}

function figure(value: number, columns: number): string {
  return count(value).padStart(columns);
}

function nodeLine({ address, ports, isInDns }: NodeState, isWide: boolean): Line {
  const marks = { off: '○', setting: '◔', on: '●', clearing: '◔' } as const;
  const words = { off: 'none', setting: 'soon', on: 'sent', clearing: 'still' } as const;
  const styles: Readonly<Record<NodeState['ports'][number]['policy'], Style>> = {
    off: 'blue',
    setting: 'yellow',
    on: 'green',
    clearing: 'yellow',
  };
  const portSpans = ports.flatMap(({ instancePort, policy }): Span[] => [
    `  ${instancePort} `,
    [styles[policy], isWide ? `${marks[policy]} ${words[policy].padEnd(5)}` : marks[policy]],
  ]);
  return [address.padEnd(11), ...portSpans, ...(isInDns ? [] : [['dim', ' idle'] as const])];
}

function instanceLine({ name, address, mode, isInService }: InstanceState, isWide: boolean): Line {
  const state: Span =
    mode === 'unknown' || mode === 'away'
      ? ['red', mode === 'away' ? '× away' : '? unknown']
      : [MODE_STYLE[mode], `${MODE_MARK[mode]} ${mode}`];
  const who = isWide ? `${name.padEnd(12)} ${address.padEnd(11)} ` : `${address.padEnd(11)} `;
  return [who, ...cell([state], 8), ...(isInService ? [] : [['red', isWide ? ' out of service' : ' out'] as const])];
}

function trafficBlock({ traffic, history }: LiveSnapshot, width: number): Line[] {
  if (!traffic) return [[['dim', 'The traffic has not begun.']]];
  const { newConnections, keepAlive, webSockets, clientAddress, forged, rates, latencyMs, generator } = traffic;
  const highest = Math.max(1, ...history.newConnections);
  const bars = (style: Style, values: readonly number[]): Span => [
    style,
    sparkline(values, stripColumns(width), highest),
  ];
  const row = (name: string, value: number, ...rest: Span[]): Line => [
    ...cell([name], 18),
    figure(value, 8),
    '  ',
    ...rest,
  ];
  const bad = (value: number, noun: string): Span => [value > 0 ? 'red' : 'green', `${count(value)} ${noun}`];
  const counts = (name: string, value: number, wrong: Span, ...rest: Span[]): Line =>
    row(name, value, ...cell([wrong], 15), ...rest);

  const kinds = failuresInWords(sumFailures(newConnections.failures, keepAlive.failures));
  const complaints: Line[] = [];
  if (kinds !== '') complaints.push([['red', `failed: ${kinds}`]]);
  if (generator.capReached > 0) {
    complaints.push([['red', 'too many connections in flight: the load is lower than it should be']]);
  }
  const echoed = `${count(webSockets.messagesEchoed)} of ${counted(webSockets.messagesSent, 'message')} came back`;
  return [
    row('new per second', rates.newConnections, bars('cyan', history.newConnections)),
    row(
      'failed per second',
      rates.failed,
      bars(history.failures.some((value) => value > 0) ? 'red' : 'dim', history.failures),
    ),
    strip('phase', history.phases.map(phaseMark), width),
    counts(
      'new connections',
      newConnections.sent,
      bad(newConnections.failed, 'failed'),
      `half of them answered within ${latencyMs.p50} ms`,
    ),
    counts(
      'kept connections',
      keepAlive.sent,
      bad(keepAlive.failed, 'failed'),
      `${count(keepAlive.retried)} sent again`,
    ),
    counts('WebSockets', webSockets.open, bad(webSockets.dropped + webSockets.failedToOpen, 'dropped'), echoed),
    counts(
      'client addresses',
      clientAddress.correct,
      bad(clientAddress.wrong, 'wrong'),
      bad(clientAddress.unverified, 'unverified'),
      ', ',
      bad(forged.believed, 'forged believed'),
    ),
    ...complaints,
  ].map((line) => clip(line, width));
}

const stripColumns = (width: number): number => Math.min(90, width - 30);

/** One mark for each look, below the bars of the same look. */
function strip(name: string, marks: readonly Span[], width: number): Line {
  const joined: Span[] = [];
  for (const mark of marks.slice(-stripColumns(width))) {
    const last = joined.at(-1);
    // Runs of one style are one span: a picture is drawn over itself once a second, in as few bytes as it takes.
    if (Array.isArray(last) && Array.isArray(mark) && last[0] === mark[0]) {
      joined[joined.length - 1] = [mark[0], `${last[1]}${mark[1]}`];
    } else joined.push(mark);
  }
  return [...cell([name], 18), ' '.repeat(10), ...joined];
}

function phaseMark(phase: string): Span {
  if (phase === DISAGREEMENT_PHASE) return ['red', '×'];
  return phase in MODE_MARK ? modeMark(phase as ReceiverMode) : ['dim', '›'];
}

const modeMark = (mode: ReceiverMode): Span => [MODE_STYLE[mode], MODE_MARK[mode]];

/** The report's rows of nodes and instances, in the marks of the path. */
function overTimeBlock({ timeline, history }: LiveSnapshot, width: number): Line[] {
  if (timeline === undefined || history.atMs.length === 0) return [];
  const perLook = <T extends { readonly atMs: number }>(changes: readonly T[], mark: (change: T) => Span): Span[] =>
    history.atMs.map((lookedMs) => {
      const current = changes.filter(({ atMs }) => atMs <= lookedMs).at(-1);
      return current === undefined ? ' ' : mark(current);
    });
  const nodes = timeline.nodes.flatMap(({ address, changes }) =>
    [...new Set(changes.map(({ instancePort }) => instancePort))].map((port) => {
      const ofPort = changes.filter(({ instancePort }) => instancePort === port);
      return strip(
        `${address}:${port}`,
        perLook(ofPort, ({ hasPolicy }) => modeMark(hasPolicy ? 'proxy' : 'plain')),
        width,
      );
    }),
  );
  const instances = timeline.instances.map(({ name, changes }) =>
    strip(
      name,
      perLook(changes, ({ mode }) => modeMark(mode)),
      width,
    ),
  );
  return [[], ...nodes, ...instances];
}

function sumFailures(left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>) {
  const sums: Record<string, number> = { ...left };
  for (const [kind, value] of Object.entries(right)) sums[kind] = (sums[kind] ?? 0) + value;
  return sums;
}

/** Where there is little room, the steps that are done and those to come are only counted. */
function runbookBlock({ steps, waitingFor }: RunbookState, width: number, isShort: boolean): Line[] {
  const marks = { waiting: '·', running: '▶', done: '✔', failed: '✘', skipped: '–' } as const;
  const styles = { waiting: 'dim', running: 'bold', done: 'green', failed: 'red', skipped: 'dim' } as const;
  const label = 'runbook  ';
  const lines: Span[][] = [[label]];
  const done = steps.filter(({ status }) => status === 'done').length;
  if (isShort && done > 0) lines[0]?.push(['green', `✔ ${done} of ${steps.length} steps done`], '  ');
  for (const { name, status } of steps) {
    if (isShort && (status === 'done' || status === 'waiting')) continue;
    const span: Span = [styles[status], `${marks[status]} ${name}`];
    const last = lines.at(-1) ?? [];
    if (widthOf(last) + widthOf([span]) + 2 > width) lines.push([' '.repeat(label.length), span, '  ']);
    else last.push(span, '  ');
  }
  const toCome = steps.filter(({ status }) => status === 'waiting').length;
  if (isShort && toCome > 0) lines.at(-1)?.push(['dim', `· ${toCome} to come`]);
  if (waitingFor) {
    for (const text of wrap(`waits for: ${waitingFor}`, width - label.length, 2)) {
      lines.push([' '.repeat(label.length), ['dim', text]]);
    }
  }
  return lines.map((line) => clip(line, width));
}

function eventsBlock(events: readonly StackEvent[], width: number, height: number): Line[] {
  const nameColumns = Math.min(34, Math.max(...events.map(({ resource }) => resource.length), 0));
  return events
    .slice(-Math.max(0, height))
    .map(({ atMs, resource, status, reason }, index) =>
      clip(
        [
          index === 0 ? 'stack    ' : '         ',
          ['dim', clock(atMs)],
          '  ',
          ...cell([resource], nameColumns),
          '  ',
          [statusStyle(status), status],
          ...(reason ? [`  ${reason}`] : []),
        ],
        width,
      ),
    );
}

function statusStyle(status: string): Style {
  if (/FAILED|ROLLBACK/.test(status)) return 'red';
  return status.endsWith('_COMPLETE') ? 'green' : 'yellow';
}

/** One line, for places where nothing can be drawn over. */
function renderLine({ elapsedMs, phase, traffic, runbook }: LiveSnapshot): string {
  const step = runbook?.steps.find(({ status }) => status === 'running')?.name;
  const parts = [clock(elapsedMs), phase.padEnd(5), ...(step ? [step.padEnd(16)] : [])];
  if (traffic) {
    const { newConnections, keepAlive, webSockets } = traffic;
    parts.push(
      `${count(newConnections.sent)} new connections, ${count(newConnections.failed)} failed`,
      `${count(keepAlive.sent)} kept, ${count(keepAlive.failed)} failed`,
      `${count(webSockets.open)} WebSockets, ${count(webSockets.dropped)} dropped`,
    );
  }
  return parts.join('  ');
}

export interface LiveView {
  update(snapshot: LiveSnapshot): void;
  /** Leave the last picture where it is. */
  done(): void;
}

/** Without a terminal a line is written when the phase, the step or the failures change, and every `lineEveryMs`. */
export function liveView(
  stream: NodeJS.WriteStream,
  options: { readonly isInteractive?: boolean; readonly lineEveryMs?: number } = {},
): LiveView {
  const { isInteractive = stream.isTTY === true && process.env.CI === undefined, lineEveryMs = 10_000 } = options;
  if (!isInteractive) return lineView(stream, lineEveryMs);
  const draw = createLogUpdate(stream);
  return {
    update(snapshot) {
      const colour = process.env.NO_COLOR === undefined;
      draw(render(snapshot, { columns: stream.columns ?? 80, rows: stream.rows ?? 24, colour }));
    },
    done: () => draw.done(),
  };
}

function lineView(stream: NodeJS.WritableStream, lineEveryMs: number): LiveView {
  let last = '';
  let lastMs = Number.NEGATIVE_INFINITY;
  let eventsShown = 0;
  return {
    update(snapshot) {
      const news = snapshot.events.slice(eventsShown);
      for (const [index, { atMs, resource, status, reason }] of news.entries()) {
        // A stack makes forty resources within a second, with three events each: what came of a resource is enough.
        if (news.slice(index + 1).some((later) => later.resource === resource)) continue;
        stream.write(`${[clock(atMs), 'stack', resource, status, reason ?? ''].join('  ').trimEnd()}\n`);
      }
      eventsShown = snapshot.events.length;
      const failed = (snapshot.traffic?.newConnections.failed ?? 0) > 0;
      const step = snapshot.runbook?.steps.find(({ status }) => status === 'running')?.name;
      const key = JSON.stringify([snapshot.phase, step, failed]);
      if (key === last && snapshot.elapsedMs - lastMs < lineEveryMs) return;
      last = key;
      lastMs = snapshot.elapsedMs;
      stream.write(`${renderLine(snapshot)}\n`);
    },
    done: () => {},
  };
}
