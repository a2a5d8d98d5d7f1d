/* The report's page: state, wiring and keys. Loaded last of the page's scripts.
 *
 * WHAT review.js CAN USE (only in review mode, where the page is served by `./pacaloom review`)
 *
 * review.js runs after this script, in its own closure. It finds an empty <div id="review"> that
 * always exists; the page shows it at the top of a record's view, below the heading. Build your
 * controls in it once and fill them in onOpen. The page never empties it.
 *
 * window.pacaloom = {
 *   ready                Promise, resolved with the number of records when all of them are loaded.
 *   records.count        Rows, kept and rejected (as far as they are loaded; all after `ready`).
 *   records.get(id)      The row with this id, or null. Ids may repeat: a rejected duplicate has
 *                        the id of the record it repeats; then this is the kept one.
 *   current()            The row whose view is open, or null.
 *   onOpen(callback)     callback(row) each time a record's view is shown or another one takes its
 *                        place, also once at once if one is open; callback(null) when it closes.
 *   onLanguage(callback) callback("en" | "ko"): at once, and when the reader switches.
 *   refresh(id, {decision})
 *                        Show another decision for this id: badge, filter and counts. null takes
 *                        it away. Fields as schemas.review.ReviewDecision has them:
 *                        {verdict: "accept" | "reject" | "edit", edited: {instruction, input,
 *                        output} | null, note}. The page holds no author and no time.
 *   replace(list)        Show these decisions, each with its ``record``, in place of all others.
 *   next(), previous()   Open the next or previous row of the table as it is filtered and sorted.
 *   open(id)             Open the row with this id; false where there is none.
 *   order()              Ids of the rows of the table as it is filtered and sorted.
 *   compare(left, right) Pairs of pieces of two texts, [{left, right, same}], in order.
 *   say(text)            Show a short message at the foot of the page and tell it to screen
 *                        readers; plain text.
 * }
 * A row is a plain copy: {id, kept, split, language, instruction, input, output, cut, stage,
 * reason, detail, decision}. `split` is "train", "validation" or null; `stage`, `reason` and
 * `detail` are null for kept ones; `decision` is the last one or null. `cut` is true where a text
 * is so long that the page holds only its beginning: do not edit such a row from these fields.
 *
 * Keys that the page uses while no text field has the focus: / j k arrows Home End PageUp PageDown
 * Enter Escape ? o t c. Free for review.js: a, r, e, u and digits.
 *
 * Rules of the page, enforced by its content security policy: text only by textContent (innerHTML
 * throws: trusted types are required), no inline handlers and no style attributes (element.style.x
 * works), no eval; fetch only to the own origin. Colours come from the custom properties of
 * page.css: --ground --surface --raised --ink --muted --line --accent --accent-ink --kept
 * --dropped --edited; components: .button .button.primary .field .badge.
 */

let searching = 0;
let isLoaded = false;
let loadingFailed = false;
let finishLoading;
const ready = new Promise((resolve) => (finishLoading = resolve));
const openCallbacks = [];
const languageCallbacks = [];

/** Show what the state says; called after every change of it. */
async function changed({ replace = true } = {}) {
  writeAddress(replace);
  drawView();
  terms = readQuery(state.query).slice(0, 20);
  const mine = ++searching;
  const found = await searchRows(terms, () => mine !== searching);
  if (mine !== searching || (terms.length && !found)) return;
  const { rows, counts } = filterRows(found, terms.length);
  setRows(rows);
  drawCount(rows.length);
  drawFacets(counts);
  drawHead();
  byId("clear").hidden = !hasFilters();
}

function drawCount(hits) {
  const node = byId("hits");
  node.textContent = hasFilters()
    ? say("hits", { count: count(hits), all: count(loadedRows) })
    : say("all-rows", { count: count(loadedRows) });
  if (!isLoaded)
    node.textContent = say(loadingFailed ? "damaged" : "loading", {
      count: count(loadedRows),
      all: count(OVERVIEW.rows),
    });
  byId("nothing").hidden = hits > 0 || !isLoaded;
  byId("nothing").textContent = say(OVERVIEW.rows ? "no-hits" : "no-rows");
}

function writeAddress(replace) {
  const address = toAddress();
  if (address === (location.hash || "#")) return;
  // The whole address: a page from disk may only change what follows the #.
  const target = location.href.split("#")[0] + address;
  if (replace) history.replaceState(null, "", target);
  else history.pushState(null, "", target);
}

function drawView() {
  document.body.dataset.view = state.view;
  document.body.classList.toggle("has-story", Boolean(state.open));
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === state.view) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
  const search = byId("search");
  if (search.value !== state.query) search.value = state.query;
}

/** Show the rows that a chart's part stands for. */
function showRows(facets, query = "", ranges = {}) {
  clearFilters();
  for (const [facet, values] of Object.entries(facets)) state.facets[facet] = new Set(values);
  Object.assign(state.ranges, ranges);
  state.query = query;
  state.open = "";
  goTo("records");
  backToTop();
}

function goTo(view) {
  state.view = view;
  if (view === "overview") state.open = "";
  changed({ replace: false });
  if (view === "records") byId("grid").focus({ preventScroll: true });
  else window.scrollTo(0, 0);
}

function openPlace(place) {
  if (place < 0 || place >= shown.length) return;
  active = place;
  openRow(shown[place]);
}

function openRow(row) {
  const wasOpen = Boolean(state.open);
  state.open = addressOf(row);
  state.view = "records";
  writeAddress(wasOpen);
  drawView();
  const place = shown.indexOf(row);
  if (place >= 0) active = place;
  moveTo(active);
  showOpen();
}

/** Draw the open row's story, or take the view away. */
async function showOpen() {
  const row = state.open ? rowAt(state.open) : -1;
  const panel = byId("panel");
  if (row < 0) {
    panel.hidden = true;
    if (state.open && isLoaded) {
      showMessage(say("unknown-record", { id: state.open }));
      state.open = "";
      writeAddress(true);
      drawView();
    }
    drawRows();
    tell(null);
    return;
  }
  await drawStory(row);
  // A shared address opens a record that the list may not show yet.
  const place = shown.indexOf(row);
  if (place >= 0 && place !== active) moveTo(place);
  drawRows();
  if (!panel.contains(document.activeElement)) byId("story-scroll").focus({ preventScroll: true });
  tell(describeRow(row));
}

function closeStory() {
  if (!state.open) return;
  state.open = "";
  writeAddress(true);
  drawView();
  showOpen();
  byId("grid").focus({ preventScroll: true });
}

function step(by) {
  if (!shown.length) return;
  moveTo(active + by);
  if (state.open) openPlace(active);
}

function setQuery(query) {
  state.query = query;
  backToTop();
  changed();
}

/* Theme and language. */

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  remember("theme", theme);
}

function setLanguage(code) {
  language = code;
  translatePage();
  byId("language").textContent = language === "en" ? "한국어" : "English";
  byId("language").lang = language === "en" ? "ko" : "en";
  drawOverview();
  drawHelp();
  drawReviewState();
  if (loadedRows || isLoaded) {
    changed();
    showOpen();
  } else {
    drawCount(0);
  }
  for (const callback of languageCallbacks) callback(language);
}

function drawReviewState() {
  const held = OVERVIEW.stories;
  const isSample = held.held + held.missing < held.looked_for;
  byId("sample-note").textContent = isSample
    ? say("sample-note", { held: count(held.held), all: count(held.looked_for) })
    : "";
  byId("reviewing").hidden = !OVERVIEW.reviewing;
}

function drawHelp() {
  const keys = [
    ["/", "key-search"],
    ["j k ↑ ↓", "key-move"],
    ["Enter", "key-open"],
    ["Esc", "key-close"],
    ["c", "key-copy"],
    ["o", "key-overview"],
    ["t", "key-theme"],
    ["?", "key-help"],
  ];
  byId("help-keys").replaceChildren(
    ...keys.flatMap(([names, meaning]) => [
      make(
        "dt",
        null,
        names.split(" ").map((name) => make("kbd", null, name)),
      ),
      make("dd", null, say(meaning)),
    ]),
  );
}

/* What the review can use; see the top of this file. */

function describeRow(row) {
  const isKept = columns.side[row] > 0;
  return {
    id: columns.id[row],
    kept: isKept,
    split: valueOf.split(row),
    language: valueOf.language(row),
    ...textsOf(row),
    cut: columns.lengths[row] !== null,
    stage: isKept ? null : valueOf.stage(row),
    reason: isKept ? null : valueOf.reason(row),
    detail: isKept ? null : columns.detail[row],
    decision: decisions.get(columns.id[row]) ?? null,
  };
}

function tell(row) {
  for (const callback of openCallbacks) callback(row);
}

function currentRow() {
  const row = state.open ? rowAt(state.open) : -1;
  return row < 0 ? null : describeRow(row);
}

function refresh(id, { decision }) {
  if (decision) decisions.set(id, { ...decision, record: id });
  else decisions.delete(id);
  redraw();
}

function replaceDecisions(list) {
  decisions.clear();
  for (const one of list) decisions.set(one.record, one);
  redraw();
}

/** Filter anew; the table stays where it is, at the open row where the filters still show it. */
function redraw() {
  const place = active;
  changed().then(() => {
    const row = state.open ? rowAt(state.open) : -1;
    const found = shown.indexOf(row);
    active = found >= 0 ? found : Math.min(place, Math.max(0, shown.length - 1));
    if (row < 0) return;
    byId("story-status").replaceChildren(
      ...[statusOf(row), splitBadge(row), decisionBadge(columns.id[row])].filter(Boolean),
    );
  });
}

function openId(id) {
  if (!rowsById.has(id)) return false;
  openRow(rowsById.get(id));
  return true;
}

if (OVERVIEW.reviewing) {
  window.pacaloom = Object.freeze({
    ready,
    records: Object.freeze({
      get count() {
        return loadedRows;
      },
      get: (id) => (rowsById.has(id) ? describeRow(rowsById.get(id)) : null),
    }),
    current: currentRow,
    onOpen(callback) {
      openCallbacks.push(callback);
      const row = currentRow();
      if (row) callback(row);
    },
    onLanguage(callback) {
      languageCallbacks.push(callback);
      callback(language);
    },
    refresh,
    replace: replaceDecisions,
    open: openId,
    order: () => Array.from(shown, (row) => columns.id[row]),
    compare: compareTexts,
    next: () => openPlace(active + 1),
    previous: () => openPlace(active - 1),
    say: showMessage,
  });
}

/* Start: the overview needs no records; they are unpacked once it is on the screen. */

function listen() {
  document.addEventListener("keydown", onKey);
  byId("search").addEventListener("input", (event) => setQuery(event.target.value));
  byId("clear").addEventListener("click", () => {
    clearFilters();
    backToTop();
    changed();
  });
  for (const tab of document.querySelectorAll("[data-tab]"))
    tab.addEventListener("click", () => goTo(tab.dataset.tab));
  byId("theme").addEventListener("click", switchTheme);
  byId("language").addEventListener("click", () => {
    setLanguage(language === "en" ? "ko" : "en");
    remember("language", language);
  });
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("filters-open").addEventListener("click", () => {
    const isOpen = document.body.classList.toggle("has-filters");
    byId("filters-open").setAttribute("aria-expanded", String(isOpen));
  });
  byId("close").addEventListener("click", closeStory);
  byId("next").addEventListener("click", () => step(1));
  byId("previous").addEventListener("click", () => step(-1));
  byId("copy-id").addEventListener("click", () => copyText(columns.id[rowAt(state.open)]));
  byId("copy-json").addEventListener("click", () => copyText(toJson(rowAt(state.open))));
  let frame = 0;
  byId("scroller").addEventListener(
    "scroll",
    () => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        drawRows();
      });
    },
    { passive: true },
  );
  new ResizeObserver(() => {
    measureRows();
    drawRows();
  }).observe(byId("scroller"));
  window.addEventListener("popstate", readAddress);
  window.addEventListener("hashchange", readAddress);
}

function readAddress() {
  if (toAddress() === (location.hash || "#")) return;
  fromAddress(location.hash);
  changed().then(showOpen);
}

function start() {
  const theme = recall("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  fromAddress(location.hash);
  listen();
  const chosen = recall("language");
  setLanguage(chosen === "en" || chosen === "ko" ? chosen : OVERVIEW.manifest.card_language);
  drawView();
  if (document.readyState === "complete") load();
  else window.addEventListener("load", load);
}

async function load() {
  let isFirst = true;
  try {
    await loadRows((loaded) => {
      if (isFirst && loaded < OVERVIEW.rows) {
        isFirst = false;
        changed();
      }
      drawCount(loaded);
    });
  } catch {
    // An old browser, or a file that was cut: say so in the page, where people look.
    loadingFailed = true;
    drawCount(0);
    return;
  }
  isLoaded = true;
  await changed();
  await showOpen();
  finishLoading(loadedRows);
  document.body.dataset.loaded = "true";
  prepareInitials();
}

start();
