// Every feature with traverson and its HAL plug-in, which follow links: `node traverson.js http://host/api`.
import assert from 'node:assert/strict';
import traverson from 'traverson';
import JsonHalAdapter from 'traverson-hal';

traverson.registerMediaType(JsonHalAdapter.mediaType, JsonHalAdapter);
const [entryPoint] = process.argv.slice(2);
const password = 'correct horse';

function walk(token, ...rels) {
  const headers = { Accept: 'application/hal+json, application/problem+json' };
  if (token) headers.Authorization = `Bearer ${token}`;
  return traverson.from(entryPoint).jsonHal().withRequestOptions({ headers }).follow(...rels);
}

function send(traversal, method, ...body) {
  return new Promise((resolve, reject) => {
    traversal[method](...body, (error, response) => {
      if (error) reject(error);
      else resolve({ status: response.statusCode, body: response.body ? JSON.parse(response.body) : undefined });
    });
  });
}

async function get(token, ...rels) {
  const { status, body } = await send(walk(token, ...rels), 'get');
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const register = (username) => send(walk(null, 'hc:users'), 'post', { username, email: `${username}@example.org`, password });

async function signIn(username) {
  const { status, body } = await send(walk(null, 'hc:tokens'), 'post', { username, password });
  assert.equal(status, 200);
  return body.token;
}

for (const username of ['ada', 'bob']) assert.equal((await register(username)).status, 201);
const conflict = await register('ADA');
assert.equal(conflict.status, 400);
assert.deepEqual(conflict.body.errors.map((error) => error.pointer), ['#/username', '#/email']);
assert.equal((await send(walk(null, 'hc:users'), 'get')).status, 401);

const ada = await signIn('ada');
const bob = await signIn('bob');
console.log('signed in');

assert.equal((await send(walk(ada, 'hc:me'), 'put', { about_me: 'Countess' })).status, 200);
assert.equal((await get(ada, 'hc:me')).about_me, 'Countess');

const users = walk(ada, 'hc:users', 'search', 'item[0]', 'hc:follow').withTemplateParameters({ q: 'b' });
assert.equal((await send(users, 'put', {})).status, 201);

for (let number = 1; number <= 13; number += 1) {
  assert.equal((await send(walk(bob, 'hc:posts'), 'post', { body: `number ${number}` })).status, 201);
}
console.log('published');

const bodies = [];
for (const path of [['hc:feed'], ['hc:feed', 'next']]) {
  for (const post of (await get(ada, ...path))._embedded.item) bodies.push(post.body);
}
assert.deepEqual(bodies, Array.from({ length: 13 }, (_, index) => `number ${13 - index}`));
assert.equal((await get(ada, 'hc:feed', 'next'))._links.next, undefined);

const followers = await get(bob, 'hc:me', 'hc:followers');
assert.equal(followers._meta.total_items, 1);
assert.equal((await get(bob, 'hc:me', 'hc:followers', 'item[0]')).username, 'ada');

const deletedUrl = (await get(bob, 'hc:posts', 'item[0]'))._links.self.href;
assert.equal((await send(walk(bob, 'hc:posts', 'item[0]'), 'delete')).status, 204);
const missing = traverson.from(deletedUrl).jsonHal().withRequestOptions({ headers: { Authorization: `Bearer ${bob}` } });
assert.equal((await send(missing, 'get')).status, 404);
assert.equal((await send(walk(bob, 'hc:posts'), 'post', { body: '' })).status, 400);

assert.equal((await send(walk(bob, 'hc:tokens'), 'delete')).status, 204);
const revoked = traverson.from(entryPoint).jsonHal().withRequestOptions({ headers: { Authorization: `Bearer ${bob}` } });
assert.equal((await send(revoked, 'get')).status, 401);
console.log('signed out');
