/* The explorer: choose or draw a learning rate, and see at once what it leaves in the noisy valley.
   lrbook.chapters.explorer puts explorer.html, explorer.css, this file and the recorded numbers into a page or a
   notebook; every <div data-lrx> becomes an explorer. A new schedule is a new entry of SHAPES, and of choices.py, which
   has its name and its sliders. tests/book/test_explorer.py holds rates, losses and bounds to lrlib's, step by step. */

// ---- 1. The noisy valley, exact: the recursion of lrlib/theory/valley.py ----
const DIRECTIONS = 64, NOISE = 0.1, EDGE = 2, KNOTS = 16;

/* One direction after 1, ..., T updates: calls each(t, mean, variance). */
function follow(rates, curvature, each) {
  for (let t = 0, m = 1, v = 0; t < rates.length; t++) {
    const eta = rates[t], a = 1 - eta * curvature;
    m *= a; v = a * a * v + NOISE * eta * eta * curvature;
    each(t + 1, m, v);
  }
}
/* Loss, distance left and shaking left after 0, ..., T updates; inf from the first value that is no float. */
function trajectory(rates) {
  const distance = new Float64Array(rates.length + 1), shaking = new Float64Array(rates.length + 1);
  for (let i = 1; i <= DIRECTIONS; i++) {
    const half = 0.5 / i;
    distance[0] += half;
    follow(rates, 1 / i, (t, m, v) => { distance[t] += half * m * m; shaking[t] += half * v; });
  }
  const gone = part => part.findIndex(x => !Number.isFinite(x));
  for (const part of [distance, shaking]) if (gone(part) >= 0) part.fill(Infinity, gone(part));
  return { distance, shaking, loss: distance.map((d, t) => d + shaking[t]) };
}

/* The loss after the last update alone, from the end backwards; four directions at once, three times as fast. */
function finalLoss(factors, peak) {
  let loss = 0;
  for (let i = 1; i <= DIRECTIONS; i += 4) {
    const l0 = 1 / i, l1 = 1 / (i + 1), l2 = 1 / (i + 2), l3 = 1 / (i + 3);
    let p0 = 1, p1 = 1, p2 = 1, p3 = 1, s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    for (let t = factors.length - 1; t >= 0; t--) {
      const eta = peak * factors[t], q = eta * eta;
      s0 += q * p0 * p0; s1 += q * p1 * p1; s2 += q * p2 * p2; s3 += q * p3 * p3;
      p0 *= 1 - eta * l0; p1 *= 1 - eta * l1; p2 *= 1 - eta * l2; p3 *= 1 - eta * l3;
    }
    loss += 0.5 * (l0 * (p0 * p0 + NOISE * l0 * s0) + l1 * (p1 * p1 + NOISE * l1 * s1)
      + l2 * (p2 * p2 + NOISE * l2 * s2) + l3 * (p3 * p3 + NOISE * l3 * s3));
  }
  return Number.isFinite(loss) ? loss : Infinity;
}

// ---- 2. Schedules, as lrlib's recipes and shapes: choices.py has their names and sliders ----
const clamp = (x, a, b) => Math.min(Math.max(x, a), b);
const halfEven = x => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));  // Python's round, as in recipes
const halfCosine = (left, L) =>  // near its end by the sine, as a cosine would keep few digits there
  (2 * left < L ? Math.sin(Math.PI * left / (2 * L)) ** 2 : (1 + Math.cos(Math.PI * (L - left) / L)) / 2);

/* A shape: its line in lrlib; the factor of update t; what torch is given if it begins o updates late: a factor as text, or
   a scheduler of torch's own; and what its sliders say: a text, or a number of updates. */
const shape = (lrlib, factor, torch, said = {}) => ({ lrlib: `lrlib.${lrlib}`, factor, torch, said });
const linear = T => shape(`LinearDecay(total_steps=${T})`, t => (T - t) / T, (o = 0) => `max(0, ${T + o} - t) / ${T}`);
const oneMinusSqrt = T => shape(`schedules.OneMinusSqrt(total_steps=${T})`, t => (T - t) / T / (1 + Math.sqrt(t / T)),
  o => `1 - math.sqrt(min(1, (t - ${o}) / ${T}))`);
const cosineText = (T, low, o) => `${low} + (1 - ${low}) * (1 + math.cos(math.pi * min(1, (t - ${o}) / ${T}))) / 2`;
/* A shape after a warm-up of W updates, or after S updates at the peak. */
const warm = (W, then, said) => ({ ...then, said, ...W && {
  lrlib: `lrlib.with_warmup(${then.lrlib}, steps=${W})`, factor: t => (t < W ? t / W : then.factor(t - W)),
  torch: () => `t / ${W} if t < ${W} else ${then.torch(W)}`,
} });
const held = (S, then, T) => (!S ? then : {
  lrlib: `lrlib.join([(lrlib.Constant(), ${S}), (${then.lrlib}, ${T})])`, factor: t => (t < S ? 1 : then.factor(t - S)),
  torch: o => `1.0 if t < ${o + S} else ${then.torch(o + S)}`,
});
function wsd(T, p, tail) {
  const cooldown = Math.max(1, halfEven(p.cooldown * T)), warmup = Math.min(halfEven(p.warmup * T), T - cooldown);
  return warm(warmup, held(T - cooldown - warmup, tail(cooldown), cooldown), { warmup, cooldown });
}
const warmup = (T, p) => Math.min(halfEven(p.warmup * T), T - 1);
/* How many cycles, and the length of the first; fewer where the last would be empty. */
function cycles(T, n, growth = 1) {
  const all = k => (growth === 1 ? k : (growth ** k - 1) / (growth - 1)), first = Math.ceil(T / all(n));
  return first * all(n - 1) >= T ? cycles(T, n - 1, growth) : [n, first];
}

const SHAPES = {
  draw: (T, p) => {
    const knots = p.knots.map(k => k / 1000), list = `[${knots.join(", ")}]`, end = KNOTS - 1;
    return shape(`Knots(total_steps=${T}, factors=${list})`, t => {  // the arithmetic of lrlib.Knots, bit for bit
      const u = t * end, k = Math.floor(u / T), a = knots[k], b = knots[k + 1], rest = u - k * T;
      return 2 * rest <= T ? a + (b - a) * (rest / T) : b + (a - b) * ((T - rest) / T);
    }, () => `float(np.interp(${end} * t / ${T}, range(${KNOTS}), ${list}))`);
  },
  constant: () => shape("Constant()", () => 1, () => "1.0"),
  time: (T, { decay }) => shape(`TimeDecay(decay=${decay})`, t => 1 / (1 + decay * t), () => `1 / (1 + ${decay} * t)`),
  drop: (T, p) => {
    const f = p.drop, every = Math.max(1, halfEven(p.every * T)), offset = halfEven(p.offset * T);
    return shape(`DropDecay(drop_factor=${f}, drop_steps=${every}, offset_steps=${offset})`,
      t => f ** Math.floor((t + offset) / every), () => `${f} ** ((t + ${offset}) // ${every})`, { every, offset });
  },
  linear,
  poly: (T, { power }) => shape(`PolynomialDecay(total_steps=${T}, power=${power})`, t => ((T - t) / T) ** power,
    () => `(max(0, ${T} - t) / ${T}) ** ${power}`),
  triangle: (T, { start, ...p }) => {
    const W = warmup(T, p), down = `max(0, ${T} - t) / ${T - W}`;
    return shape(`Triangle(total_steps=${T}, warmup_steps=${W}, start=${start})`,
      t => (t < W ? start + (1 - start) * t / W : (T - t) / (T - W)),
      () => (W ? `${start} + (1 - ${start}) * t / ${W} if t < ${W} else ${down}` : down), { warmup: W });
  },
  cosine: (T, p) => {
    const [n, L] = cycles(T, p.cycles);
    return shape(`CosineAnnealing(total_steps=${T}, cycles=${n})`, t => halfCosine(L - t % L, L),
      () => `(1 + math.cos(math.pi * (t % ${L}) / ${L})) / 2 if t < ${T} else 0.0`, { cycles: `${n}` });
  },
  exponential: (T, { end }) => shape(`schedules.ExponentialDecay(decay_rate=${end}, decay_steps=${T})`, t => end ** (t / T),
    () => `ExponentialLR(optimizer, gamma=${end} ** (1 / ${T}))`),
  noam: (T, p) => {
    const W = Math.max(1, halfEven(p.warmup * T));
    return shape(`schedules.InverseSqrt(warmup_steps=${W})`, t => Math.min((t + 1) / W, Math.sqrt(W / (t + 1))),
      () => `min((t + 1) / ${W}, math.sqrt(${W} / (t + 1)))`, { warmup: W });
  },
  step: (T, { drop: f, ...p }) => {
    const first = halfEven(p.first * T), second = halfEven(p.second * T), [a, b] = [first, second].sort((x, y) => x - y);
    const W = Math.min(halfEven(p.warmup * T), a), lrlib = `milestones=[${a - W}, ${b - W}], drop_factor=${f}`;
    return warm(W, shape(`schedules.MilestoneDecay(${lrlib})`, t => f ** ((t >= a - W) + (t >= b - W)),
      () => `${f} ** ((t >= ${a}) + (t >= ${b}))`), { warmup: W, first, second });
  },
  cosine_floor: (T, { floor, ...p }) => {
    const W = warmup(T, p), L = T - W;
    return warm(W, shape(`schedules.CosineToFloor(total_steps=${L}, floor=${floor})`,
      t => floor + (1 - floor) * halfCosine(L - t, L), o => cosineText(L, floor, o)), { warmup: W });
  },
  "1cycle": (T, { start, end, lines, ...p }) => {
    const W = warmup(T, p), along = lines ? (left, L) => left / L : halfCosine, anneal = lines ? "linear" : "cosine";
    const alone = lines ? `${end} + (1 - ${end}) * max(0, ${T} - t) / ${T}` : cosineText(T, end, 0);  // the way down, if W is 0
    return shape(`schedules.OneCycle(total_steps=${T}, warmup_steps=${W}, start=${start}, end=${end}, anneal="${anneal}")`,
      t => (t < W ? start + (1 - start) * along(t, W) : end + (1 - end) * along(T - t, T - W)),
      (o, peak) => (!W ? alone : `OneCycleLR(optimizer, max_lr=${peak}, total_steps=${T + 1}, pct_start=${W + 1} / ${T + 1}, `
        + `div_factor=1 / ${start}, final_div_factor=${start} / ${end}, anneal_strategy="${anneal.slice(0, lines ? 6 : 3)}")`),
      { warmup: W, lines: lines ? "straight lines" : "cosines" });
  },
  sgdr: (T, { growth, ...p }) => {
    const [n, L] = cycles(T, p.cycles, growth);
    return shape(`schedules.WarmRestarts(cycle_steps=${L}, growth=${growth})`, t => {
      let l = L; for (; t >= l; l *= growth) t -= l;
      return halfCosine(l - t, l);
    }, () => `CosineAnnealingWarmRestarts(optimizer, T_0=${L}, T_mult=${growth})`, { cycles: `${n}, the first of ${L}` });
  },
  clr: (T, { low, height: f, ...p }) => {
    const S = Math.max(1, halfEven(T / (2 * p.cycles))), shrink = f < 1 ? `, scale_fn=lambda k: ${f} ** (k - 1)` : "";
    return shape(`schedules.CyclicTriangle(half_cycle_steps=${S}, low=${low}, peak_factor=${f})`,
      t => low + (1 - low) * f ** Math.floor(t / (2 * S)) * Math.min(t % (2 * S), 2 * S - t % (2 * S)) / S,
      (o, peak) => `CyclicLR(optimizer, ${low} * ${peak}, ${peak}, step_size_up=${S}, cycle_momentum=False${shrink})`,
      { cycles: `${p.cycles}, each of ${2 * S}` });
  },
  wsd: (T, p) => wsd(T, p, linear), wsd_sqrt: (T, p) => wsd(T, p, oneMinusSqrt),
  rex: T => shape(`schedules.Rex(total_steps=${T})`, t => 2 * (T - t) / (2 * T - t), () => `max(0, ${T} - t) / (${T} - t / 2)`),
};
const factorsOf = (schedule, T) => new Float64Array(T).map((_, t) => schedule.factor(t));

// ---- 3. The best peak rate: in the valley, and for the bound on any convex loss ----
// The slider, in log10. It stops short of 10, where linear decay over 300 meets every 1 / curvature exactly.
const LOW = -2, HIGH = 0.99, GRID = 61;
const PEAKS = new Float64Array(GRID).map((_, i) => 10 ** (LOW + (HIGH - LOW) * i / (GRID - 1)));
const lossesOverPeaks = factors => PEAKS.map(peak => finalLoss(factors, peak));

/* Golden section on log10 of the peak rate, between the neighbors of the grid's best point. */
function bestPeak(factors, losses = lossesOverPeaks(factors)) {
  const i = losses.indexOf(Math.min(...losses)), at = k => Math.log10(PEAKS[clamp(k, 0, GRID - 1)]);
  const g = (Math.sqrt(5) - 1) / 2, loss = x => finalLoss(factors, 10 ** x);
  let a = at(i - 1), b = at(i + 1), c = b - g * (b - a), d = a + g * (b - a), fc = loss(c), fd = loss(d);
  while (b - a > 2e-5) {
    if (fc < fd) { b = d; d = c; fd = fc; c = b - g * (b - a); fc = loss(c); }
    else { a = c; c = d; fc = fd; d = a + g * (b - a); fd = loss(d); }
  }
  return { peak: 10 ** ((a + b) / 2), loss: Math.min(fc, fd), outside: i === GRID - 1 };
}
/* lrlib.theory.worst_case of equal gradient norms: its best peak rate and the bound there, for D = G = 1. */
function convexBound(factors) {
  let m = 0, sum = 0, noise = 0;
  for (const f of factors.filter(f => f > 0).reverse()) {
    if (m * m <= f) { m = Math.sqrt(f); noise = f - 2 * sum; }
    noise += (f / m) ** 2; m += f / m; sum += f;
  }
  return { peak: 1 / (Math.sqrt(noise) * m), value: Math.sqrt(noise) / m };
}
/* Mean and standard deviation in the flattest direction and in the steepest. */
const flatAndSteep = rates => [1 / DIRECTIONS, 1].map(curvature => {
  const at = new Float32Array(rates.length + 1).fill(1), sd = new Float32Array(rates.length + 1);
  follow(rates, curvature, (t, m, v) => { at[t] = clamp(m, -99, 99); sd[t] = Math.min(99, Math.sqrt(v)); });
  return { at, sd };
});
const tuned = {};
function tunedLinear(T) {
  if (tuned[T]) return tuned[T];
  const factors = factorsOf(linear(T), T), curve = lossesOverPeaks(factors), best = bestPeak(factors, curve);
  const rates = factors.map(f => f * best.peak), low = 10 ** (Math.floor(2 * Math.log10(best.loss / 2)) / 2);  // the chart's foot
  return tuned[T] = { ...best, curve, low, path: trajectory(rates), mean: flatAndSteep(rates), bound: convexBound(factors) };
}

// ---- 4. Canvas: charts in CSS pixels, and what they share ----
const PAD = { l: 42, r: 12, t: 8, b: 22 }, DASH = [7, 4];
const fmt = x => (!(x < 1e4) ? "gone" : x >= 100 ? x.toFixed(0) : x >= 1 ? x.toFixed(2) : x > 1e-5 ? x.toPrecision(3) : "0");
const rateText = x => `${+x.toPrecision(3)}`;

function pen(g, color, width, dash = []) { g.strokeStyle = color; g.lineWidth = width; g.setLineDash(dash); g.stroke(); }
function path(g, n, x, y) { for (let i = 0; i <= n; i++) g.lineTo(x(i), y(i)); }
function line(g, n, x, y, ...look) { g.beginPath(); path(g, n, x, y); pen(g, ...look); }
const segment = (g, x0, y0, x1, y1, ...look) => line(g, 1, i => (i ? x1 : x0), i => (i ? y1 : y0), ...look);
function area(g, n, x, upper, lower, color) {
  g.beginPath(); path(g, n, x, upper); path(g, n, i => x(n - i), i => lower(n - i));
  g.fillStyle = color; g.fill();
}
function dot(g, x, y, r, fill, edge) {
  g.beginPath(); g.arc(x, y, r, 0, 7); g.fillStyle = fill; g.fill(); pen(g, edge, 2);
}
function label(g, text, x, y, align, color) { g.textAlign = align; g.fillStyle = color; g.fillText(text, x, y); }
/* A chart without its lines: cleared, with marks [place, text], and all that follows cut at its edges. */
function chart({ g, w, h }, ink, marksX, marksY) {
  g.restore(); g.save();
  g.clearRect(0, 0, w, h);
  for (const [y] of marksY) segment(g, PAD.l, y, w - PAD.r, y, ink.hair, 1);
  for (const [y, text] of marksY) label(g, text, PAD.l - 6, y + 4, "right", ink.soft);
  for (const [x, text] of marksX) label(g, text, Math.min(x, w - PAD.r - 6), h - 5, "center", ink.soft);
  g.beginPath(); g.rect(PAD.l - 2, 0, w - PAD.l - PAD.r + 4, h - PAD.b + 1); g.clip();
}
const marks = (end, step) => Array.from({ length: Math.floor(end / step + 1e-9) + 1 }, (_, i) => i * step);

// ---- 5. An explorer: its state, from and to the text of a link: "s=poly&power=2&peak=1.4&T=300" ----
const INK = "ink soft hair paper distance shaking shaking-ink linear good spark c".split(" ");

function mount(root) {
  const o = Object.fromEntries([...root.querySelectorAll("[data-o]")].map(e => [e.dataset.o, e]));
  const facts = JSON.parse(root.querySelector(".lrx-facts").textContent);
  const all = css => [...root.querySelectorAll(css)], set = (e, at) => { for (const k in at) e.setAttribute(k, at[k]); };
  const say = (e, text) => { if (e.textContent !== text) e.textContent = text; };
  const calm = matchMedia("(prefers-reduced-motion: reduce)"), inAddress = root.hasAttribute("data-hash");
  const large = o.open.getAttribute("href");  // where the large form is, if this is the small one
  const value = (e, x = e.value) => ("log" in e.dataset ? +(10 ** x).toPrecision(2) : +x);  // or its logarithm moves
  const own = {}, kept = {};  // of each schedule: its sliders, and its parameters
  for (const key in SHAPES) {
    own[key] = all(`[data-of="${key}"] input`); kept[key] = Object.fromEntries(own[key].map(e => [e.name, value(e)]));
  }
  kept.draw.knots = Array(KNOTS).fill(1000);
  const state = { shape: "draw", peak: 0.5, T: 300, get p() { return kept[state.shape]; } };
  const sliders = () => own[state.shape], made = () => SHAPES[state.shape](state.T, state.p);
  const chip = () => o.chips.querySelector(`[value="${state.shape}"]`), name = () => chip().parentNode.textContent.trim();
  let run, ghost, best = null, curve = null, curveOf = "", left = 0, next = 0;  // the model, and the search in parts
  const button = name => root.querySelector(`[data-do="${name}"]`);
  let t = 0, playing = false, last = 0, raf = 0, dirty = true, due = 0, turn = 0, was, ink = {};
  let dragTop = 0, focus = -1, resting = 0;

  function write() {
    const parts = sliders().map(e => `${e.name}=${state.p[e.name]}`);
    if (state.shape === "draw") parts.push(`k=${state.p.knots.join(".")}`);
    return [`s=${state.shape}`, ...parts, `peak=${state.peak}`, `T=${state.T}`].join("&");
  }
  /* Take what the text says; what it says wrongly stays as it is, and is named in a sentence. */
  function read(text) {
    const q = new URLSearchParams(text), wrong = [];
    const number = (key, a, b, or, round) => {
      if (!q.has(key)) return or;
      const x = q.get(key).trim() === "" ? NaN : Number(q.get(key));
      if (x >= a && x <= b && (!round || Number.isInteger(x))) return x;
      wrong.push(`${key} must be a ${round ? "whole " : ""}number from ${a} to ${b}, not “${q.get(key).slice(0, 20)}”`);
      return or;
    };
    if (q.get("s") === "cooldown") { q.set("s", "wsd"); q.set("warmup", 0); }  // its name in older links
    if (Object.hasOwn(SHAPES, q.get("s"))) state.shape = q.get("s");
    else if (q.has("s")) wrong.push(`there is no schedule “${q.get("s").slice(0, 20)}”`);
    for (const e of sliders())
      state.p[e.name] = number(e.name, value(e, e.min), value(e, e.max), state.p[e.name], e.step === "1");
    const knots = (q.get("k") || "").split(".").map(k => (/^\d{1,4}$/.test(k) ? +k : NaN));
    if (knots.length === KNOTS && knots.every(k => k <= 1000)) kept.draw.knots = knots;
    else if (q.has("k")) wrong.push(`k must be ${KNOTS} whole numbers from 0 to 1000 with dots between them`);
    state.peak = number("peak", 0.01, 9.77, state.peak);
    t = state.T = number("T", 10, 1000, state.T, true);
    o.note.hidden = !wrong.length;
    say(o.note, wrong.length ? `Part of this link cannot be read: ${wrong.join("; ")}. The rest is on show.` : "");
    controls();
  }
  function model() {
    const { T } = state, schedule = made(), factors = factorsOf(schedule, T), rates = factors.map(f => f * state.peak);
    const key = write().replace(/peak=[^&]*/, "");
    if (key !== curveOf) { curveOf = key; left = GRID; }
    curve ??= lossesOverPeaks(factors); ghost = tunedLinear(T);
    run = { schedule, factors, rates, ...trajectory(rates) };
  }

  // ---- 6. Charts ----
  const plots = {};
  function fit() {  // sharp on any screen, and in the colors of the page
    const look = getComputedStyle(root), sharp = Math.min(devicePixelRatio || 1, 2);
    ink = Object.fromEntries(INK.map(name => [name, look.getPropertyValue(`--${name}`).trim()]));
    for (const canvas of all("canvas")) {
      const w = canvas.clientWidth, h = canvas.clientHeight, g = canvas.getContext("2d");
      canvas.width = Math.round(w * sharp); canvas.height = Math.round(h * sharp);
      g.setTransform(sharp, 0, 0, sharp, 0, 0); g.lineJoin = "round"; g.font = `12px ${look.fontFamily}`;  // slow: once
      plots[canvas.dataset.o] = { g, w, h };
    }
  }
  const placeX = ({ w }, i) => PAD.l + (w - PAD.l - PAD.r) * i / state.T;
  const rateTop = () => dragTop || Math.max(1.25, 1.12 * state.peak);
  const placeRate = ({ h }, rate) => h - PAD.b - (h - PAD.b - PAD.t) * rate / rateTop();
  function marksX(c) {
    const { T } = state, step = [1, 2, 5, 10, 20, 50, 100, 200, 250].find(step => T / step <= (c.w < 400 ? 4 : 6));
    return [...marks(T - 0.41 * step, step), T].map(v => [placeX(c, v), v]);
  }
  function drawRate() {
    const c = plots.rate, { g } = c, { T, peak } = state, x = i => placeX(c, i), y = v => placeRate(c, v), top = rateTop();
    const step = [0.25, 0.5, 1, 2, 5].find(step => top / step <= 7);
    chart(c, ink, marksX(c), marks(top, step).map(v => [y(v), v]));
    if (top > EDGE * 1.04) {
      segment(g, x(0), y(EDGE), x(T), y(EDGE), ink["shaking-ink"], 1, [2, 4]);
      label(g, "edge of stability", x(T), y(EDGE) - 5, "right", ink["shaking-ink"]);
    }
    segment(g, x(0), y(ghost.peak), x(T), y(0), ink.linear, 1.75, DASH);
    g.save(); g.translate(x(0.72 * T), y(0.28 * ghost.peak)); g.rotate(Math.atan2(y(0) - y(ghost.peak), x(T) - x(0)));
    label(g, "tuned linear", 0, -6, "center", ink.linear); g.restore();
    const draws = state.shape === "draw", n = draws ? KNOTS - 1 : T, end = Math.max(0, 2 * run.rates[T - 1] - run.rates[T - 2]);
    const at = i => x(i * T / n), rate = i => y(draws ? peak * state.p.knots[i] / 1000 : i < T ? run.rates[i] : end);
    g.globalAlpha = 0.08; area(g, n, at, rate, () => y(0), ink.c); g.globalAlpha = 1;
    line(g, n, at, rate, ink.c, 2.75);
    if (!draws) return;
    g.restore(); g.save();
    for (let k = 0; k < KNOTS; k++)
      dot(g, at(k), rate(k), k === focus ? 8 : 5, k === focus ? ink.c : ink.paper, k === focus ? ink.ink : ink.c);
    if (state.p.knots.some(k => k < 1000)) return;
    g.font = g.font.replace("12px", "600 14px"); label(g, "pull the end down ↓", x(T) + 4, y(peak) - 16, "right", ink.c);
  }
  const placeLoss = ({ h }, v) =>  // from the ghost's foot to 3
    h - PAD.b - (h - PAD.b - PAD.t) * Math.log(clamp(v, ghost.low, 60) / ghost.low) / Math.log(3 / ghost.low);
  function drawLoss() {
    const c = plots.lossPlot, { g } = c, { T } = state, x = i => placeX(c, i), foot = () => c.h - PAD.b;
    const y = values => { const places = values.map(v => placeLoss(c, v)); return i => places[i]; };
    const total = y(run.loss), distance = y(run.distance), all = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2];
    const shown = all.filter((v, i) => v > 1.02 * ghost.low && (c.h > 210 || i % 3 === 0));
    chart(c, ink, marksX(c), shown.map(v => [placeLoss(c, v), v]));
    g.globalAlpha = run.loss[T] < 1e4 ? 1 : 0.35;
    area(g, T, x, distance, foot, ink.distance); area(g, T, x, total, distance, ink.shaking);
    g.globalAlpha = 1;
    line(g, T, x, y(ghost.path.loss), ink.linear, 1.75, DASH); line(g, T, x, total, ink.c, 2.75);
  }
  function drawCurve() {  // the loss over the peak rate, behind the slider
    const c = plots.curve, { g, w, h } = c, low = 0.7 * ghost.loss, inset = 14, foot = h - 22;
    const x = p => inset + (w - 2 * inset) * (Math.log10(p) - LOW) / (HIGH - LOW);
    const y = v => Math.max(-20, foot - (foot - 8) * Math.log(Math.max(v, low) / low) / Math.log(70));
    g.clearRect(0, 0, w, h);
    for (const p of [0.01, 0.03, 0.1, 0.3, 1, 3]) label(g, p, x(p) + (p === 0.01 ? 4 : 0), h - 5, "center", ink.soft);
    for (const [values, color, width, dash] of [[ghost.curve, ink.linear, 1.75, DASH], [curve, ink.c, 2.25]])
      line(g, GRID - 1, i => x(PEAKS[i]), i => y(values[i]), color, width, dash);
    const shown = best !== null && best.loss < 2.3;
    if (shown) label(g, "▼", x(Math.min(best.peak, PEAKS[GRID - 1])), y(best.loss) - 5, "center", ink.good);
    dot(g, x(state.peak), y(run.loss[state.T]), 8, ink.c, ink.paper);
    button("best").disabled = !shown;
    say(o.best, shown ? (best.outside ? "beyond 10" : rateText(best.peak)) : "…");
  }
  /* The recorded schedule with the most similar shape, by the mean distance of the factors, and its runs. */
  function showRuns() {
    const f = run.schedule.factor, { runs } = facts, n = runs[0].factors.length;
    const far = runs.map(({ factors }) =>
      factors.reduce((sum, g, i) => sum + Math.abs(g - f(Math.floor((i + 0.5) / n * state.T))), 0) / n);
    const nearest = Math.min(...far), near = runs[far.indexOf(nearest)], found = nearest < 0.12;
    o.runPlot.hidden = !found || !near.points;
    say(o.runText, found ? near.text : `No schedule with recorded runs is near this shape; the nearest is ${near.name}.`);
    if (near.points) set(o.runLine, { points: near.points, style: `stroke: var(--${near.color})` });
  }

  // ---- 7. The landscape: the steepest and the flattest of the 64 directions ----
  const RUNS = 40;
  let walked, normals, x1, y1, mean;
  const normal = () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random());
  const noise = () => { normals = Float32Array.from({ length: RUNS * 2000 }, normal); walked = null; };  // kept until asked for
  function walk() {  // sampled runs of the valley's recursion, and the exact mean and spread
    if (walked === run) return; else walked = run;
    const n = state.T + 1, l = 1 / DIRECTIONS, sx = Math.sqrt(NOISE * l), sy = Math.sqrt(NOISE), big = x => clamp(x, -99, 99);
    if (x1?.length !== RUNS * n) [x1, y1] = [new Float32Array(RUNS * n), new Float32Array(RUNS * n)];
    for (let w = 0, at = 0; w < RUNS; w++) {
      for (let i = 0, k = 2000 * w, x = 1, y = 1; i < n; i++) {
        const eta = run.rates[i];
        x1[at] = x; y1[at++] = y;
        x = big((1 - eta * l) * x + eta * sx * normals[k++]); y = big((1 - eta) * y + eta * sy * normals[k++]);
      }
    }
    mean = flatAndSteep(run.rates);
  }
  function drawLand() {
    const { g, w, h } = plots.land, k = Math.round(t), n = state.T + 1, sx = w / 1.8, sy = (h - 20) / 2.5;
    const px = x => (1.22 - x) * sx, py = y => h / 2 - y * sy, at = ([flat, steep]) => [px(flat.at[k]), py(steep.at[k])];
    g.clearRect(0, 0, w, h);
    line(g, k, i => px(x1[i]), i => py(y1[i]), ink.spark, 1.1);
    line(g, k, i => px(mean[0].at[i]), i => py(mean[1].at[i]), ink.c, 2.25);
    g.beginPath(); g.ellipse(...at(mean), 2 * mean[0].sd[k] * sx, 2 * mean[1].sd[k] * sy, 0, 0, 7); pen(g, ink.c, 1, [3, 3]);
    g.beginPath(); g.fillStyle = ink.spark;  // all dots as squares in one path: many arcs are slow on a phone
    for (let r = 1; r < RUNS; r++) g.rect(px(x1[r * n + k]) - 2, py(y1[r * n + k]) - 2, 4, 4);
    g.fill();
    dot(g, ...at(ghost.mean), 5, ink.paper, ink.linear);
    dot(g, px(x1[k]), py(y1[k]), 5.5, ink.spark, ink.paper); dot(g, ...at(mean), 5.5, ink.c, ink.paper);
  }
  function heads() {  // where the run is; HTML that is moved needs no new layout
    const k = Math.round(t), c = plots.lossPlot, x = placeX(plots.rate, k);
    all(".head").forEach(e => { e.style.transform = k < state.T ? `translateX(${x}px)` : "scale(0)"; });
    o.spot.style.transform = `translate(${placeX(c, k)}px, ${clamp(placeLoss(c, run.loss[k]), 0, c.h - PAD.b)}px)`;
    say(o.landRead, `update ${k} · loss ${fmt(run.loss[k])}`);
    o.time.value = k; if (!playing) set(o.time, { "aria-valuetext": `update ${k}, loss ${fmt(run.loss[k])}` });
  }

  // ---- 8. Words ----
  function score() {
    const { T } = state, [loss, d, s] = [run.loss, run.distance, run.shaking].map(values => values[T]);
    const ratio = loss / ghost.loss, ok = loss < 1e4;
    say(o.loss, ok ? fmt(loss) : "flown off"); say(o.T, `${T}`); say(o.linear, fmt(ghost.loss));
    say(o.ratio, !ok ? "∞ ×" : `${ratio >= 100 ? Math.round(ratio) : ratio.toPrecision(3)} ×`);
    say(o.distance, fmt(d)); say(o.shaking, fmt(s)); say(o.peak, rateText(state.peak));
    const full = Math.max(3 * ghost.loss, loss);  // the bar ends at three times tuned linear, or at the loss
    o.barD.style.transform = `scaleX(${ok ? d / full : 1})`;
    o.barS.style.transform = ok ? `translateX(${100 * d / full}%) scaleX(${s / full})` : "scaleX(0)";
    const rose = run.loss.some(x => x > run.loss[0] * 1.000001), share = d / loss;
    const got = T === 300 && !rose ? facts.stars.filter(([limit]) => loss < limit - 1e-7).length : 0;
    const advice = facts.advice[rose ? "rose" : share > 0.62 ? "distance" : share < 0.38 ? "shaking" : "balance"];
    say(o.goal, got === 3 ? `Three stars: ${facts.stars[2][1]}!`
      : got ? `You beat ${facts.stars[got - 1][1]}! Next: below ${fmt(facts.stars[got][0])}.`
        : T === 300 ? `Beat ${fmt(ghost.loss)}. ${advice}` : `${advice} (Stars are for 300 updates.)`);
    root.classList.toggle("better", ratio < 1 - 1e-6 && !rose); root.classList.toggle("gone", !ok);
    all(".lrx-stars i").forEach((e, i) => e.classList.toggle("on", i < got));
  }
  function settle(silent) {  // words, code, table and address, once the hand rests
    model();
    const { T, peak } = state, loss = run.loss[T], describe = (e, text) => set(e, { "aria-label": text });
    const result = `${name()}, peak rate ${rateText(peak)}, ${T} updates. Expected loss ${fmt(loss)}: distance left `
      + `${fmt(run.distance[T])}, shaking left ${fmt(run.shaking[T])}. Tuned linear: ${fmt(ghost.loss)}.`;
    if (silent !== true) say(o.status, `${result} ${o.goal.textContent}`);
    describe(o.rate, `Learning rate over ${T} updates: ${name()}, from ${rateText(run.rates[0])} to `
      + `${rateText(run.rates[T - 1])}; dashed: tuned linear, from ${rateText(ghost.peak)} to 0.`);
    describe(o.lossPlot, `Expected loss over ${T} updates, from ${fmt(run.loss[0])} to ${fmt(loss)}.`);
    const bound = convexBound(run.factors), times = key => `${(bound[key] / ghost.bound[key]).toPrecision(3)} times linear’s`;
    say(o.bound, bound.value > 0 ? `${times("value")}, each at the peak rate that it asks for: here ${times("peak")}.` : "none");
    const list = [...Object.entries(facts.board), ...(T === 300 && loss < 1e4 ? [["YOURS", loss]] : [])];
    say(o.board, list.sort((a, b) => b[1] - a[1]).map(([who, x]) => `${who} ${fmt(x)}`).join(" → "));
    o.lrlib.textContent = `import lrlib\nschedule = ${run.schedule.lrlib}\n`
      + `lrlib.Valley().final_loss(schedule, steps=${T}, peak_lr=${peak})  # ${fmt(loss)}`;
    const torch = run.schedule.torch(0, peak), own = /^[A-Z]/.test(torch) ? torch : `LambdaLR(optimizer, lambda t: ${torch})`;
    o.torch.textContent = (own.includes("math.") ? "import math\n" : own.includes("np.") ? "import numpy as np\n" : "")
      + `# optimizer = torch.optim.SGD(model.parameters(), lr=${peak})\nscheduler = torch.optim.lr_scheduler.${own}`;
    const row = k => [k < T ? rateText(run.rates[k]) : "", fmt(run.distance[k]), fmt(run.shaking[k]), fmt(run.loss[k])];
    o.rows.innerHTML = Array.from({ length: 11 }, (_, i) => Math.round(i * T / 10)).map(k =>
      `<tr><th scope="row">${k}</th>${row(k).map(cell => `<td>${cell}</td>`).join("")}</tr>`).join("");
    knots.forEach(tell); if (facts.runs) showRuns();
    if (large) o.open.href = `${large}#${write()}`;
    if (inAddress && silent !== true) try { history.replaceState(null, "", `#${write()}`); } catch { /* no address here */ }
  }
  async function copy(text, pressed) {
    const was = pressed.textContent, field = document.createElement("textarea");
    try { await navigator.clipboard.writeText(text); } catch {  // not permitted in this frame: the old way
      field.value = text; pressed.after(field); field.select(); document.execCommand("copy"); field.remove(); pressed.focus();
    }
    say(pressed, "Copied"); say(o.status, "Copied"); setTimeout(say, 2000, pressed, was);
  }

  // ---- 9. Frames ----
  function frame(now) {
    raf = 0; if (!plots.rate?.w) return;
    if (playing) { t = Math.min(state.T, t + Math.max(0, now - last) / 5000 * state.T); last = now; }  // five seconds a run
    if (t >= state.T) play(false);
    if (dirty) { dirty = false; due = 7; model(); drawRate(); }
    const searched = left, moves = was !== (was = Math.round(t)) || !walked, whole = plots.land.w > 0;
    for (const end = performance.now() + (dragTop ? 0.2 : 1); left && performance.now() < end; left--) {  // no frame waits for it
      curve[next] = finalLoss(run.factors, PEAKS[next]); next = (next + 23) % GRID;
    }
    if (searched && !left) best = run.factors.some(f => f > 0) ? bestPeak(run.factors, [...curve]) : null;
    due |= (moves && 2) | (searched && 4);  // loss and words: 1, landscape: 2, curve of the peak: 4
    const does = dragTop ? due & 2 ** (turn = (turn + 1) % 3) : due;  // a hand has each frame for its line, these take turns
    if (whole) { if (does & 1) drawLoss(); if (does & 2) { walk(); drawLand(); } if (does & 4) drawCurve(); }
    if (does & 1) score(); if (does & 3 || !dragTop) heads(); due -= does;  // after the charts: text on a canvas needs styles
    if (playing || left || due) wake();
  }
  const wake = () => { raf ||= requestAnimationFrame(frame); };
  function changed() {
    dirty = true; wake(); if (t > state.T || !playing) t = state.T; clearTimeout(resting); resting = setTimeout(settle, 500);
    if (+o.time.max !== state.T) o.time.max = state.T;  // even the same one would cost a layout
  }
  function play(on) {
    if (on && t >= state.T) t = 0;
    else if (on && calm.matches) t = Math.min(state.T, t + state.T / 10);  // a tenth of the run, without motion
    if (on) wake(); if (on === playing || (on && calm.matches)) return;
    playing = on; last = performance.now();
    say(button("play"), on ? "❚❚ Pause" : "▶ Play");
  }

  // ---- 10. Input ----
  const knots = [...o.knots.querySelectorAll("input")];  // only the keyboard and a screen reader see them
  knots.forEach((input, k) => {
    const mark = (at, hint) => { focus = at; say(o.hint, hint); dirty = true; wake(); };
    input.onfocus = () => mark(k, "↑↓ rate, ←→ knot"); input.onblur = () => mark(-1, "drag the line");
    input.oninput = () => { state.p.knots[k] = +input.value; changed(); };
    input.onkeydown = e => {
      const side = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      const step = { ArrowUp: 0.02, ArrowDown: -0.02, PageUp: 0.1, PageDown: -0.1 }[e.key];
      if (side) {
        const to = knots[clamp(k + side, 0, KNOTS - 1)];
        input.tabIndex = -1; to.tabIndex = 0; to.focus();
      } else if (step) setKnots([[k, state.peak * state.p.knots[k] / 1000 + step * rateTop()]]);
      else return;
      e.preventDefault(); tell(input, k);
    };
  });
  function tell(input, k) {
    const rate = rateText(state.peak * kept.draw.knots[k] / 1000); input.value = kept.draw.knots[k];
    set(input, { "aria-valuetext": `${rate} at update ${Math.round(k * state.T / (KNOTS - 1))}` });
  }
  /* Knots are drawn as rates. The highest is the peak rate, the others are its thousandths. */
  let exact = {}, hand = null, before = "", box;  // exact: rates before rounding, for long drags; box: asked once a stroke
  function setKnots(pairs) {
    const rates = exact.key === write() ? exact.rates : state.p.knots.map(k => k / 1000 * state.peak);
    for (const [k, rate] of pairs) rates[k] = Math.max(0, rate);
    state.peak = +clamp(Math.max(...rates), 10 ** LOW, 9.77).toPrecision(4);
    state.p.knots = rates.map(r => clamp(Math.round(1000 * r / state.peak), 0, 1000));
    o.peakIn.value = Math.log10(state.peak);
    exact = { rates, key: write() }; changed();
  }
  function toDrawing() {  // begin with the shape on show
    if (state.shape === "draw") return;
    const { T } = state, f = made().factor, end = KNOTS - 1;
    const rates = Array.from({ length: KNOTS }, (_, k) => state.peak * (k < end ? f(k * T / end) : 2 * f(T - 1) - f(T - 2)));
    state.shape = "draw"; setKnots([...rates.entries()]); controls();
  }
  function under({ clientX, clientY }) {  // part of the run, and height in the chart
    return [clamp((clientX - box.left - PAD.l) / (plots.rate.w - PAD.l - PAD.r), 0, 1), clientY - box.top];
  }
  function stroke(e) {
    const [u, y] = under(e), { h } = plots.rate, rate = Math.max(0, dragTop * (h - PAD.b - y) / (h - PAD.b - PAD.t));
    const at = { k: Math.round(u * (KNOTS - 1)), rate }, from = hand || at, way = Math.abs(at.k - from.k);
    const pairs = [[at.k, rate]];  // and the knots that a fast hand has jumped over
    for (let i = 1; i < way; i++) pairs.push([from.k + (at.k - from.k) * i / way, from.rate + (rate - from.rate) * i / way]);
    hand = at; setKnots(pairs);
  }
  o.rate.addEventListener("touchstart", e => {  // a finger on the line draws; elsewhere an upright swipe scrolls the page
    box = o.rate.getBoundingClientRect();
    const [u, y] = under(e.touches[0]), i = Math.min(Math.round(u * state.T), state.T - 1);
    if (Math.abs(placeRate(plots.rate, run.rates[i]) - y) < 32) e.preventDefault();
  }, { passive: false });
  o.rate.onpointerdown = e => {
    if (e.button || !e.isPrimary) return;
    before = write(); play(false); toDrawing(); dragTop = rateTop(); hand = null; box = o.rate.getBoundingClientRect();
    o.rate.setPointerCapture(e.pointerId); stroke(e);
  };
  o.rate.onpointermove = e => { if (dragTop) stroke(e); };
  o.rate.onpointerup = o.rate.onpointercancel = e => {
    if (!dragTop) return;
    dragTop = 0; if (e.type === "pointercancel") read(before); else changed();  // cancelled: the finger scrolled the page
  };
  function tellSliders() {
    const { said } = made(), words = n => (typeof n === "number" ? `${n} update${n === 1 ? "" : "s"}` : n);
    for (const e of [...sliders(), o.length]) {
      const text = words(e === o.length ? state.T : said[e.name] ?? `${state.p[e.name]}`);
      say(e.previousElementSibling, text); set(e, { "aria-valuetext": text });
    }
  }
  o.params.oninput = ({ target }) => {
    if (target === o.length) state.T = +target.value; else state.p[target.name] = value(target);
    tellSliders(); changed();
  };
  function controls() {  // all that shows the state but the charts
    root.dataset.shape = state.shape;
    ink.c = getComputedStyle(root).getPropertyValue("--c").trim();
    chip().checked = true; chip().closest("div").scrollLeft = chip().parentNode.offsetLeft - 70;
    o.peakIn.value = Math.log10(state.peak);
    const draws = state.shape === "draw"; o.knots.disabled = !draws; say(o.hint, draws ? "drag the line" : "drag it to bend it");
    for (const e of all("[data-of]")) e.hidden = e.dataset.of !== state.shape;
    for (const input of sliders()) input.value = "log" in input.dataset ? Math.log10(state.p[input.name]) : state.p[input.name];
    o.length.value = state.T; tellSliders(); changed();
  }
  const choose = key => { if (key === "draw") toDrawing(); else { state.shape = key; controls(); } };
  o.chips.onchange = e => { play(false); choose(e.target.value); };
  const toPeak = peak => { state.peak = clamp(peak, 0.01, 9.77); changed(); };
  o.peakIn.oninput = () => toPeak(+(10 ** o.peakIn.value).toPrecision(3));
  o.time.oninput = () => { play(false); t = +o.time.value; wake(); };
  const deeds = {
    play: () => play(!playing),
    noise: () => { noise(); t = calm.matches ? state.T : 0; play(!calm.matches); wake(); },
    best: () => { toPeak(+best.peak.toPrecision(4)); o.peakIn.value = Math.log10(state.peak); },
    link: b => copy(`${(large ? o.open.href : location.href).split("#")[0]}#${write()}`, b),
    python: b => { settle(); copy(o.lrlib.textContent, b); }, torch: b => { settle(); copy(o.torch.textContent, b); },
  };
  root.addEventListener("click", e => { const b = e.target.closest("[data-do]"); if (b) deeds[b.dataset.do](b); });
  // Dark or light: the page's own switch (the book, Colab, JupyterLab) before the system's.
  const dark = matchMedia("(prefers-color-scheme: dark)"), page = document.documentElement;
  const redraw = () => { fit(); dirty = true; wake(); };
  const theme = () => {
    const jupyter = { true: "light", false: "dark" }[document.body.dataset.jpThemeLight];
    const chosen = page.dataset.theme || page.getAttribute("theme") || jupyter;
    root.classList.toggle("dark", chosen === "dark" || (chosen !== "light" && dark.matches));
    if (plots.rate) redraw();
  };
  const watch = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] };
  dark.onchange = theme; for (const e of [page, document.body]) new MutationObserver(theme).observe(e, watch);
  root.lrx = { state, read, write, settle, get run() { model(); return run; }, get best() { return bestPeak(run.factors); } };
  root.dataset.ready = ""; theme(); noise(); read(root.dataset.lrx); if (calm.matches) say(button("play"), "▶ Step");
  const fromAddress = () => { if (inAddress && location.hash.includes("=")) read(location.hash.slice(1)); };
  fromAddress(); addEventListener("hashchange", fromAddress); clearTimeout(resting); settle(true);
  new ResizeObserver(() => redraw()).observe(root);
}
globalThis.LRX = { trajectory, finalLoss, bestPeak, convexBound, tunedLinear, factorsOf, SHAPES };
document.querySelectorAll("[data-lrx]:not([data-ready])").forEach(mount);
