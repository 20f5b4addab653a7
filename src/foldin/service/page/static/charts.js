// Draws the charts of a page, in the colours of the theme, and again whenever theme, width or content change.

const HEIGHT = 220;
const drawn = new Map();

function colour(token) {
  const probe = document.createElement("i");
  probe.style.color = `var(--${token})`;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 3 });
const percent = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const exact = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
const font = "12px system-ui, sans-serif";

function series(chart) {
  const format = chart.percent ? percent : exact;
  const below = (at) => {
    if (at === null || at === undefined) return "";
    if (chart.time) return new Date(at * 1000).toISOString().slice(0, 10);
    return chart.names.length ? chart.names[at] ?? "" : format.format(at);
  };
  return [
    { label: chart.across, value: (_, at) => below(at) },
    ...chart.lines.map((line) => ({
      label: line.label,
      stroke: colour(line.colour),
      width: 2,
      fill: chart.kind === "bars" ? colour(line.colour) : undefined,
      paths: chart.kind === "bars" ? uPlot.paths.bars({ size: [0.72, 64], radius: 0.15 }) : undefined,
      points: { show: chart.kind === "line" && chart.x.length < 20, size: 7 },
      value: (_, amount) => (amount === null || amount === undefined ? "" : format.format(amount)),
    })),
  ];
}

function axes(chart, width) {
  const common = { stroke: colour("quiet"), font, ticks: { show: false } };
  const grid = { stroke: colour("line"), width: 1 };
  const format = chart.percent ? percent : short;
  const longest = Math.max(...chart.names.map((name) => name.length), 1);
  const every = Math.ceil((8.5 * longest * chart.names.length) / Math.max(width - 60, 60));
  const named = { splits: () => chart.x, values: (_, splits) => splits.map((at) => (at % every ? "" : chart.names[at] ?? "")) };
  const across = chart.names.length ? named : chart.time ? {} : { values: (_, splits) => splits.map((at) => format.format(at)) };
  return [
    { ...common, grid: { show: false }, size: chart.time ? 42 : 26, ...across },
    { ...common, grid, size: 52, values: (_, splits) => splits.map((at) => format.format(at)) },
  ];
}

function draw(place) {
  const chart = JSON.parse(place.dataset.chart);
  drawn.get(place)?.destroy();
  const edge = chart.names.length ? 0.6 : 0;
  const options = {
    // a line that is alone needs no name; its value is told all the same where somebody points
    class: chart.lines.length === 1 ? "alone" : "several",
    width: place.clientWidth,
    height: HEIGHT,
    series: series(chart),
    axes: axes(chart, place.clientWidth),
    scales: {
      x: { time: chart.time, range: (_, low, high) => [low - edge, high + edge] },
      y: { range: (_, low, high) => [0, high > 0 ? high * 1.08 : 1] },
    },
    cursor: { points: { size: 8 }, drag: { x: false, y: false } },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
  };
  drawn.set(place, new uPlot(options, [chart.x, ...chart.lines.map((line) => line.values)], place));
}

function drawAll() {
  for (const place of drawn.keys()) if (!place.isConnected) drawn.delete(place);
  document.querySelectorAll("[data-chart]").forEach(draw);
}

drawAll();
document.addEventListener("theme", drawAll);
document.addEventListener("htmx:afterSettle", drawAll);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
let waiting;
addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(drawAll, 120);
});
