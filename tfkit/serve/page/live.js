// What changes by itself: whether the server is ready, its models, its latency.

const EVERY = 2000;  // milliseconds
const REMEMBERED = 60;  // points of a trend
const views = new Map();
const trends = new Map();

function milliseconds(value) {
  if (value === null || value === undefined || Number.isNaN(+value)) return "–";
  return (+value).toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
}

function showState(kind, words) {
  const state = document.getElementById("state");
  if (state.textContent === words) return;
  state.className = `status ${kind}`;
  state.textContent = words;
}

function showModels(models) {
  const names = models.map(model => model.get("name"));
  const latency = document.getElementById("latency");
  const contents = document.getElementById("contents");
  for (const [name, view] of views) {
    if (names.includes(name)) continue;
    view.element.remove();
    view.link.remove();
    views.delete(name);
  }
  for (const model of models) {
    const name = model.get("name");
    if (!views.has(name)) {
      const view = new ModelView(name);
      views.set(name, view);
      latency.before(view.element);
      contents.lastElementChild.before(view.link);
    }
    views.get(name).update(model);
  }
  document.getElementById("none").hidden = models.length > 0;
  document.getElementById("count").textContent = models.length === 1 ? "1 model" : `${models.length} models`;
}

function trend(key, value) {
  const points = trends.get(key) ?? [];
  points.push(Number(value) || 0);
  trends.set(key, points.slice(-REMEMBERED));
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("class", "trend");
  svg.setAttribute("viewBox", `0 0 ${REMEMBERED - 1} 20`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(namespace, "polyline");
  const top = Math.max(...points, 1e-9);
  const left = REMEMBERED - Math.min(points.length, REMEMBERED);
  line.setAttribute("points", trends.get(key).map((v, i) => `${left + i},${19 - 18 * v / top}`).join(" "));
  svg.append(line);
  return svg;
}

function showLatency(found) {
  const rows = found.map(entry => {
    const [model, signature, protocol] = ["model", "signature", "protocol"].map(key => entry.get(key) ?? "");
    const times = ["p50_ms", "p90_ms", "p99_ms"].map(key => milliseconds(entry.get(key)));
    const counts = ["count", "errors"].map(key => text(entry.get(key) ?? 0));
    return [model, make("code", {}, signature), protocol, ...counts, ...times,
      trend([model, signature, protocol].join("\n"), entry.get("p50_ms"))];
  });
  const columns = ["model", "signature", "protocol", ">requests", ">errors", ">median, ms", ">90 %", ">99 %", "median lately"];
  const place = document.getElementById("latencies");
  const box = rows.length ? table("Latency", columns, rows) : make("p", { class: "lead" }, "No request yet.");
  // the box keeps its focus and how far it was scrolled
  if (rows.length && place.querySelector("table")) place.querySelector("table").replaceWith(box.firstChild);
  else place.replaceChildren(box);
}

async function refresh() {
  const [ready, models, latency] = await Promise.allSettled(
    ["readyz", "tfkit/models", "tfkit/latency"].map(path => request(path)));
  if (ready.status === "fulfilled" || (ready.reason instanceof ServerError && ready.reason.status === 200)) {
    showState("ready", "ready");
  } else if (ready.reason instanceof ServerError) {
    showState("running", "not ready");
  } else {
    showState("failed", "not reachable");
  }
  if (models.status === "fulfilled") showModels(models.value.get("models"));
  if (latency.status === "fulfilled") showLatency(latency.value.get("latency"));
}

// One round after another, and none while nobody looks.
async function keepFresh() {
  for (;;) {
    if (!document.hidden) await refresh();
    await new Promise(done => setTimeout(done, EVERY));
  }
}

document.getElementById("host").textContent = location.host;
document.getElementById("token").addEventListener("submit", event => {
  event.preventDefault();
  sessionStorage.setItem("tfkit-token", document.getElementById("token-text").value.trim());
  document.getElementById("token").hidden = true;
  refresh();
});
document.addEventListener("visibilitychange", () => document.hidden || refresh());
keepFresh();
