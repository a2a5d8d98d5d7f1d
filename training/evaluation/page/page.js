/* State, address, theme, language and start. Loaded last. */

const PARTS = [
  ["matrix", matrixPart],
  ["differences", forestPart],
  ["wordings", wordingsPart],
  ["rules", rulesPart],
  ["held-out", heldOutPart],
  ["quality", qualityPart],
  ["canaries", canariesPart],
  ["judge", judgePart],
  ["overlaps", overlapsPart],
  ["cycles", cyclesPart],
  ["models", modelsPart],
];

/** Show what the state says; called after every change of it. */
function changed({ replace = true } = {}) {
  drawView();
  if (state.view === "answers") drawAnswers();
  writeAddress(replace);
}

function drawView() {
  document.body.dataset.view = state.view;
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === state.view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

function drawFindings() {
  drawVerdict();
  const parts = PARTS.map(([id, makePart]) => [id, makePart()]).filter(([, part]) => part);
  byId("sections").replaceChildren(...parts.map(([, part]) => part));
  byId("contents").replaceChildren(
    ...parts.map(([id]) =>
      make(
        "button",
        {
          type: "button",
          class: "chip",
          onclick: () => byId(`part-${id}`).scrollIntoView({ block: "start" }),
        },
        say(id),
      ),
    ),
  );
}

/* The address keeps what differs from the empty state: share it to share the view. */

function toAddress() {
  const changedOnes = Object.keys(EMPTY).filter((key) => state[key] !== EMPTY[key]);
  const pairs = changedOnes.map((key) => [key, String(state[key])]);
  return `#${new URLSearchParams(pairs)}`;
}

function fromAddress(address) {
  const asked = new URLSearchParams(address.replace(/^#/, ""));
  Object.assign(state, EMPTY);
  for (const key of Object.keys(EMPTY)) if (asked.has(key)) state[key] = asked.get(key);
  state.page = Number.parseInt(state.page, 10) || 1;
  if (state.view !== "answers") state.view = "findings";
  if (!OUTCOMES.includes(state.outcome)) state.outcome = "all";
  if (!ORDERS.includes(state.order)) state.order = "task";
}

function writeAddress(replace) {
  const address = toAddress();
  if (address === (location.hash || "#")) return;
  // The whole address: a page from disk may only change what follows the #.
  const target = location.href.split("#")[0] + address;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
}

function readAddress() {
  if (toAddress() === (location.hash || "#")) return;
  fromAddress(location.hash);
  changed();
}

function switchTheme() {
  const chosen = document.documentElement.dataset.theme;
  const isDark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  const theme = isDark ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}

function setLanguage(code) {
  language = code;
  translatePage();
  byId("language").textContent = language === "en" ? "한국어" : "English";
  byId("language").lang = language === "en" ? "ko" : "en";
  hideTip();
  drawFindings();
  changed();
}

function onKey(event) {
  if (event.key === "Escape") {
    if (byId("tip").contains(document.activeElement)) tipCell.focus();
    hideTip();
  }
  const isTyping = event.target.closest?.("input, select, textarea");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  if (state.view !== "answers") {
    state.view = "answers";
    changed({ replace: false });
  }
  byId("search").focus();
}

function listen() {
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", (event) => {
    if (!event.target.closest("#tip, .cell")) hideTip();
  });
  document.addEventListener("scroll", placeTip, { passive: true, capture: true });
  byId("search").addEventListener("input", (event) => choose({ query: event.target.value }));
  for (const tab of document.querySelectorAll("[data-tab]"))
    tab.addEventListener("click", () => {
      state.view = tab.dataset.tab;
      changed({ replace: false });
      window.scrollTo(0, 0);
    });
  byId("theme").addEventListener("click", switchTheme);
  byId("language").addEventListener("click", () => {
    setLanguage(language === "en" ? "ko" : "en");
    remember("language", language);
  });
  window.addEventListener("popstate", readAddress);
  window.addEventListener("hashchange", readAddress);
}

const REDRAW_MS = 500;

async function load() {
  let drawn = performance.now();
  try {
    await loadBlocks(() => {
      if (state.view !== "answers" || performance.now() - drawn < REDRAW_MS) return;
      drawAnswers();
      drawn = performance.now();
    });
    isLoaded = true;
  } catch {
    // An old browser, or a file that was cut: say so in the page, where people look.
    loadingFailed = true;
  }
  changed();
  document.body.dataset.loaded = "true";
}

function start() {
  const theme = recall("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  fromAddress(location.hash);
  listen();
  const chosen = recall("language");
  setLanguage(chosen === "en" || chosen === "ko" ? chosen : OVERVIEW.language);
  if (document.readyState === "complete") load();
  else window.addEventListener("load", load);
}

start();
