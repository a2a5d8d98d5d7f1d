/* Elements, words and numbers. Text is set as text and never as markup. */

const OVERVIEW = JSON.parse(document.getElementById("overview-data").textContent);
const WORDS = JSON.parse(document.getElementById("words").textContent);
const REPORT = OVERVIEW.report;
const SVG = "http://www.w3.org/2000/svg";

let language = "en";

function byId(id) {
  return document.getElementById(id);
}

/** Make an element: make("p", {class: "note", onclick: f}, "text", child). */
function make(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function draw(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(3)) {
    if (child !== null && child !== undefined && child !== false) node.append(child);
  }
  return node;
}

/** Say something in the reader's language; {name} in it is replaced. */
function say(key, values) {
  const text = WORDS[language].page[key] ?? WORDS.en.page[key] ?? key;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole) : text;
}

/** Name of a family, check, outcome or kind; unknown ones as they are. */
function nameOf(kind, value) {
  const known = WORDS[language][kind];
  if (!Object.hasOwn(known, value)) return String(value);
  return Array.isArray(known[value]) ? known[value][0] : known[value];
}

/** One sentence about it. */
function meaningOf(kind, value) {
  const known = WORDS[language][kind];
  return Object.hasOwn(known, value) ? known[value][1] : "";
}

const whole = { en: new Intl.NumberFormat("en"), ko: new Intl.NumberFormat("ko") };

function count(number) {
  return whole[language].format(number);
}

/** A share as per cent without the sign. */
function cent(share, digits = 0) {
  return (100 * share).toFixed(digits);
}

/** A difference of shares in points, with its sign. */
function points(difference, digits = 1) {
  const text = cent(Math.abs(difference), digits);
  if (Number(text) === 0) return text;
  return (difference < 0 ? "−" : "+") + text;
}

function shotsName(shots) {
  return say("n-shot", { count: shots });
}

function mean(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Values in the order in which they first occur. */
function distinct(values) {
  return [...new Set(values)];
}

/** Items by what `key` says of them, in the order in which keys first occur. */
function groupBy(items, key) {
  const groups = new Map();
  for (const item of items) {
    const name = key(item);
    if (groups.has(name)) groups.get(name).push(item);
    else groups.set(name, [item]);
  }
  return groups;
}

/** A text of a machine or a user: its own direction, its own lines. */
function prose(text, attributes) {
  return make("div", { dir: "auto", ...attributes, class: `prose ${attributes?.class ?? ""}` }, text);
}

const SHORT = new Map(OVERVIEW.models.map(({ model }, at) => [model, OVERVIEW.names[at]]));

function shortName(name) {
  return SHORT.get(name) ?? name;
}

function modelName(name) {
  return make("span", { class: "model", title: name, dir: "auto" }, shortName(name));
}

/** Whether a model is what the others are held against, or what is judged. */
function roleOf(name) {
  if (name === REPORT.challenger) return make("span", { class: "badge role" }, say("challenger"));
  if (name === REPORT.baseline) return make("span", { class: "badge" }, say("baseline"));
  return null;
}

/** A card of the findings; nothing where there is nothing to show. */
function card(id, note, ...children) {
  return make(
    "section",
    { class: "card", id: `part-${id}`, "aria-labelledby": `head-${id}` },
    make("h2", { id: `head-${id}` }, say(id)),
    note ? make("p", { class: "note" }, note) : null,
    ...children,
  );
}

/** Buttons of which one is on. */
function segments(label, options, chosen, choose) {
  return make(
    "div",
    { class: "segments", role: "group", "aria-label": label },
    options.map(([value, name]) =>
      make(
        "button",
        {
          type: "button",
          class: "segment",
          "aria-pressed": String(value === chosen),
          dir: "auto",
          onclick: () => choose(value),
        },
        name,
      ),
    ),
  );
}

/** A part that draws itself anew when one of its segments is chosen, and keeps the focus there. */
function switching(label, options, first, drawBody) {
  const node = make("div", { class: "switching" });
  function show(chosen) {
    const places = [...node.querySelectorAll(":scope > .segments > .segment")];
    const place = places.indexOf(document.activeElement);
    const bar = options.length > 1 ? segments(label, options, chosen, show) : null;
    node.replaceChildren(...[bar, drawBody(chosen)].flat().filter(Boolean));
    if (place >= 0) bar.children[place].focus();
  }
  show(first);
  return node;
}

function scrolling(label, ...children) {
  const attributes = { class: "scroll-x", tabindex: "0", role: "region", "aria-label": label };
  return make("div", attributes, ...children);
}

/** Put the words into all elements that ask for them. */
function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-say]")) {
    node.textContent = say(node.dataset.say);
  }
  for (const node of document.querySelectorAll("[data-label]")) {
    node.setAttribute("aria-label", say(node.dataset.label));
    if (node.hasAttribute("data-hint")) node.title = say(node.dataset.label);
  }
  for (const node of document.querySelectorAll("[data-placeholder]")) {
    node.placeholder = say(node.dataset.placeholder);
  }
}

function remember(name, value) {
  try {
    localStorage.setItem(`pacaloom.${name}`, value);
  } catch {
    // A page from disk may have no storage: then the choice lasts as long as the page.
  }
}

function recall(name) {
  try {
    return localStorage.getItem(`pacaloom.${name}`);
  } catch {
    return null;
  }
}
