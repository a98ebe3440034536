// What the modules share. `each` runs for the elements of the page now, and for those that come with a swap.
const told = new WeakMap();

export function each(selector, act) {
  const run = (root) => {
    for (const element of root.querySelectorAll(selector)) {
      const known = told.get(element) ?? told.set(element, new Set()).get(element);
      if (known.has(act)) continue;
      known.add(act);
      act(element);
    }
  };
  run(document);
  document.addEventListener('htmx:after:swap', () => run(document));
}

// Told to screen readers, politely.
export function speak(text) {
  const place = document.getElementById('spoken');
  if (!place) return;
  place.textContent = '';
  requestAnimationFrame(() => { place.textContent = text; });
}

export const isTyping = (target) => target instanceof Element
  && target.closest('input:not([type=checkbox]):not([type=radio]):not([type=submit]), textarea, select, [contenteditable]') !== null;

export const sprite = new URL('../vendor/tabler-icons/icons.svg', import.meta.url).pathname;

export function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
  use.setAttribute('href', `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
