// Forms with data-passkey: the browser's device is asked (WebAuthn), its answer goes into the form, the form goes on.
import { each } from './parts.js';

const SAID = {
  NotAllowedError: 'Nothing was shown, or it took too long. Please try again.',
  InvalidStateError: 'This device has a passkey of yours already.',
  SecurityError: 'Browsers know no passkeys at this address. Open it by https, or at localhost.',
};

each('form[data-passkey]', (form) => {
  form.addEventListener('submit', async (event) => {
    if (form.elements.answer.value) return;
    event.preventDefault();
    const button = form.querySelector('button[type=submit]');
    button.disabled = true;
    say(form, '');
    try {
      form.elements.answer.value = JSON.stringify(await answered(form));
      form.submit();
    } catch (error) {
      say(form, SAID[error.name] ?? error.message);
      button.disabled = false;
    }
  });
});

// A page that comes back from the browser's memory must ask again.
addEventListener('pageshow', (event) => {
  if (!event.persisted) return;
  for (const form of document.querySelectorAll('form[data-passkey]')) {
    form.elements.answer.value = '';
    form.querySelector('button[type=submit]').disabled = false;
  }
});

async function answered(form) {
  if (!window.PublicKeyCredential) throw new Error('This browser knows no passkeys. Use a password with a code.');
  const options = await asked(form.dataset.options, form.elements.csrf.value);
  options.challenge = bytes(options.challenge);
  if (form.dataset.passkey === 'create') {
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = listed(options.excludeCredentials);
    return told(await navigator.credentials.create({ publicKey: options }));
  }
  options.allowCredentials = listed(options.allowCredentials);
  return told(await navigator.credentials.get({ publicKey: options }));
}

async function asked(address, csrf) {
  const answer = await fetch(address, { method: 'POST', headers: { 'X-CSRF-Token': csrf } });
  if (!answer.ok) throw new Error(answer.status === 429 ? 'Too many tries. Wait a minute, then try again.' : 'This page was open for too long. Reload it and try again.');
  return answer.json();
}

function told(credential) {
  const { response } = credential;
  const said = { clientDataJSON: text(response.clientDataJSON) };
  for (const name of ['attestationObject', 'authenticatorData', 'signature', 'userHandle']) {
    if (response[name]) said[name] = text(response[name]);
  }
  if (response.getTransports) said.transports = response.getTransports();
  return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response: said, clientExtensionResults: {} };
}

const listed = (credentials = []) => credentials.map((one) => ({ ...one, id: bytes(one.id) }));

const bytes = (value) => Uint8Array.from(atob(value.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0));

const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');

function say(form, sentence) {
  const place = form.querySelector('[data-passkey-said]');
  place.textContent = sentence;
  place.hidden = !sentence;
}
