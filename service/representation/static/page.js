// Enhancements of a page; without this script everything works by plain forms and links. It sends forms without
// leaving the page, keeps drafts, counts characters as the server does, and shows local times. It has no code for
// particular resources. The session is in a cookie that scripts cannot read.
'use strict';

const DRAFT = 'draft ';
const SESSION = 'session-changed'; // when somebody signed in or out
const SIGNED_OUT = 'signed-out';
const RENEWED = 'renewed';
const loaded = Date.now();

function storage(kind) { // in a frame, access may be denied
  try { return window[kind]; } catch { return null; }
}

function userOf(page) { // the id of the user who is signed in
  return page.getElementById('sign-out')?.dataset.user ?? '';
}

function showMessage(text) {
  document.getElementById('message').textContent = text;
  clearTimeout(showMessage.timer);
  if (text) showMessage.timer = setTimeout(() => showMessage(''), 8000);
}

// Times

const WEEK = 604800;
const UNITS = [['day', 86400], ['hour', 3600], ['minute', 60]];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const absolute = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });

function day(date, more) { // with the year unless it is the current one
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : 'numeric';
  return date.toLocaleString('en-GB', { day: 'numeric', month: 'short', year, ...more });
}

function ago(date) {
  const seconds = (date - Date.now()) / 1000;
  if (seconds < -WEEK) return day(date);
  const [unit, size] = UNITS.find(([, size]) => Math.abs(seconds) >= size) ?? ['second', 1];
  return unit === 'second' ? 'just now' : relative.format(Math.trunc(seconds / size), unit);
}

function showTimes(root) {
  for (const time of root.querySelectorAll('time')) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    time.title = absolute.format(date);
    if (time.classList.contains('ago')) time.textContent = ago(date);
    else time.textContent = day(date, time.classList.contains('day') ? {} : { hour: '2-digit', minute: '2-digit' });
  }
}

// Fields: lengths are in code points after normalization, which maxlength does not count

function count(field) {
  const left = Number(field.dataset.max) - [...field.value.normalize('NFC').trim()].length;
  const characters = `${Math.abs(left)} character${Math.abs(left) === 1 ? '' : 's'}`;
  field.setCustomValidity(left < 0 ? `${characters} too many` : '');
  const hint = field.localName === 'textarea' && document.getElementById(`${field.id}-hint`);
  if (hint) hint.textContent = `${characters} ${left < 0 ? 'too many' : 'left'}`;
}

// Drafts are only for their author, and are kept until somebody signs out in any tab

function draftPrefix() {
  return `${DRAFT}${storage('localStorage')?.getItem(SIGNED_OUT)} `;
}

function removeOtherDrafts() { // without a user, keep those of a user whose session may have expired
  const user = userOf(document);
  const kept = draftPrefix() + (user && `${user} `);
  for (const key of Object.keys(storage('sessionStorage') ?? {})) {
    if (key.startsWith(DRAFT) && !key.startsWith(kept)) sessionStorage.removeItem(key);
  }
}

function draftName(form, part) {
  return `${draftPrefix()}${userOf(document)} ${idOf(form)} ${form.dataset.form} ${part}`;
}

function draftOf(field) {
  const form = field.closest('form[method="post"]');
  if (!form || !field.name || field.type === 'password' || field.type === 'hidden') return null;
  return draftName(form, field.name);
}

function retryName(form) {
  return draftName(form, `key ${location.href}`);
}

function retryKey(form) { // the same until the form is changed or succeeds, so that it takes effect once
  const name = retryName(form);
  const key = storage('sessionStorage')?.getItem(name) ?? crypto.getRandomValues(new Uint32Array(4)).join('-');
  storage('sessionStorage')?.setItem(name, key);
  return `"${key}"`;
}

function prepare(root) {
  showTimes(root);
  for (const field of root.querySelectorAll('input[id], textarea')) {
    const key = draftOf(field);
    if (key && !field.autocomplete) field.autocomplete = 'off'; // else the browser restores it for the next user
    const draft = key && storage('sessionStorage')?.getItem(key);
    if (draft && draft !== field.value) {
      field.value = draft;
      const details = field.closest('details');
      if (details) details.open = true;
    }
    if (field.dataset.max) count(field);
  }
}

function removeDrafts(form) {
  for (const field of form.querySelectorAll('[name]')) {
    const key = draftOf(field);
    if (key) storage('sessionStorage')?.removeItem(key);
  }
  storage('sessionStorage')?.removeItem(retryName(form));
}

document.addEventListener('input', ({ target }) => {
  if (target.dataset.max) count(target);
  const key = draftOf(target);
  if (key && target.form.dataset.form !== 'login') {
    if (target.value) storage('sessionStorage')?.setItem(key, target.value);
    else storage('sessionStorage')?.removeItem(key);
    storage('sessionStorage')?.removeItem(retryName(target.form));
  }
  if (target.id === 'find') filterOperations(target.value);
});

// Forms

function idOf(form) {
  return new URL(form.getAttribute('action'), location).pathname;
}

function clearErrors(form) {
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
  for (const output of form.querySelectorAll('.error')) output.textContent = '';
}

function showErrors(form, page) {
  const failed = page.querySelector(`#main form[data-form="${form.dataset.form}"]`);
  for (const error of failed?.querySelectorAll('.error') ?? []) {
    const name = error.dataset.for;
    const output = form.querySelector(`.error[data-for="${name}"]`);
    if (!output || !error.textContent) continue;
    output.textContent = error.textContent;
    const field = name && form.querySelector(`[name="${name}"]`);
    if (field) field.setAttribute('aria-invalid', 'true');
  }
  const formError = form.querySelector('.error[data-for=""]');
  if (formError && !formError.textContent) {
    const detail = page.querySelector('#main .detail');
    formError.textContent = detail?.textContent ?? (failed ? '' : 'Something went wrong. Please try again.');
  }
  (form.querySelector('[aria-invalid]') ?? form.querySelector('button')).focus();
  formError?.scrollIntoView({ block: 'nearest' });
}

const ENTRIES = '#main :is(.card, .rows tbody tr)';

function replaceMain(page, form, isGone) { // the focus stays at the form, or at the entry that follows a deleted one
  const id = isGone ? '' : idOf(form);
  const index = [...document.querySelectorAll(ENTRIES)].indexOf(form.closest('.card, tr'));
  document.title = page.title;
  document.querySelector('header').replaceWith(document.adoptNode(page.querySelector('header')));
  document.getElementById('main').replaceWith(document.adoptNode(page.getElementById('main')));
  prepare(document.getElementById('main'));
  const same = [...document.querySelectorAll('#main form')].find((form) => idOf(form) === id);
  const target = same?.querySelector('textarea') ?? same?.querySelector('button')
    ?? document.querySelectorAll(ENTRIES)[index]?.querySelector('a') ?? document.getElementById('main');
  if (target.closest('details:not([open])')) target.closest('details').querySelector('summary').focus({ preventScroll: true });
  else target.focus({ preventScroll: true });
}

async function submit(form, button) {
  clearErrors(form);
  showMessage('');
  await renewal;
  const method = form.querySelector('[name="_method"]')?.value;
  const body = new URLSearchParams(new FormData(form, button));
  const headers = { Accept: 'text/html' };
  if (!method && userOf(document)) headers['Idempotency-Key'] = retryKey(form);
  const response = await fetch(form.getAttribute('action'), { method: 'POST', headers, body });
  const page = new DOMParser().parseFromString(await response.text(), 'text/html');
  const isDone = response.ok || (response.redirected && response.status < 500);
  const isLogin = form.dataset.form === 'login';
  const isExpired = !isDone && response.status === 401 && !isLogin;
  if (isExpired && form.id !== 'sign-out') return replaceMain(page, form); // with the sign-in form
  if (!isDone && !isExpired) return showErrors(form, page);
  removeDrafts(form);
  const user = userOf(document);
  if (isExpired || isLogin || (user && userOf(page) !== user)) {
    const keys = isLogin ? [RENEWED, SESSION] : [SIGNED_OUT, SESSION];
    for (const key of keys) storage('localStorage')?.setItem(key, String(Date.now()));
    return location.assign(isDone ? response.url : location.href);
  }
  const done = form.dataset.done;
  if (!page.getElementById('main')) return location.assign(response.url);
  if (response.url.replace(/[?&]done=[^&]*$/, '') !== location.href.split('#')[0]) {
    if (!page.querySelector('.notice')) storage('sessionStorage')?.setItem('done', done);
    if (method === 'DELETE') return location.replace(response.url); // Back must not lead to what is deleted
    return location.assign(response.url);
  }
  page.querySelector('.notice')?.remove(); // the message says it
  replaceMain(page, form, method === 'DELETE' && form.closest('.actions'));
  return showMessage(done);
}

document.addEventListener('submit', (event) => {
  const form = event.target;
  if (form.method !== 'post') {
    for (const field of form.querySelectorAll('[name]')) field.disabled = field.value === '';
    setTimeout(() => form.querySelectorAll('[name]').forEach((field) => { field.disabled = false; }));
    return;
  }
  event.preventDefault();
  const button = event.submitter ?? form.querySelector('button');
  if (button.getAttribute('aria-disabled')) return;
  button.setAttribute('aria-disabled', 'true'); // one click, one request
  submit(form, event.submitter)
    .catch(() => {
      const output = form.querySelector('.error[data-for=""]');
      if (output) output.textContent = 'The server cannot be reached. Your text is kept; try again.';
      else showMessage('The server cannot be reached. Try again.');
    })
    .finally(() => button.removeAttribute('aria-disabled'));
});

document.addEventListener('keydown', (event) => {
  if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && event.target.localName === 'textarea') {
    event.preventDefault();
    event.target.form.requestSubmit();
  }
});

// Sessions: a session in use is renewed; other tabs reload after a change

const renewAfter = Number(document.getElementById('sign-out')?.dataset.lifetime) * 1000 / 6; // several renewals may fail
let isActive = false;
let renewal = null;

function renew() {
  const action = document.getElementById('sign-out')?.getAttribute('action');
  const store = storage('localStorage');
  const last = store ? Number(store.getItem(RENEWED)) : loaded;
  if (!action || Date.now() - last < renewAfter) return;
  isActive = false;
  store?.setItem(RENEWED, String(Date.now()));
  renewal = fetch(action, { // which continues if the page is left, because the old session ends soon
    method: 'POST', headers: { Accept: 'text/html' }, body: new URLSearchParams(), redirect: 'manual', keepalive: true,
  }).catch(() => {});
}

if (renewAfter) {
  for (const event of ['keydown', 'pointerdown']) document.addEventListener(event, () => { isActive = true; });
  setInterval(() => { if (isActive) renew(); }, Math.min(renewAfter / 10, 60000));
  renew(); // loading a page counts as use
}
function reloadAfterSessionChange() {
  if (Number(storage('localStorage')?.getItem(SESSION) ?? 0) > loaded) location.reload();
}
window.addEventListener('storage', ({ key }) => { if (key === SESSION) reloadAfterSessionChange(); });
window.addEventListener('pageshow', ({ persisted }) => { if (persisted) reloadAfterSessionChange(); });

// The documentation: the sidebar shows the operation in the URL, a search shows those that contain all the words

function markOperation() {
  for (const link of document.querySelectorAll('.docs aside a')) {
    if (link.hash === location.hash) {
      link.setAttribute('aria-current', 'true');
      for (const part of [link, document.getElementById(link.hash.slice(1))]) part.closest('details').open = true;
    } else link.removeAttribute('aria-current');
  }
}
window.addEventListener('hashchange', markOperation);

function filterOperations(text) {
  const terms = text.toLowerCase().split(/\s+/).filter(Boolean);
  for (const article of document.querySelectorAll('.docs article')) {
    const words = [...article.querySelectorAll('h3, p, th')].map((part) => part.textContent).join(' ').toLowerCase();
    article.hidden = !terms.every((word) => words.includes(word));
  }
  document.querySelector('.docs .intro').hidden = terms.length > 0;
  for (const section of document.querySelectorAll('.docs section')) {
    section.hidden = !section.querySelector('article:not([hidden])');
  }
  for (const link of document.querySelectorAll('.docs aside li')) {
    link.hidden = document.getElementById(link.firstElementChild.hash.slice(1))?.hidden ?? false;
  }
  for (const group of document.querySelectorAll('.docs aside details')) {
    group.open = terms.length > 0;
    group.hidden = !group.querySelector('li:not([hidden])');
  }
}

for (const examples of navigator.clipboard ? document.querySelectorAll('.examples') : []) { // not without https
  const button = document.createElement('button');
  button.className = 'plain copy';
  button.textContent = 'Copy';
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(examples.querySelector('pre').textContent);
    showMessage('The request is copied.');
  });
  examples.prepend(button);
}

document.getElementById('search')?.removeAttribute('hidden');
markOperation();
removeOtherDrafts();
prepare(document);
const done = storage('sessionStorage')?.getItem('done');
if (done) {
  storage('sessionStorage').removeItem('done');
  showMessage(done);
}
