// Draws the table of each [data-chart] with uPlot, which is fetched only where there is one.
import { each } from './parts.js';

const HEIGHT = 176; // pixels
const HUES = ['--accent', '--danger', '--success', '--warning'];
let library;

each('[data-chart]', async (figure) => {
  await (library ??= load());
  let plot = draw(figure);
  new ResizeObserver(() => {
    const width = figure.clientWidth;
    if (width && Math.abs(width - plot.width) > 1) plot.setSize({ width, height: HEIGHT });
  }).observe(figure);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    plot.destroy();
    plot = draw(figure);
  });
});

function load() {
  const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: address('uPlot.min.css') });
  const script = Object.assign(document.createElement('script'), { src: address('uPlot.iife.min.js') });
  document.head.append(style, script);
  return Promise.all([style, script].map((one) => new Promise((done, fail) => {
    one.addEventListener('load', done);
    one.addEventListener('error', fail);
  })));
}

function address(name) {
  return new URL(`../vendor/uplot/${name}`, import.meta.url).href;
}

function draw(figure) {
  const table = figure.querySelector('table');
  const names = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent);
  const rows = [...table.tBodies[0].rows];
  const times = rows.map((row) => Date.parse(row.querySelector('time').dateTime) / 1000);
  const values = names.map((_, index) => rows.map((row) => Number(row.cells[index + 1].textContent)));
  const style = getComputedStyle(figure);
  const colour = (name) => resolved(figure, `var(${name})`);
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false }, font: `12px ${style.fontFamily}` };
  const canvas = figure.querySelector('.chart-canvas');
  const top = Math.max(4, ...values.flat());
  return new window.uPlot({
    width: figure.clientWidth,
    height: HEIGHT,
    legend: { show: names.length > 1, live: false },
    cursor: { y: false, drag: { x: false, y: false } },
    scales: { y: { range: [0, top * 1.1] } },
    axes: [{ ...axis, size: 28, grid: { show: false }, values: (_, moments) => moments.map(moment) }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 1e5, 1e6] }],
    series: [{}, ...names.map((label, index) => ({
      label,
      stroke: colour(HUES[index % HUES.length]),
      fill: index === 0 ? resolved(figure, `color-mix(in oklab, var(${HUES[0]}) 12%, transparent)`) : undefined,
      width: 1.75,
      dash: index === 0 ? undefined : [5, 4],
      points: { show: false },
    }))],
  }, [times, ...values], canvas);
}

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const hour = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

function moment(seconds) {
  const at = new Date(seconds * 1000);
  return at.getHours() === 0 && at.getMinutes() === 0 ? day.format(at) : hour.format(at);
}

// A canvas knows no light-dark(): the browser says what the colour is here and now.
function resolved(element, value) {
  const probe = document.createElement('span');
  probe.style.color = value;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}
