// What makes the console's pages pleasant. Each of them works without it: forms and links do the work.
import './charts.js';
import './copy.js';
import './focus.js';
import './keys.js';
import './order.js';
import './palette.js';
import './passkey.js';
import './times.js';
