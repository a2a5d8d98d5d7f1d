/* Elements, words and numbers. Text is set as text and never as markup. */

const OVERVIEW = JSON.parse(document.getElementById("overview-data").textContent);
const WORDS = JSON.parse(document.getElementById("words").textContent);
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

/** Name of a stage, reason, task type, strategy or side; unknown ones as they are. */
function nameOf(kind, value) {
  const known = WORDS[language][kind];
  if (!known || !Object.hasOwn(known, value)) return String(value);
  return Array.isArray(known[value]) ? known[value][0] : known[value];
}

/** One sentence about a stage or reason. */
function meaningOf(kind, value) {
  const known = WORDS[language][kind];
  return known && Object.hasOwn(known, value) ? known[value][1] : "";
}

function languageName(code) {
  return nameOf("languages", code);
}

const whole = {
  en: new Intl.NumberFormat("en"),
  ko: new Intl.NumberFormat("ko"),
};

function count(number) {
  return whole[language].format(number);
}

function share(part, all) {
  if (!all) return "0%";
  const value = (100 * part) / all;
  const digits = value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0);
  return `${digits}%`;
}

function fixed(number, digits) {
  return number === null || number === undefined ? "" : number.toFixed(digits);
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

let messageTimer = 0;

function showMessage(text) {
  const node = byId("message");
  node.textContent = text;
  node.classList.add("shown");
  clearTimeout(messageTimer);
  messageTimer = setTimeout(() => node.classList.remove("shown"), 2500);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { class: "off-screen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  showMessage(say("copied"));
}
