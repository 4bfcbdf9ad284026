// Every feature with WarpDrive, the successor of Ember Data: `node --conditions=unpkg warp_drive.js http://host/api`.
import assert from 'node:assert/strict';
import { recordIdentifierFor, useRecommendedStore } from '@warp-drive/core';
import { setupSignals } from '@warp-drive/core/configure';
import { checkout, withDefaults } from '@warp-drive/core/reactive';
import { JSONAPICache } from '@warp-drive/json-api';
import * as build from '@warp-drive/utilities/json-api';

setupSignals(() => ({ // nothing is rendered here, so changes need not be observed
  createSignal: () => ({}),
  consumeSignal: () => {},
  notifySignal: () => {},
  createMemo: (object, key, compute) => compute,
  willSyncFlushWatchers: () => false,
}));

const [entryPoint] = process.argv.slice(2);
const { origin: host, pathname } = new URL(entryPoint);
const namespace = pathname.slice(1);
const password = 'correct horse';
build.setBuildURLConfig({ host, namespace });

const attributes = (...names) => names.map((name) => ({ kind: 'field', name }));
const related = (kind, name, type, inverse) => (
  { kind, name, type, options: { async: false, inverse, linksMode: true } }
);
const schemas = [
  {
    type: 'users',
    fields: [
      ...attributes('username', 'email', 'password', 'about_me', 'follower_count'),
      related('hasMany', 'posts', 'posts', 'author'),
    ],
  },
  {
    type: 'posts',
    fields: [...attributes('body', 'created_at'), related('belongsTo', 'author', 'users', 'posts')],
  },
  { type: 'tokens', fields: attributes('username', 'password', 'token', 'token_type') },
].map(withDefaults);

class Session {
  constructor(token) {
    const authorize = {
      request({ request }, next) {
        const headers = new Headers(request.headers);
        headers.set('Accept', 'application/vnd.api+json');
        if (request.body) headers.set('Content-Type', 'application/vnd.api+json');
        if (token) headers.set('Authorization', `Bearer ${token}`);
        return next({ ...request, headers });
      },
    };
    this.store = new (useRecommendedStore({ cache: JSONAPICache, schemas, handlers: [authorize] }))();
  }

  async get(request) {
    return (await this.store.request({ ...request, cacheOptions: { ...request.cacheOptions, reload: true } })).content;
  }

  async create(type, values) {
    const record = this.store.createRecord(type, values);
    const body = JSON.stringify(build.serializeResources(this.store.cache, recordIdentifierFor(record)));
    return (await this.store.request({ ...build.createRecord(record), body })).content.data;
  }

  async edit(record, values) {
    const editable = await checkout(record);
    Object.assign(editable, values);
    const body = JSON.stringify(build.serializePatch(this.store.cache, recordIdentifierFor(editable)));
    return (await this.store.request({ ...build.updateRecord(editable, { patch: true }), body })).content.data;
  }

  async destroy(record) {
    this.store.deleteRecord(record);
    await this.store.request(build.deleteRecord(record));
  }

  change(method, url, records) {
    const data = records.map((record) => recordIdentifierFor(record)).map(({ type, id }) => ({ type, id }));
    return this.store.requestManager.request({ url, method, body: JSON.stringify({ data }) });
  }
}

async function expectError(work, status) {
  const error = await work.then(() => assert.fail(`${status} was expected`), (thrown) => thrown);
  assert.equal(error.status, status, error);
  return error.content.errors;
}

const register = (username, email = `${username}@example.org`) => (
  new Session().create('users', { username, email, password })
);

async function signIn(username) {
  const token = await new Session().create('tokens', { username, password });
  assert.equal(token.token_type, 'Bearer');
  return new Session(token.token);
}

const { id: adaId } = await register('ada');
await register('bob');
const conflict = await expectError(register('ADA', 'new@example.org'), 400);
assert.deepEqual(conflict.map((error) => error.source.pointer), ['/data/attributes/username']);
await expectError(new Session().get(build.query('users')), 401);
const ada = await signIn('ada');
const bob = await signIn('bob');
console.log('signed in');

const { data: me } = await ada.get(build.findRecord('users', adaId));
assert.equal(me.email, 'ada@example.org');
assert.equal((await ada.edit(me, { about_me: 'Countess' })).about_me, 'Countess');

const { data: [match] } = await ada.get(build.query('users', { 'filter[username]': 'BOB' }));
assert.equal(match.username, 'bob');
const following = `${entryPoint}/users/${adaId}/relationships/following`;
await ada.change('POST', following, [match]);
const { data: [followed] } = await ada.get({ url: `${entryPoint}/users/${adaId}/following` });
assert.equal(followed.username, 'bob');
assert.equal(followed.follower_count, 1);

for (let number = 0; number < 12; number += 1) await bob.create('posts', { body: `post ${number}` });
console.log('published');

const listed = [];
let page = await ada.get(build.query('posts', { 'page[size]': 5, sort: 'created_at', include: ['author'] }));
while (page) {
  listed.push(...page.data.map((post) => `${post.author.username}: ${post.body}`));
  page = await page.next();
}
assert.deepEqual(listed, Array.from({ length: 12 }, (_, number) => `bob: post ${number}`));

const post = await ada.create('posts', { body: 'hello' });
assert.equal((await ada.edit(post, { body: 'hello again' })).body, 'hello again');
const tooLong = await expectError(ada.edit(post, { body: 'x'.repeat(141) }), 400);
assert.deepEqual(tooLong.map((error) => error.source.pointer), ['/data/attributes/body']);
const { data: postOfAda } = await bob.get(build.findRecord('posts', post.id));
await expectError(bob.edit(postOfAda, { body: 'not mine' }), 403);
await ada.destroy(post);
const missing = await expectError(bob.get(build.findRecord('posts', postOfAda.id)), 404);
assert.equal(missing[0].code, 'not-found');

await ada.change('DELETE', following, [match]);
assert.equal((await ada.get({ url: following })).data.length, 0);

const { data: [token] } = await ada.get(build.query('tokens'));
await ada.destroy(token);
await expectError(ada.get(build.findRecord('users', adaId)), 401);
console.log('signed out');
