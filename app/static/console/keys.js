// Shortcuts: / searches on this page and the arrow leads to what was found, ? lists them, g and a number goes to a
// section, j and k walk through rows.
import { isTyping } from './parts.js';

const WITHIN = 1500; // milliseconds between g and the number
const isMac = /mac|iphone|ipad/i.test(navigator.platform);
let wentAt = 0;

if (isMac) for (const key of document.querySelectorAll('[data-modifier]')) key.textContent = '⌘ K';

const acts = {
  '/': () => focusSearch(),
  '?': () => showShortcuts(),
  g: () => { wentAt = Date.now(); return true; },
  j: () => walk(1),
  k: () => walk(-1),
};

document.addEventListener('keydown', (event) => {
  if (event.key === 'ArrowDown' && event.target.matches('main [data-search]') && walk(1)) event.preventDefault();
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector('dialog[open]')) return;
  if (/^[0-9]$/.test(event.key) && Date.now() - wentAt < WITHIN) {
    if (go(event.key)) event.preventDefault();
  } else if (acts[event.key]?.()) {
    event.preventDefault();
  }
});

document.addEventListener('click', (event) => {
  if (!event.target.closest?.('[data-shortcuts]')) return;
  event.preventDefault();
  showShortcuts();
});

function focusSearch() {
  const field = document.querySelector('main [data-search]');
  if (!field) return false;
  field.focus();
  field.select();
  return true;
}

function showShortcuts() {
  const sheet = document.getElementById('shortcuts');
  sheet?.showModal();
  return Boolean(sheet);
}

function go(digit) {
  const links = document.querySelectorAll('.side-nav .side-link');
  const link = links[digit === '0' ? 9 : Number(digit) - 1];
  link?.click();
  return Boolean(link);
}

// Rows are walked through by the first link of each.
function walk(step) {
  const rows = [...document.querySelectorAll('main tbody tr')].filter((row) => row.querySelector('a[href]'));
  if (!rows.length) return false;
  const now = rows.findIndex((row) => row.contains(document.activeElement));
  const next = rows[Math.min(rows.length - 1, Math.max(0, now === -1 && step < 0 ? 0 : now + step))];
  next.querySelector('a[href]').focus();
  return true;
}
