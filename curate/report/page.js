// Unpacks Plotly, draws figures that come into sight in the colours of the scheme in use, and again when scheme or
// paper change.
"use strict";
const figures = JSON.parse(document.getElementById("figures").textContent);
const scheme = matchMedia("(prefers-color-scheme: dark)");

async function unpack() {
  const packed = Uint8Array.from(atob(document.getElementById("plotly").textContent), (c) => c.charCodeAt(0));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(plain).text();
  document.head.append(script);
}

function coloured(value, style) {
  if (typeof value === "string") return value.startsWith("--") ? style.getPropertyValue(value).trim() : value;
  if (Array.isArray(value)) return value.map((item) => coloured(item, style));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, coloured(item, style)]));
  }
  return value;
}

function titled(axis) {
  return axis.title ? { ...axis, title: { standoff: 8, font: { size: 13 }, ...axis.title } } : axis;
}

function draw(id) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const line = style.getPropertyValue("--line").trim();
  const { data, layout } = coloured(figures[id], style);
  const axis = { color: ink, gridcolor: line, zerolinecolor: line, fixedrange: true, automargin: true };
  Plotly.react(id, data, {
    ...layout,
    width: document.getElementById(id).clientWidth,
    dragmode: false,
    margin: { l: 8, r: 16, t: 8, b: layout.xaxis.title ? 40 : 24 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: style.fontFamily, size: 13, color: ink },
    hoverlabel: { font: { family: style.fontFamily } },
    showlegend: false,
    xaxis: { ...axis, ...titled(layout.xaxis) },
    yaxis: { ...axis, ...titled(layout.yaxis) },
  }, { displayModeBar: false });
  stale.delete(id);
}

// Charts are drawn when they come near the window: all of them at once would keep the page from answering for seconds.
const stale = new Set();
const inSight = new Set();
const sight = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) inSight.add(target.id); else inSight.delete(target.id);
  }
  drawInSight();
  document.documentElement.dataset.drawn = "yes";
}, { rootMargin: "100%" });

function drawInSight() {
  inSight.forEach((id) => { if (stale.has(id)) draw(id); });
}

function redraw() {
  Object.keys(figures).forEach((id) => stale.add(id));
  drawInSight();
}

// What scrolls has to be reached by the keyboard.
function reachable() {
  document.querySelectorAll(".scroll, pre").forEach((box) => {
    if (box.scrollWidth > box.clientWidth) {
      const heading = box.closest("section")?.querySelector("h2")?.textContent ?? "";
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `${box.querySelector("caption")?.textContent ?? heading} (scrolls)`);
    } else {
      ["tabindex", "role", "aria-label"].forEach((name) => box.removeAttribute(name));
    }
  });
}

function toPaper(paper) {
  document.documentElement.classList.toggle("paper", paper);
  if (paper) document.querySelectorAll("#definitions ~ details").forEach((part) => { part.open = true; });
  redraw();
  if (paper) [...stale].forEach(draw);
}

async function start() {
  reachable();
  document.addEventListener("toggle", reachable, true);
  try {
    await unpack();
  } catch {
    document.getElementById("without").hidden = false;
    return;
  }
  for (const [id, figure] of Object.entries(figures)) {
    const chart = document.getElementById(id);
    chart.style.minHeight = `${figure.layout.height}px`;
    sight.observe(chart);
  }
  redraw();
  scheme.addEventListener("change", redraw);
  addEventListener("beforeprint", () => toPaper(true));
  addEventListener("afterprint", () => toPaper(false));
  let width = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === width || document.documentElement.classList.contains("paper")) return;
    width = innerWidth;
    redraw();
    reachable();
  });
}

start();
