"The script of an animation: plain JavaScript that loads nothing and asks nobody."

__all__ = ['player_script']

# For every animation of this name that is not alive yet. A state holds the number of a picture
# for each position, -1 where it is masked.
_STATES = r'''
(() => { for (const root of document.querySelectorAll('#NAME:not([data-on])')) {
root.dataset.on = 1;
const data = JSON.parse(root.querySelector('script').textContent);
const $ = selector => root.querySelector(selector);
const cells = [...root.querySelectorAll('.tok')];
const play = $('button'), slider = $('input'), status = $('output'), text = $('.text');
const last = data.frames.length-1;
let state = Array(data.length).fill(-1), timer = null;
const states = data.frames.map(frame => {
  state = [...state];
  for (const [position, picture] of frame.changes) state[position] = picture;
  return state;
});
const written = data.frames.map((frame, n) =>
  new Set(n ? frame.changes.filter(change => change[1] >= 0).map(change => change[0]) : []));
'''

# Draws frame n: only the cells that differ from what they show.
_SHOW = r'''
const visible = Array(data.length).fill(-2);
const fill = (cell, picture) => {
  const word = document.createElement('b');
  const image = document.createElement(picture < 0 ? 'i' : 'img');
  cell.title = picture < 0 ? 'masked' : data.words[picture];
  if (picture >= 0) {
    image.src = data.pictures[picture];
    image.alt = 'grid of ' + data.words[picture];
    word.textContent = data.words[picture];
  }
  cell.replaceChildren(image, word);
};
const describe = n => {
  const count = written[n].size, confidence = data.frames[n].confidence;
  if (!count) return `step ${n} of ${last}`;
  const certain = confidence === null ? '' : `, confidence ${Math.round(100*confidence)}%`;
  return `step ${n} of ${last}, wrote ${count}${certain}`;
};
const show = n => {
  states[n].forEach((picture, position) => {
    cells[position].classList.toggle('new', written[n].has(position));
    if (visible[position] === picture) return;
    visible[position] = picture;
    fill(cells[position], picture);
  });
  slider.value = n;
  text.textContent = data.frames[n].text;
  status.textContent = describe(n);
  slider.setAttribute('aria-valuetext', status.textContent);
};
'''

# Button and slider.
_PLAY = r'''
const stop = () => { clearInterval(timer); timer = null; play.textContent = '\u25b6 Play'; };
const step = () => {
  if (!root.isConnected || +slider.value >= last) stop();
  else show(+slider.value+1);
};
const go = () => {
  if (+slider.value >= last) show(0);
  play.textContent = '\u23f8 Pause';
  timer = setInterval(step, MILLISECONDS);
};
play.onclick = () => timer ? stop() : go();
slider.oninput = () => { stop(); show(+slider.value); };
'''

# Arrow keys, Home, End and the space bar; then the start.
_KEYS = r'''
root.onkeydown = event => {
  if (event.target === slider && event.key !== ' ') return;
  const now = +slider.value;
  const n = {ArrowLeft: now-1, ArrowRight: now+1, Home: 0, End: last}[event.key];
  if (event.key === ' ' && event.target !== play) play.onclick();
  else if (n !== undefined) { stop(); show(Math.min(last, Math.max(0, n))); }
  else return;
  event.preventDefault();
  event.stopPropagation();
};
$('.bar').hidden = false;
show(last);
text.style.minHeight = text.offsetHeight + 'px';
const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
if (AUTO && !still) { show(0); go(); }
} })();
'''


def player_script(
    name,  # id of the animation's element
    ms,  # milliseconds a step
    auto,  # begin to play at once
):
    "JavaScript that plays the animation in the element `name`"
    script = ''.join(part.lstrip('\n') for part in (_STATES, _SHOW, _PLAY, _KEYS))
    script = script.replace('NAME', name).replace('MILLISECONDS', str(ms))
    return script.replace('AUTO', str(auto).lower()).rstrip('\n')
