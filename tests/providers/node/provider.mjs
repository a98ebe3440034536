// An OpenID provider on oidc-provider, for the journeys: node provider.mjs PORT, "ready" when it listens on 127.0.0.1.
//
// People sign in by name, without a password. POST /control (JSON, merged) says whom it serves and what it does wrong:
//
//   clients       its relying parties, as oidc-provider takes them
//   people        name → claims; who is not named gets an address and no groups
//   keys          indexes of the keys that it publishes; it signs with the first of the algorithm. 0, 1: RS256; 2: ES256
//   bend          claims set in the next ID tokens and signed anew; null removes one; a number after exp, nbf and iat is
//                 added to the time of now
//   drop_session  true: who is signed in here is forgotten
//
// GET /control answers with all of it and with what happened.
import { createServer } from 'node:http';
import { SignJWT, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK } from 'jose';
import Provider from 'oidc-provider';

const port = Number(process.argv[2]);
const issuer = `http://localhost:${port}`;
const state = { clients: [], people: {}, keys: [0, 2], bend: null };
const events = [];
const store = new Map();

const keys = await Promise.all(['RS256', 'RS256', 'ES256'].map(async (alg, number) => {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...await exportJWK(privateKey), alg, use: 'sig', kid: `key-${number}` };
}));

// What it remembers outlives a change of its configuration, so that keys roll over under a running session.
class Memory {
  constructor(name) { this.name = name; }

  key(id) { return `${this.name}:${id}`; }

  async upsert(id, payload) { store.set(this.key(id), { ...payload }); }

  async find(id) { return store.get(this.key(id)); }

  async findByUid(uid) { return this.first((each) => each.uid === uid); }

  async findByUserCode(code) { return this.first((each) => each.userCode === code); }

  async destroy(id) { store.delete(this.key(id)); }

  async consume(id) { Object.assign(store.get(this.key(id)), { consumed: Math.floor(Date.now() / 1000) }); }

  async revokeByGrantId(grantId) {
    for (const [key, each] of store) if (each.grantId === grantId) store.delete(key);
  }

  first(wanted) {
    for (const [key, each] of store) if (key.startsWith(`${this.name}:`) && wanted(each)) return each;
    return undefined;
  }
}

function claimsOf(id) {
  return {
    email: `${id.split('@')[0]}@quay.example`,
    email_verified: true,
    name: id.split('@')[0],
    oid: `oid-${id}`,
    ...state.people[id],
    sub: id,
  };
}

const now = () => Math.floor(Date.now() / 1000);

async function bent(token) {
  const { kid, alg } = decodeProtectedHeader(token);
  const claims = decodeJwt(token);
  for (const [name, value] of Object.entries(state.bend)) {
    if (value === null) delete claims[name];
    else claims[name] = ['exp', 'nbf', 'iat'].includes(name) && typeof value === 'number' ? now() + value : value;
  }
  const key = await importJWK(keys.find((each) => each.kid === kid), alg);
  return new SignJWT(claims).setProtectedHeader({ kid, alg }).sign(key);
}

function made() {
  const provider = new Provider(issuer, {
    adapter: Memory,
    clients: state.clients,
    jwks: { keys: state.keys.map((number) => keys[number]) },
    cookies: { keys: ['journey'], names: { session: 'op-session', interaction: 'op-interaction', resume: 'op-resume' } },
    claims: {
      openid: ['sub', 'oid', 'tid', 'groups', 'hd'],
      email: ['email', 'email_verified', 'xms_edov'],
      profile: ['name', 'given_name', 'family_name', 'preferred_username'],
    },
    conformIdTokenClaims: false,
    // It refuses to call loopback; here its relying parties are nowhere else.
    fetch: (url, { dispatcher: _, ...options }) => fetch(url, options),
    features: {
      devInteractions: { enabled: true },
      backchannelLogout: { enabled: true },
      rpInitiatedLogout: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => claimsOf(id) }),
    async loadExistingGrant(ctx) {
      const { session, client, provider: own, params } = ctx.oidc;
      const grant = new own.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope(params.scope);
      await grant.save();
      return grant;
    },
    pkce: { required: () => true },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256'] },
  });
  provider.use(async (ctx, next) => {
    await next();
    if (state.bend && ctx.oidc?.route === 'token' && ctx.body?.id_token) ctx.body.id_token = await bent(ctx.body.id_token);
  });
  for (const name of ['backchannel.success', 'backchannel.error', 'grant.error', 'server_error', 'authorization.error']) {
    provider.on(name, (...args) => events.push({
      what: name,
      why: args.filter((each) => each instanceof Error).map((each) => `${each.message} ${each.error_detail ?? ''}`).join(),
    }));
  }
  return provider.callback();
}

let serve = made();

async function control(request, response) {
  if (request.method === 'POST') {
    const parts = [];
    for await (const part of request) parts.push(part);
    const { drop_session: drop, ...wanted } = JSON.parse(Buffer.concat(parts).toString());
    Object.assign(state, wanted);
    if (drop) for (const key of store.keys()) if (key.startsWith('Session:')) store.delete(key);
    serve = made();
  }
  response.setHeader('Content-Type', 'application/json');
  response.end(JSON.stringify({ ...state, issuer, events }));
}

createServer((request, response) => {
  if (request.url !== '/control') return serve(request, response);
  return control(request, response).catch((error) => {
    response.statusCode = 400;
    response.end(String(error));
  });
}).listen(port, '127.0.0.1', () => process.stdout.write('ready\n'));
