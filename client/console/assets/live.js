// Keeps a page up to date: the server sends its content again when it has changed. Without this script the page is
// complete, and as old as its last load.
const content = document.querySelector('[data-live]');
const state = document.querySelector('[data-live-state]');
/** Milliseconds before a new attempt after the server has refused a stream: it has as many as it serves. */
const REFUSED_WAIT_MS = 15_000;

if (content !== null && state !== null) follow();

function follow() {
  let stream = null;
  let isEdited = false;
  content.addEventListener('input', () => {
    isEdited = true;
  });
  const open = () => {
    if (stream !== null || document.hidden) return;
    const url = new URL(location.href);
    url.searchParams.set('seen', content.dataset.live);
    stream = new EventSource(url);
    stream.addEventListener('open', () => say('Live'));
    stream.addEventListener('content', ({ data, lastEventId }) => {
      if (isEdited) say('There is news: reload to see it');
      else {
        replace(JSON.parse(data));
        content.dataset.live = lastEventId;
        say(`Updated ${new Date().toLocaleTimeString()}`);
      }
    });
    stream.addEventListener('error', () => {
      say('Not live: reconnecting');
      if (stream?.readyState !== EventSource.CLOSED) return;
      stream = null;
      setTimeout(open, REFUSED_WAIT_MS);
    });
  };
  // a browser has six connections to a host: hidden pages use none
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return open();
    stream?.close();
    stream = null;
  });
  open();
}

/** Replaces the content; the focus and open details stay where they were. */
function replace(text) {
  const focused = keyOf(document.activeElement);
  const opened = [...content.querySelectorAll('details[open][id]')].map(({ id }) => id);
  content.innerHTML = text;
  for (const id of opened) document.getElementById(id)?.setAttribute('open', '');
  if (focused === null) return;
  [...content.querySelectorAll('a[href], button, summary, [id]')].find((one) => keyOf(one) === focused)?.focus();
}

function keyOf(element) {
  if (element === null || !content.contains(element)) return null;
  return element.id || element.getAttribute('href') || element.textContent;
}

function say(text) {
  state.textContent = text;
}
