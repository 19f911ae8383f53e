// Makes the state page a little more convenient; everything on it works without this.

// Copy the command.
for (const button of document.querySelectorAll('[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  const result = document.getElementById('copy-result');

  const copy = async () => {
    // Emptied first, as an unchanged text is not announced again.
    result.textContent = '';
    try {
      await navigator.clipboard.writeText(source.textContent);
      result.textContent = button.dataset.copied;
    } catch {
      // The browser forbids it: leave the last step to the person.
      getSelection().selectAllChildren(source);
      result.textContent = button.dataset.failed;
    }
  };

  button.addEventListener('click', () => void copy());
  button.hidden = false;
}

// Count down the token's time, from what the server said rather than from this machine's clock.
const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: 'always' });
let shownAt = performance.now();

function countDown() {
  const time = document.querySelector('time[data-seconds]');
  if (!time) return;
  const passed = (performance.now() - shownAt) / 1000;
  const left = Math.max(0, Math.floor(time.dataset.seconds - passed));
  time.textContent =
    left < 120 ? format.format(left, 'second') : format.format(Math.floor(left / 60), 'minute');
}

setInterval(countDown, 1000);

// Ask now and then whether the page is still true. A new state is a new page; a new token is a new time on it.
const shown = document.querySelector('[data-state]');

async function look() {
  if (document.hidden) return;
  const answer = await fetch('/', { redirect: 'manual' }).catch(() => undefined);
  // Out of reach, or out of order: what the page says is still the best that is known.
  if (!answer || (!answer.ok && answer.type !== 'opaqueredirect')) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
  if (fresh.querySelector('[data-state]')?.dataset.state !== shown.dataset.state) {
    location.reload();
    return;
  }
  const token = fresh.getElementById('token');
  if (!token) return;
  document.getElementById('token')?.replaceWith(token);
  shownAt = performance.now();
}

if (shown) {
  setInterval(look, shown.dataset.state === 'Preparing' ? 2000 : 60_000);
  document.addEventListener('visibilitychange', () => void look());
}
