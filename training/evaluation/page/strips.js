/* A line of a chart: marks at places from 0 to 1, stretched to whatever width there is. */

const WIDTH = 1000;
const HEIGHT = 20;

function place(share) {
  return (WIDTH * Math.min(1, Math.max(0, share))).toFixed(1);
}

/** A dot that stays round however wide its strip is: a line without length and round ends. */
function dot(share, cls, title, y = HEIGHT / 2) {
  const x = place(share);
  const line = draw("line", { class: `dot ${cls}`, x1: x, x2: x, y1: y, y2: y });
  if (title) line.append(draw("title", null, title));
  return line;
}

function span(from, to, cls, y = HEIGHT / 2) {
  return draw("line", { class: `span ${cls}`, x1: place(from), x2: place(to), y1: y, y2: y });
}

function rule(share, cls) {
  const x = place(share);
  return draw("line", { class: `rule ${cls}`, x1: x, x2: x, y1: 0, y2: HEIGHT });
}

function strip(parts, title) {
  const svg = draw("svg", {
    class: "strip",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: title ? "img" : null,
    "aria-hidden": title ? null : "true",
    "aria-label": title,
  });
  svg.append(...parts.flat(3).filter(Boolean));
  return svg;
}

/** Numbers at places from 0 to 1 over a column of strips. */
function axis(ticks) {
  return make(
    "div",
    { class: "axis", "aria-hidden": "true" },
    ticks.map(([share, text]) => {
      const tick = make("span", null, text);
      tick.style.left = `${100 * share}%`;
      return tick;
    }),
  );
}
