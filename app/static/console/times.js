// Relative times stay true while a page is open, and their titles say the moment where the reader is as well.
import { each } from './parts.js';

const EVERY = 15_000;
const SOON = 45_000;
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
// as app/console/phrases.py says it: from how long on, the unit's length, its name
const STEPS = [[365 * DAY, 365 * DAY, 'year'], [45 * DAY, 30 * DAY, 'month'], [DAY, DAY, 'day'], [HOUR, HOUR, 'hour'], [SOON, MINUTE, 'minute']];
const local = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

export function ago(at, now) {
  const gone = now - at;
  const length = Math.abs(gone);
  if (length < SOON) return gone >= 0 ? 'just now' : 'in a moment';
  const [, unit, name] = STEPS.find(([from]) => length >= from);
  const number = Math.max(1, Math.round(length / unit));
  const text = `${number} ${name}${number === 1 ? '' : 's'}`;
  return gone >= 0 ? `${text} ago` : `in ${text}`;
}

function tell(element) {
  const text = ago(Date.parse(element.dateTime), Date.now());
  if (element.textContent !== text) element.textContent = text;
}

each('time[data-ago]', (element) => {
  const utc = element.title;
  if (new Date().getTimezoneOffset() !== 0) element.title = `${local.format(new Date(element.dateTime))} here; ${utc}`;
  tell(element);
});
setInterval(() => document.querySelectorAll('time[data-ago]').forEach(tell), EVERY);
