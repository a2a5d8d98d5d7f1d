/* Keys: the whole page works without a mouse. */

const MOVES = {
  j: () => step(1),
  k: () => step(-1),
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  PageDown: () => step(pageSize()),
  PageUp: () => step(-pageSize()),
  Home: () => step(-shown.length),
  End: () => step(shown.length),
};

const COMMANDS = {
  "/": () => {
    if (state.view !== "records") goTo("records");
    byId("search").focus();
    byId("search").select();
  },
  o: () => goTo(state.view === "overview" ? "records" : "overview"),
  t: () => switchTheme(),
  c: () => state.open && copyText(columns.id[rowAt(state.open)]),
  "?": () => byId("help").showModal(),
};

/** With the Korean keyboard layout the same keys give these letters. */
const JAMO_KEYS = { ㅓ: "j", ㅏ: "k", ㅐ: "o", ㅅ: "t", ㅊ: "c" };

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || byId("help").open)
    return;
  if (event.key === "Escape") return escape(event);
  if (event.target.closest("input, textarea, select, [contenteditable]")) {
    if (event.target.id === "search" && ["ArrowDown", "Enter"].includes(event.key))
      leaveSearch(event);
    return;
  }
  const key = JAMO_KEYS[event.key] ?? event.key;
  const command = COMMANDS[key];
  if (command) return act(event, command);
  if (state.view !== "records") return;
  const isOnControl = event.target.closest("button, summary, a");
  if (event.key === "Enter" && !isOnControl && !byId("panel").contains(event.target)) {
    return act(event, () => openPlace(active));
  }
  // In the story the arrows scroll it; j and k still move.
  const scrolls = byId("panel").contains(event.target) && event.key.length > 1;
  if (MOVES[key] && !scrolls) act(event, MOVES[key]);
}

function act(event, command) {
  event.preventDefault();
  command();
}

function escape(event) {
  if (event.target.id === "search") {
    event.preventDefault();
    if (state.query) setQuery("");
    else byId("grid").focus();
  } else if (state.open && !event.target.closest("#review input, #review textarea")) {
    closeStory();
  }
}

function leaveSearch(event) {
  event.preventDefault();
  byId("grid").focus();
  if (event.key === "Enter" && shown.length) openPlace(active);
}
