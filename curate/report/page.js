// Draws the figures in the colours of the scheme in use, and again when the scheme or the paper changes.
"use strict";
const figures = JSON.parse(document.getElementById("figures").textContent);
const scheme = matchMedia("(prefers-color-scheme: dark)");
const PAPER_WIDTH = 660;

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

function draw(width) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim();
  const line = style.getPropertyValue("--line").trim();
  for (const [id, figure] of Object.entries(figures)) {
    const { data, layout } = coloured(figure, style);
    const axis = { color: ink, gridcolor: line, zerolinecolor: line, fixedrange: true, automargin: true };
    Plotly.react(id, data, {
      ...layout,
      width,
      autosize: width === undefined,
      dragmode: false,
      margin: { l: 8, r: 16, t: 8, b: 40 },
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: style.fontFamily, size: 13, color: ink },
      hoverlabel: { font: { family: style.fontFamily } },
      showlegend: false,
      xaxis: { ...axis, ...titled(layout.xaxis) },
      yaxis: { ...axis, ...titled(layout.yaxis) },
    }, { displayModeBar: false, responsive: true });
  }
}

draw();
scheme.addEventListener("change", () => draw());
addEventListener("beforeprint", () => {
  document.documentElement.classList.add("paper");
  document.querySelectorAll("details").forEach((part) => { part.open = true; });
  draw(PAPER_WIDTH);
});
addEventListener("afterprint", () => {
  document.documentElement.classList.remove("paper");
  draw();
});
