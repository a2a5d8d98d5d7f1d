/* What charts are made of: bars are lists of buttons that filter the table, histograms are drawings.
 * Each has the same figures as a table, one click away.
 */

const LANGUAGE_CODES = OVERVIEW.names.languages.filter((code) =>
  OVERVIEW.funnel.some(([, dropped, remaining]) => dropped[code] + remaining[code] > 0),
);

/** A chart with its heading, its table and the button between them. */
function chart({ title, note, body, header, rows, wide }) {
  const id = `chart-${title}`;
  const table = make(
    "table",
    { class: "figures-table", hidden: true },
    make(
      "thead",
      null,
      make(
        "tr",
        null,
        header.map((cell) => make("th", { scope: "col" }, cell)),
      ),
    ),
    make(
      "tbody",
      null,
      rows.map((row) =>
        make(
          "tr",
          null,
          row.map((cell, place) =>
            make(place ? "td" : "th", place ? null : { scope: "row" }, cell),
          ),
        ),
      ),
    ),
  );
  const toggle = make(
    "button",
    { class: "quiet", type: "button", "aria-pressed": "false" },
    say("as-table"),
  );
  toggle.addEventListener("click", () => {
    table.hidden = !table.hidden;
    body.hidden = !table.hidden;
    toggle.setAttribute("aria-pressed", String(!table.hidden));
  });
  return make(
    "section",
    { class: wide ? "chart wide" : "chart", "aria-labelledby": id },
    make("header", null, make("h2", { id }, say(title)), toggle),
    note && make("p", { class: "note" }, note),
    body,
    make("div", { class: "scroll-x" }, table),
  );
}

function legend() {
  if (LANGUAGE_CODES.length < 2) return null;
  return make(
    "p",
    { class: "legend" },
    LANGUAGE_CODES.map((code) => make("span", { class: `key-${code}` }, languageName(code))),
  );
}

/** One row of bars: a button where it filters. */
function bar({ name, hint, parts, most, value, filter, extra }) {
  const track = make("span", { class: "track", "aria-hidden": "true" });
  for (const [code, number] of parts) {
    const piece = make("span", { class: `fill-${code}` });
    piece.style.width = `${most ? (100 * number) / most : 0}%`;
    track.append(piece);
  }
  const inside = [
    make("span", { class: "bar-name" }, name),
    track,
    make("span", { class: "bar-value" }, value),
    extra,
  ];
  const spoken = parts
    .map(
      ([code, number]) =>
        `${LANGUAGE_CODES.includes(code) ? languageName(code) + " " : ""}${count(number)}`,
    )
    .join(", ");
  const title = hint ? `${name}: ${spoken}. ${hint}` : `${name}: ${spoken}`;
  if (!filter) return make("li", null, make("span", { class: "bar", title }, inside));
  return make(
    "li",
    null,
    make(
      "button",
      { class: "bar", type: "button", title, onclick: () => showRows(filter) },
      inside,
    ),
  );
}

/** Bars, the longest twelve at first. */
function bars(items) {
  const list = make("ul", { class: "bars" }, items.slice(0, 12).map(bar));
  if (items.length <= 12) return list;
  const more = make(
    "button",
    { class: "quiet", type: "button" },
    say("show-all", { count: count(items.length) }),
  );
  more.addEventListener("click", () => {
    list.append(...items.slice(12).map(bar));
    more.remove();
  });
  return make("div", null, list, more);
}

const PLOT = { width: 480, height: 150, left: 4, right: 4, top: 8, bottom: 20 };

/** A histogram; `series` are [class, counts], drawn one above the other. */
function histogram({ edges, series, label, text, onpick, ticks }) {
  const sums = series[0][1].map((_, place) =>
    series.reduce((all, [, counts]) => all + counts[place], 0),
  );
  const most = Math.max(1, ...sums);
  const inner = PLOT.width - PLOT.left - PLOT.right;
  const step = inner / sums.length;
  const tall = PLOT.height - PLOT.top - PLOT.bottom;
  const svg = draw("svg", {
    viewBox: `0 0 ${PLOT.width} ${PLOT.height}`,
    role: "img",
    "aria-label": label,
    class: "plot",
  });
  svg.append(
    draw("line", {
      x1: 0,
      x2: PLOT.width,
      y1: PLOT.top + tall + 0.5,
      y2: PLOT.top + tall + 0.5,
      class: "axis",
    }),
  );
  sums.forEach((sum, place) => {
    let below = 0;
    const x = PLOT.left + place * step;
    const group = draw(
      "g",
      { class: onpick ? "bin pickable" : "bin" },
      draw(
        "title",
        null,
        text(
          edges[place],
          edges[place + 1],
          series.map(([, counts]) => counts[place]),
        ),
      ),
    );
    group.append(draw("rect", { x, y: PLOT.top, width: step, height: tall, class: "bin-ground" }));
    for (const [kind, counts] of series) {
      const height = (tall * counts[place]) / most;
      below += height;
      group.append(
        draw("rect", {
          x: x + 0.5,
          y: PLOT.top + tall - below,
          width: Math.max(0.5, step - 1),
          height,
          class: `bin-${kind}`,
        }),
      );
    }
    if (onpick && sum)
      group.addEventListener("click", () => onpick(edges[place], edges[place + 1]));
    svg.append(group);
  });
  for (const [place, name] of ticks) {
    const x = PLOT.left + place * step;
    const anchor = place === 0 ? "start" : place >= sums.length ? "end" : "middle";
    svg.append(draw("text", { x, y: PLOT.height - 5, "text-anchor": anchor, class: "tick" }, name));
  }
  return svg;
}
