// A relying party on openid-client, for the journeys: node relying_party.mjs PORT, "ready" when it listens on 127.0.0.1.
//
// A test tells it what to do over JSON and plays the browser in between:
//
//   POST /parties {issuer, client_id, client_secret?, scope?, algorithm?, auth?}   discovery → {id, metadata}
//   POST /parties/ID/start {extra?}                                       → {url}; the browser goes there …
//   GET  /callback                                                        … and comes back here: code → tokens
//   GET  /parties/ID                                                      → {tokens, claims, error, logouts}
//   POST /parties/ID/userinfo|introspect|refresh|revoke|end|client {token?, hint?, …}   the answer, or {error}
//   POST /backchannel                                                     the provider's logout tokens are checked and kept
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as client from 'openid-client';

const port = Number(process.argv[2]);
const base = `http://localhost:${port}`;
const parties = new Map();
const waiting = new Map();

const authentications = {
  client_secret_basic: client.ClientSecretBasic,
  client_secret_post: client.ClientSecretPost,
  none: client.None,
};

function told(error) {
  return { error: { name: error.name, message: error.message, code: error.code, error: error.error, status: error.status, why: error.error_description, cause: String(error.cause?.message ?? '') } };
}

async function register({ issuer, client_id: id, client_secret: secret, scope = 'openid', algorithm, auth }) {
  const method = auth ?? (secret ? 'client_secret_basic' : 'none');
  const metadata = { redirect_uris: [`${base}/callback`], ...(algorithm ? { id_token_signed_response_alg: algorithm } : {}) };
  const config = await client.discovery(new URL(issuer), id, metadata, authentications[method](secret), {
    execute: [client.allowInsecureRequests],
  });
  const party = { id: randomUUID(), config, scope, tokens: null, claims: null, error: null, logouts: [] };
  parties.set(party.id, party);
  return { id: party.id, redirect_uri: `${base}/callback`, metadata: config.serverMetadata() };
}

async function start(party, { extra = {} }) {
  const verifier = client.randomPKCECodeVerifier();
  const state = client.randomState();
  const nonce = client.randomNonce();
  waiting.set(state, { party, verifier, nonce });
  Object.assign(party, { tokens: null, claims: null, error: null });
  const url = client.buildAuthorizationUrl(party.config, {
    redirect_uri: `${base}/callback`,
    scope: party.scope,
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    ...extra,
  });
  return { url: url.href };
}

async function callback(url) {
  const asked = waiting.get(url.searchParams.get('state'));
  if (!asked) return { error: { message: 'unknown state' } };
  waiting.delete(url.searchParams.get('state'));
  const { party, verifier, nonce } = asked;
  try {
    keep(party, await client.authorizationCodeGrant(party.config, url, {
      pkceCodeVerifier: verifier,
      expectedState: url.searchParams.get('state'),
      expectedNonce: nonce,
      idTokenExpected: true,
    }));
  } catch (error) {
    party.error = told(error).error;
  }
  return shown(party);
}

function keep(party, tokens) {
  party.tokens = { ...tokens };
  party.claims = tokens.claims() ?? party.claims;
  return shown(party);
}

function shown({ tokens, claims, error, logouts }) {
  return { tokens, claims, error, logouts };
}

const acts = {
  start,
  userinfo: (party, { token }) => client.fetchUserInfo(party.config, token ?? party.tokens.access_token, party.claims.sub),
  introspect: (party, { token }) => client.tokenIntrospection(party.config, token ?? party.tokens.access_token),
  refresh: async (party, { token, scope }) => keep(party, await client.refreshTokenGrant(
    party.config, token ?? party.tokens.refresh_token, scope ? { scope } : undefined,
  )),
  revoke: async (party, { token }) => ({ done: await client.tokenRevocation(party.config, token ?? party.tokens.access_token) ?? true }),
  end: (party, { hint, ...more }) => ({
    url: client.buildEndSessionUrl(party.config, { id_token_hint: hint ?? party.tokens.id_token, ...more }).href,
  }),
  client: (party, { scope }) => client.clientCredentialsGrant(party.config, scope ? { scope } : undefined),
};

async function backchannel(text) {
  const token = new URLSearchParams(text).get('logout_token');
  for (const party of parties.values()) {
    const { issuer, jwks_uri: uri } = party.config.serverMetadata();
    try {
      const audience = party.config.clientMetadata().client_id;
      const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(new URL(uri)), { issuer, audience });
      party.logouts.push({ ...payload, typ: protectedHeader.typ });
    } catch (error) {
      party.logouts.push(told(error));
    }
  }
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function answer(request) {
  const url = new URL(request.url, base);
  const [, first, id, act] = url.pathname.split('/');
  if (first === 'callback') return callback(url);
  if (first === 'signed-out') return { signed_out: Object.fromEntries(url.searchParams) };
  const text = await body(request);
  if (first === 'backchannel') return backchannel(text).then(() => ({}));
  const given = text ? JSON.parse(text) : {};
  if (!id) return register(given);
  return act ? acts[act](parties.get(id), given) : shown(parties.get(id));
}

createServer(async (request, response) => {
  const found = await Promise.resolve().then(() => answer(request)).catch(told);
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Cache-Control', 'no-store');
  response.end(JSON.stringify(found));
}).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
