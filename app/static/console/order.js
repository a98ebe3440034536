// Rows in an order of their own: <tbody data-order> in a form, each row with a hidden input that says which it is, and
// buttons [data-move="-1"], [data-move="1"]. They are moved by dragging or by the buttons; what is sent is the inputs in
// the order in which they stand. Without scripts the buttons send the form, and the server moves the row.
import { each, speak } from './parts.js';

each('[data-order]', (body) => {
  let dragged = null;
  for (const row of body.rows) row.draggable = true;

  body.addEventListener('dragstart', (event) => {
    dragged = event.target.closest('tr');
    dragged.classList.add('moving');
    event.dataTransfer.effectAllowed = 'move';
  });
  body.addEventListener('dragover', (event) => {
    const over = event.target.closest('tr');
    if (!dragged || !over || over.parentElement !== body) return;
    event.preventDefault();
    if (over === dragged) return;
    const { top, height } = over.getBoundingClientRect();
    if (event.clientY < top + height / 2) over.before(dragged); else over.after(dragged);
  });
  body.addEventListener('drop', (event) => event.preventDefault());
  body.addEventListener('dragend', () => {
    dragged?.classList.remove('moving');
    if (dragged) moved(body, dragged);
    dragged = null;
  });
  body.addEventListener('click', (event) => {
    const button = event.target.closest('[data-move]');
    if (!button) return;
    event.preventDefault();
    const row = button.closest('tr');
    const other = Number(button.dataset.move) < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (Number(button.dataset.move) < 0) other.before(row); else other.after(row);
    button.focus();
    moved(body, row);
  });
});

function moved(body, row) {
  [...body.rows].forEach((one, index) => {
    const place = one.querySelector('[data-place]');
    if (place) place.textContent = index + 1;
  });
  speak(`Now at place ${row.sectionRowIndex + 1} of ${body.rows.length}`);
  body.dispatchEvent(new CustomEvent('order', { bubbles: true })); // hx-trigger="order" asks for the preview anew
}
