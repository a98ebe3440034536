// Ctrl/Cmd+K: pages and people by name. The list comes from the page /admin/find, which does the same without scripts.
import { speak } from './parts.js';

const WAIT = 120; // milliseconds after the last letter
const dialog = document.getElementById('palette');
const query = document.getElementById('palette-query');
const list = document.getElementById('palette-list');
let timer;
let asked = 0;
let stale = true; // the list is not yet that of what is typed
let hurried = false; // Enter was pressed meanwhile

if (dialog) {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      if (dialog.open) dialog.close(); else open();
    }
  });
  document.addEventListener('click', (event) => {
    if (!event.target.closest?.('[data-palette]') || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
  query.addEventListener('input', () => {
    clearTimeout(timer);
    asked += 1; // what is under way answers another question
    [stale, hurried] = [true, false];
    timer = setTimeout(find, WAIT);
  });
  query.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      choose(chosen() + (event.key === 'ArrowDown' ? 1 : -1));
    } else if (event.key === 'Enter') {
      event.preventDefault();
      hurried = stale;
      if (!stale) options()[chosen()]?.click();
    }
  });
}

function open() {
  query.value = '';
  [stale, hurried] = [true, false];
  dialog.showModal();
  query.focus();
  find();
}

async function find() {
  asked += 1;
  const mine = asked;
  const address = new URL(dialog.dataset.find, location.href);
  address.searchParams.set('q', query.value.trim());
  try {
    const answer = await fetch(address, { headers: { 'HX-Request': 'true', Accept: 'text/html' } });
    if (answer.status === 401) return location.reload();
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    if (mine === asked) show(page);
  } catch {
    if (mine === asked) said('The server does not answer.');
  }
  if (mine !== asked) return;
  stale = false;
  if (hurried && dialog.open) options()[chosen()]?.click();
}

function show(page) {
  const groups = [...page.querySelectorAll('[data-found]')];
  const made = [];
  for (const group of groups) {
    const links = [...group.querySelectorAll('a.palette-option')];
    if (!links.length) continue;
    const box = document.createElement('div');
    box.setAttribute('role', 'group');
    box.setAttribute('aria-label', group.dataset.found);
    const title = document.createElement('p');
    title.className = 'palette-group';
    title.setAttribute('aria-hidden', 'true');
    title.textContent = group.dataset.found;
    box.append(title, ...links.map(option));
    made.push(box);
  }
  if (!made.length) return said('Nothing found.');
  list.replaceChildren(...made);
  list.querySelectorAll('a').forEach((link, index) => { link.id = `palette-${index}`; });
  choose(0);
}

function option(link) {
  const made = document.importNode(link, true);
  made.setAttribute('role', 'option');
  made.tabIndex = -1;
  return made;
}

function said(text) {
  const line = document.createElement('p');
  line.className = 'palette-none';
  line.textContent = text;
  list.replaceChildren(line);
  query.removeAttribute('aria-activedescendant');
  speak(text);
}

const options = () => [...list.querySelectorAll('[role=option]')];
const chosen = () => options().findIndex((one) => one.getAttribute('aria-selected') === 'true');

function choose(index) {
  const all = options();
  if (!all.length) return;
  const at = (index + all.length) % all.length;
  all.forEach((one, number) => one.setAttribute('aria-selected', String(number === at)));
  all[at].scrollIntoView({ block: 'nearest' });
  query.setAttribute('aria-activedescendant', all[at].id);
}
