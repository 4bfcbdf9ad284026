// Every feature with Orbit, a client of JSON:API: `node orbit.js http://host/api`.
import assert from 'node:assert/strict';
import { ClientError, JSONAPISerializers, JSONAPISource } from '@orbit/jsonapi';
import { RecordKeyMap, RecordSchema } from '@orbit/records';
import { buildSerializerSettingsFor } from '@orbit/serializers';

const [host] = process.argv.slice(2);
const password = 'correct horse';
const strings = (...names) => Object.fromEntries(names.map((name) => [name, { type: 'string' }]));
const keys = { remoteId: {} };
const users = { kind: 'hasMany', type: 'user' };
const schema = new RecordSchema({
  models: {
    user: {
      keys,
      attributes: {
        ...strings('username', 'email', 'password', 'about_me'),
        follower_count: { type: 'number' },
      },
      relationships: { followers: users, following: users, posts: { kind: 'hasMany', type: 'post' } },
    },
    post: {
      keys,
      attributes: { ...strings('body'), created_at: { type: 'datetime' } },
      relationships: { author: { kind: 'hasOne', type: 'user' } },
    },
    token: { keys, attributes: strings('username', 'password', 'token', 'token_type') },
  },
});
const keyMap = new RecordKeyMap();
const serializerSettingsFor = buildSerializerSettingsFor({
  settingsByType: {
    [JSONAPISerializers.ResourceType]: {
      serializationOptions: { inflectors: ['pluralize'] },
      deserializationOptions: { inflectors: ['singularize'] },
    },
  },
});

function connect(token) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return new JSONAPISource({ schema, keyMap, host, serializerSettingsFor, defaultFetchSettings: { headers } });
}

const anonymous = connect();
const register = (username, email = `${username}@example.org`) => anonymous.update(
  (change) => change.addRecord({ type: 'user', attributes: { username, email, password } }),
);
const bodies = (posts) => posts.map((post) => post.attributes.body);

async function signIn(username) {
  const attributes = { username, password };
  const token = await anonymous.update((change) => change.addRecord({ type: 'token', attributes }));
  assert.equal(token.attributes.token_type, 'Bearer');
  return connect(token.attributes.token);
}

async function expectError(source, status, work) {
  const error = await work(source).then(() => assert.fail(`${status} was expected`), (thrown) => thrown);
  await source.requestQueue.skip(error); // a task that failed stops the queue
  assert.ok(error instanceof ClientError, error);
  assert.equal(error.response.status, status);
  return error.data.errors;
}

const me = await register('ada');
const other = await register('bob');
const conflict = await expectError(anonymous, 400, () => register('ADA', 'new@example.org'));
assert.deepEqual(conflict.map((error) => error.source.pointer), ['/data/attributes/username']);
await expectError(anonymous, 401, (source) => source.query((query) => query.findRecords('user')));
const ada = await signIn('ada');
const bob = await signIn('bob');
console.log('signed in');

const own = await ada.query((query) => query.findRecord(me));
assert.equal(own.attributes.email, 'ada@example.org');
await ada.update((change) => change.replaceAttribute(me, 'about_me', 'Countess'));
assert.equal((await ada.query((query) => query.findRecord(me))).attributes.about_me, 'Countess');

const [match] = await ada.query((query) => query.findRecords('user').filter({ attribute: 'username', value: 'BOB' }));
assert.equal(match.keys.remoteId, other.keys.remoteId);
await ada.update((change) => change.addToRelatedRecords(me, 'following', match));
const following = await ada.query((query) => query.findRelatedRecords(me, 'following'));
assert.deepEqual(following.map((user) => user.attributes.username), ['bob']);
assert.equal((await ada.query((query) => query.findRecord(other))).attributes.follower_count, 1);

for (let number = 0; number < 12; number += 1) {
  const attributes = { body: `post ${number}` };
  const relationships = { author: { data: { type: 'user', id: other.id } } };
  await bob.update((change) => change.addRecord({ type: 'post', attributes, relationships }));
}
console.log('published');

const listed = [];
for (let url = `${host}/posts?page[size]=5&sort=created_at&include=author`; url;) {
  const page = await ada.query((query) => query.findRecords('post'), { url, fullResponse: true });
  assert.ok(page.data.every((post) => post.relationships.author.data.id === other.id));
  listed.push(...bodies(page.data));
  url = page.details[0].document.links.next;
}
assert.deepEqual(listed, Array.from({ length: 12 }, (_, number) => `post ${number}`));

const post = await ada.update((change) => change.addRecord({ type: 'post', attributes: { body: 'hello' } }));
await ada.update((change) => change.replaceAttribute(post, 'body', 'hello again'));
assert.deepEqual(bodies(await ada.query((query) => query.findRelatedRecords(me, 'posts'))), ['hello again']);
const rename = (body) => (source) => source.update((change) => change.replaceAttribute(post, 'body', body));
const tooLong = await expectError(ada, 400, rename('x'.repeat(141)));
assert.deepEqual(tooLong.map((error) => error.source.pointer), ['/data/attributes/body']);
await expectError(bob, 403, rename('not mine'));
await expectError(ada, 403, (source) => source.update((change) => change.replaceRelatedRecord(post, 'author', other)));
await ada.update((change) => change.removeRecord(post));
assert.equal(await ada.query((query) => query.findRecord(post)), undefined);

await ada.update((change) => change.removeFromRelatedRecords(me, 'following', match));
assert.deepEqual(await ada.query((query) => query.findRelatedRecords(me, 'following')), []);

const [token] = await ada.query((query) => query.findRecords('token'));
await ada.update((change) => change.removeRecord(token));
await expectError(ada, 401, (source) => source.query((query) => query.findRecord(me)));
console.log('signed out');
