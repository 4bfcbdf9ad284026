// What a page does beyond what the browser does: it shows the token that a sign-in gave with every request, and
// sends forms with any method. The pages themselves are made by the server; this file knows no resource.
'use strict';

const KEY = 'halcyon-token';
const NEWS = 'application/hal+json, application/problem+json;q=0.9';
const home = new URL(document.getElementById('home').href);

const token = {
  get() {
    try { return sessionStorage.getItem(KEY); } catch { return null; } // in a frame there may be no storage
  },
  set(value) {
    if (value) sessionStorage.setItem(KEY, value);
    else if (token.get()) sessionStorage.removeItem(KEY);
    document.getElementById('sign-out').hidden = !value;
  },
};

let latest = 0; // of several clicks the last one decides
let shown = bare(window.location.href); // the address of the page that is here, which the history may run ahead of

function bare(address) {
  return address.split('#')[0];
}

function request(address, { method = 'GET', accept = 'text/html, */*;q=0.1', body } = {}) {
  const headers = { Accept: accept };
  if (token.get()) headers.Authorization = `Bearer ${token.get()}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  return fetch(address, { method, headers, body, credentials: 'omit' });
}

function say(text, href) {
  const message = document.getElementById('message');
  message.replaceChildren(text);
  if (href) {
    const link = document.createElement('a');
    link.href = href;
    link.append('Show it');
    message.append(' ', link);
  }
}

// The page in a response, or null where there is none that could be shown in the place of this one.
async function read(response) {
  const text = await response.text();
  if (!(response.headers.get('Content-Type') ?? '').startsWith('text/html')) return null;
  const page = new DOMParser().parseFromString(text, 'text/html');
  return page.getElementById('main') && page;
}

function show(page) {
  document.title = page.title;
  document.getElementById('main').replaceWith(document.adoptNode(page.getElementById('main')));
  document.getElementById('main').focus({ preventScroll: true });
}

// Show the page at an address in the place of this one. The history is told by the caller.
async function load(address) {
  const turn = ++latest;
  const response = await request(address);
  const page = await read(response);
  if (response.status === 401 && token.get()) return leave('You are no longer signed in.');
  if (turn !== latest) return undefined;
  if (!page) return window.location.assign(address); // what is no page of ours the browser can show itself
  show(page);
  shown = bare(address);
  if (response.status === 401) await addSignIn();
  return undefined;
}

async function visit(address) {
  const target = new URL(address);
  if (target.href !== window.location.href) window.history.pushState(null, '', target);
  await load(target.href);
  window.scrollTo(0, 0);
}

// The sign-in form is the entry point's own.
async function addSignIn() {
  const entry = await read(await request(home));
  const form = entry?.querySelector('form[data-form="login"]')?.closest('section');
  if (form) document.getElementById('main').append(document.adoptNode(form));
}

async function leave(message) {
  token.set(null);
  await visit(home);
  say(message);
}

function showErrors(form, problem) {
  const errors = problem.errors ?? [];
  for (const { pointer, detail } of errors) {
    const input = form.querySelector(`[name="${CSS.escape(pointer.replace(/^#\//, ''))}"]`);
    const place = input?.id && document.getElementById(`${input.id}-error`);
    if (place) {
      input.setAttribute('aria-invalid', 'true');
      place.textContent = detail;
    }
  }
  say(problem.detail ?? 'It was refused.');
  form.querySelector('[aria-invalid]')?.focus();
}

function clearErrors(form) {
  for (const input of form.querySelectorAll('[aria-invalid]')) input.removeAttribute('aria-invalid');
  for (const place of form.querySelectorAll('.error')) place.textContent = '';
}

async function submit(form) {
  const about = (name) => form.getAttribute(name); // a field can have the name of a property of its form
  const method = about('data-method') ?? about('method').toUpperCase();
  const target = new URL(about('action'), home);
  const values = Object.fromEntries(
    [...new FormData(form)].map(([name, value]) => [name, value.replaceAll('\r\n', '\n')]),
  );
  if (method === 'GET') {
    target.search = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''));
    return visit(target);
  }
  clearErrors(form);
  const hasBody = form.querySelector('[name]') !== null;
  const response = await request(target, {
    method, accept: NEWS, body: hasBody ? JSON.stringify(values) : undefined,
  });
  const isJson = /\bjson\b/.test(response.headers.get('Content-Type') ?? '');
  const answer = isJson ? await response.json() : {};
  if (response.status === 401 && (response.headers.get('WWW-Authenticate') ?? '').includes('invalid_token')) {
    return leave('You are no longer signed in.');
  }
  if (!response.ok) return showErrors(form, answer);
  if (about('id') === 'sign-out') return leave('You are signed out.');
  if (answer.token_type === 'Bearer') {
    token.set(answer.token);
    await visit(home);
    return say('You are signed in.');
  }
  const isGone = method === 'DELETE' && target.href === shown;
  if (isGone) await visit(document.querySelector('#main a[rel=collection]')?.href ?? home);
  else await load(shown);
  if (method === 'DELETE' && !token.get()) return undefined; // what was deleted was the account, or the token
  return say(`${about('aria-label')}: done.`, token.get() && response.status === 201 && response.headers.get('Location'));
}

function attempt(work) {
  say('');
  document.getElementById('main').setAttribute('aria-busy', 'true');
  work()
    .catch((error) => {
      console.error(error);
      say('The server cannot be reached. Try again.');
    })
    .finally(() => document.getElementById('main').removeAttribute('aria-busy'));
}

function isOurs(url) {
  return url.origin === home.origin && (url.pathname === home.pathname || url.pathname.startsWith(`${home.pathname}/`));
}

document.addEventListener('click', (event) => {
  const link = event.target.closest('a[href]');
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  if (link.getAttribute('href').startsWith('#') || !isOurs(new URL(link.href))) return;
  event.preventDefault();
  attempt(() => visit(link.href));
});

document.addEventListener('submit', (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button?.getAttribute('aria-disabled')) return;
  button?.setAttribute('aria-disabled', 'true'); // one click, one request
  attempt(() => submit(event.target).finally(() => button?.removeAttribute('aria-disabled')));
});

window.addEventListener('popstate', () => { // which the skip link causes, too
  if (bare(window.location.href) !== shown) attempt(() => load(window.location.href));
});

// The browser itself asked for this page, and therefore without the token.
token.set(token.get());
if (token.get() && isOurs(window.location)) attempt(() => load(window.location.href));
else if (document.querySelector('#main .status')?.textContent === '401') attempt(addSignIn);
