// Buttons with data-copy put that text into the clipboard.
import { icon, speak } from './parts.js';

const SHOWN = 1500; // milliseconds

document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy]');
  if (!button) return;
  if (!await copied(button.dataset.copy)) {
    speak('The browser does not allow copying. Select the text instead.');
    return;
  }
  speak('Copied');
  const before = [...button.childNodes];
  button.dataset.done = '';
  button.replaceChildren(icon('check'));
  setTimeout(() => {
    delete button.dataset.done;
    button.replaceChildren(...before);
  }, SHOWN);
});

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedTheOldWay(text); // over plain http there is no clipboard to write to
  }
}

function copiedTheOldWay(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'visually-hidden';
  area.setAttribute('aria-hidden', 'true');
  const focused = document.activeElement;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  focused?.focus?.({ preventScroll: true });
  return done;
}
