// After a swap the focus is where it was, and what came is told. After a wrong form it is at the first wrong field.
import { icon, speak } from './parts.js';

let held = null;

// htmx finds the focused element again by its id; without one, by its name or address, or as its form's only button.
document.addEventListener('htmx:before:swap', () => {
  const focused = document.activeElement;
  held = focused && focused !== document.body && !focused.id ? likeness(focused) : null;
});

document.addEventListener('htmx:after:swap', (event) => {
  if (held && (!document.activeElement || document.activeElement === document.body)) {
    document.querySelector(held)?.focus({ preventScroll: true });
  }
  held = null;
  const target = event.detail.ctx?.target;
  const now = target?.id ? document.getElementById(target.id) : null;
  const wrong = event.detail.ctx?.response?.status === 422 && document.querySelector('[aria-invalid="true"]');
  if (wrong) wrong.focus();
  else if (now?.dataset.spoken) speak(now.dataset.spoken);
});

document.addEventListener('htmx:error', () => {
  const text = 'The server does not answer. What you see may be out of date.';
  const place = document.getElementById('said');
  if (!place || place.textContent.includes(text)) return;
  const note = document.createElement('div');
  note.className = 'note note-danger';
  const line = document.createElement('div');
  line.textContent = text;
  note.append(icon('alert-circle'), line);
  place.append(note); // a status: it is told as well
});

// A whole page with a wrong field.
document.querySelector('main [aria-invalid="true"]')?.focus();

// Menus close when one leaves them.
document.addEventListener('click', (event) => {
  for (const menu of document.querySelectorAll('.who[open], .bar-menu[open]')) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Escape') return;
  for (const menu of document.querySelectorAll('.who[open], .bar-menu[open]')) {
    menu.open = false;
    menu.querySelector('summary').focus();
  }
});

function likeness(element) {
  const tag = element.tagName.toLowerCase();
  for (const name of ['name', 'href', 'formaction', 'data-copy']) {
    const value = element.getAttribute(name);
    if (value) {
      const same = `${tag}[${name}="${CSS.escape(value)}"]`;
      const more = element.getAttribute('value');
      return more && name === 'name' ? `${same}[value="${CSS.escape(more)}"]` : same;
    }
  }
  const form = element.form?.getAttribute('action');
  return form ? `form[action="${CSS.escape(form)}"] ${tag}:only-of-type` : null;
}
