// Every feature with Ketting, a client of HAL-FORMS: `node ketting.js http://host/api`.
import assert from 'node:assert/strict';
import { bearerAuth, Client } from 'ketting';

const [entryPoint] = process.argv.slice(2);
const password = 'correct horse';

async function expectError(work, status, type) {
  const error = await work.then(() => assert.fail(`${status} was expected`), (thrown) => thrown);
  assert.equal(error.status, status);
  assert.match(error.body.type, new RegExp(`/api/problems/${type}$`));
  return error.body;
}

async function get(client, ...rels) {
  let resource = client.go();
  for (const rel of rels) resource = await resource.follow(rel);
  return resource.get();
}

async function register(username) {
  const entry = await new Client(entryPoint).go().get();
  const user = await entry.action('register').submit({ username, email: `${username}@example.org`, password });
  assert.equal(user.data.username, username);
  assert.equal(user.data.email, undefined);
}

async function signIn(username) {
  const entry = await new Client(entryPoint).go().get();
  const token = await entry.action('login').submit({ username, password });
  assert.equal(token.data.token_type, 'Bearer');
  const client = new Client(entryPoint);
  client.use(bearerAuth(token.data.token));
  return client;
}

await register('ada');
await register('bob');
const conflict = await expectError(register('ADA'), 400, 'invalid-values');
assert.deepEqual(conflict.errors.map((error) => error.pointer), ['#/username', '#/email']);
await expectError(get(new Client(entryPoint), 'hc:users'), 401, 'unauthenticated');

const ada = await signIn('ada');
const bob = await signIn('bob');
console.log('signed in');

const me = await ada.follow('hc:me');
await (await me.get()).action('edit').submit({ about_me: 'Countess' });
assert.equal((await me.refresh()).data.about_me, 'Countess');
assert.equal((await me.get()).data.email, 'ada@example.org');

const results = await (await get(ada, 'hc:users')).action('search').submit({ q: 'b' });
const [other] = results.followAll('item');
await (await other.get()).action('follow').submit({});
const followed = await other.get(); // Link: rel="invalidates" removed it from the cache
assert.equal(followed.data.follower_count, 1);
assert.ok(!followed.hasAction('follow'));
assert.ok(followed.hasAction('unfollow'));

for (let number = 1; number <= 13; number += 1) {
  const posts = await get(bob, 'hc:posts');
  await posts.action('publish').submit({ body: `number ${number}` });
}
console.log('published');

const bodies = [];
for (let page = await ada.follow('hc:feed'); page;) {
  const state = await page.get();
  for (const item of state.followAll('item')) bodies.push((await item.get()).data.body);
  page = state.links.has('next') ? state.follow('next') : null;
}
assert.deepEqual(bodies, Array.from({ length: 13 }, (_, index) => `number ${13 - index}`));

const followers = await get(bob, 'hc:me', 'hc:followers');
assert.equal(followers.data._meta.total_items, 1);
assert.equal((await followers.follow('item').get()).data.username, 'ada');

const post = (await get(bob, 'hc:posts')).follow('item');
await (await post.get()).action('delete').submit({});
bob.clearCache();
await expectError(bob.go(post.uri).get(), 404, 'not-found');
assert.equal((await get(bob, 'hc:me')).data.post_count, 12);
await expectError((await bob.go().get()).action('publish').submit({ body: 'x'.repeat(141) }), 400, 'invalid-values');

const token = (await get(bob, 'hc:tokens')).follow('item');
await (await token.get()).action('revoke').submit({});
bob.clearCache();
await expectError(bob.go().get(), 401, 'invalid-token');
console.log('signed out');
