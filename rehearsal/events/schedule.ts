/**
 * When a scheduled rule is due. Times are UTC.
 *
 * Source: EventBridge user guide, "Using cron and rate expressions to schedule rules".
 */
import { ServiceError } from '../aws/service.ts';

/** @returns the first time after `after`. Milliseconds since the epoch */
export type Schedule = (after: number) => number;

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };
const MINUTE_MS = 60_000;
/** A cron expression that is not met in so long is never met: 30 February. */
const LONGEST_WAIT_DAYS = 366 * 8;

/** @throws ServiceError ValidationException */
export function readSchedule(expression: string): Schedule {
  const [, count = '', unit = '', plural = ''] = /^rate\((\d+) (minute|hour|day)(s?)\)$/.exec(expression) ?? [];
  // "If the value is equal to 1, then the unit must be singular", and plural above.
  if (count !== '' && Number(count) >= 1 && (Number(count) === 1) === (plural === '')) {
    const interval = Number(count) * (UNIT_MS[unit] ?? 0);
    return (after) => after + interval;
  }
  const fields = /^cron\((.+)\)$/.exec(expression)?.[1]?.split(' ');
  if (fields?.length === 6) return readCron(fields as unknown as CronFields);
  throw invalid();
}

type CronFields = readonly [string, string, string, string, string, string];

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC'];
const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** Minutes, hours, day of month, month, day of week, year. `L`, `W` and `#` are not there. */
function readCron([minutes, hours, dayOfMonth, month, dayOfWeek, year]: CronFields): Schedule {
  // "You can't specify the Day-of-month and Day-of-week fields in the same cron expression."
  if ((dayOfMonth === '?') === (dayOfWeek === '?')) throw invalid();
  const isDue = [
    field(minutes, 0, 59, (date) => date.getUTCMinutes()),
    field(hours, 0, 23, (date) => date.getUTCHours()),
    field(dayOfMonth, 1, 31, (date) => date.getUTCDate()),
    field(named(month, MONTHS), 1, 12, (date) => date.getUTCMonth() + 1),
    field(named(dayOfWeek, DAYS), 1, 7, (date) => date.getUTCDay() + 1),
    field(year, 1970, 2199, (date) => date.getUTCFullYear()),
  ];
  const [atMinute, atHour, ...onDay] = isDue as [Due, Due, ...Due[]];
  return (after) => {
    let at = Math.floor(after / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
    for (let days = 0; days < LONGEST_WAIT_DAYS; ) {
      const date = new Date(at);
      if (!onDay.every((each) => each(date))) {
        at = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate() + 1);
        days += 1;
      } else if (!atHour(date)) at = Math.floor(at / 3_600_000) * 3_600_000 + 3_600_000;
      else if (!atMinute(date)) at += MINUTE_MS;
      else return at;
    }
    return Number.POSITIVE_INFINITY;
  };
}

type Due = (date: Date) => boolean;

function field(expression: string, least: number, most: number, read: (date: Date) => number): Due {
  if (expression === '*' || expression === '?') return () => true;
  const ranges = expression.split(',').map((part) => {
    const [, from = '', to, step = '1'] = /^(\*|\d+)(?:-(\d+))?(?:\/(\d+))?$/.exec(part) ?? [];
    const first = from === '*' ? least : Number(from);
    const last = to === undefined ? (part.includes('/') || from === '*' ? most : first) : Number(to);
    if (from === '' || first < least || last > most || first > last || Number(step) < 1) throw invalid();
    return { first, last, step: Number(step) };
  });
  return (date) => {
    const value = read(date);
    return ranges.some(({ first, last, step }) => value >= first && value <= last && (value - first) % step === 0);
  };
}

/** Names stand for their position, from 1. */
const named = (expression: string, names: readonly string[]): string =>
  expression.replace(/[A-Z]{3}/g, (name) => (names.includes(name) ? String(names.indexOf(name) + 1) : name));

const invalid = () => new ServiceError('ValidationException', 'Parameter ScheduleExpression is not valid.');
