/* The review: accept, reject and edit records. Loaded after the page's own scripts, and only where
 * `./pacaloom review` serves the page; what it uses of the page is described in page.js.
 *
 * A decision is shown as saved when the server has said that it is on disk, and as waiting until
 * then. What could not be saved stays, with its text, until it is tried again or discarded.
 */
(() => {
"use strict";

const page = window.pacaloom;

const WORDS = {
  en: {
    accept: "Accept", restore: "Bring back", reject: "Reject", confirm: "Leave rejected", edit: "Edit",
    undo: "Undo", next: "Next undecided", progress: "{decided} of {all} decided",
    undecided: "Not decided yet.", saving: "Saving…", withdrawing: "Taking it back…",
    accepted: "Accepted by {author} · {time}", restored: "Brought back by {author} · {time}",
    rejected: "Rejected by {author} · {time}", confirmed: "Left rejected by {author} · {time}",
    edited: "Edited by {author} · {time}",
    failed: "Not saved. {error}", alert: "{count} not saved. {error}", again: "Try again", show: "Show",
    discard: "Discard",
    gone: "The server does not answer. Start `./pacaloom review` again with --port {port}, open its address in another tab, and try again here. Nothing is lost while this page stays open.",
    locked: "The review was started anew: open the address that it printed in another tab, and try again here.",
    note: "Why? (optional)", instruction: "Instruction", input: "Input", output: "Output",
    save: "Save", cancel: "Close", unchanged: "Nothing is changed yet.", changes: "Changes",
    kept: "An edit of this record is not saved yet. Press e to go on.",
    cut: "This text is too long for the page, so it cannot be edited here.",
    twin: "Letter for letter, this draft is a kept record. Decide about that one.", open: "Open it",
    done: "Every record in this list is decided.", nothing: "There is nothing to undo.",
    took: "{author} has decided meanwhile.",
  },
  ko: {
    accept: "승인", restore: "되살리기", reject: "거절", confirm: "탈락 유지", edit: "고치기",
    undo: "되돌리기", next: "다음 미정", progress: "{all}건 중 {decided}건 결정",
    undecided: "아직 결정하지 않았습니다.", saving: "저장하는 중…", withdrawing: "되돌리는 중…",
    accepted: "{author} 님이 승인함 · {time}", restored: "{author} 님이 되살림 · {time}",
    rejected: "{author} 님이 거절함 · {time}", confirmed: "{author} 님이 탈락을 유지함 · {time}",
    edited: "{author} 님이 고침 · {time}",
    failed: "저장하지 못했습니다. {error}", alert: "저장하지 못한 결정이 {count}건 있습니다. {error}", again: "다시 시도", show: "보기",
    discard: "버리기",
    gone: "서버가 응답하지 않습니다. `./pacaloom review`를 --port {port}로 다시 시작하고, 출력된 주소를 새 탭에서 연 다음 여기서 다시 시도하세요. 이 페이지를 닫지 않으면 아무것도 사라지지 않습니다.",
    locked: "검토가 새로 시작되었습니다. 새로 출력된 주소를 다른 탭에서 연 다음 여기서 다시 시도하세요.",
    note: "이유 (선택)", instruction: "지시", input: "입력", output: "출력",
    save: "저장", cancel: "닫기", unchanged: "아직 바뀐 것이 없습니다.", changes: "바뀐 내용",
    kept: "저장하지 않은 수정이 있습니다. e를 누르면 이어서 고칠 수 있습니다.",
    cut: "글이 너무 길어 이 페이지에서는 고칠 수 없습니다.",
    twin: "이 초안은 남은 레코드와 글자까지 똑같습니다. 그 레코드에서 결정하세요.", open: "열기",
    done: "이 목록의 레코드를 모두 결정했습니다.", nothing: "되돌릴 것이 없습니다.",
    took: "그사이 {author} 님이 결정했습니다.",
  },
};
const FIELDS = ["instruction", "input", "output"];
/* With the Korean keyboard layout the same keys give these letters. */
const JAMO = { ㅁ: "a", ㄱ: "r", ㄷ: "e", ㅕ: "u", ㅜ: "n" };
const PATIENCE_MS = 15000;

/* What the server has, by record; what it has not said to have yet; texts in the making. */
const standing = new Map();
const waiting = new Map();
const drafts = new Map();
const history = [];
let language = "en";
let all = 0;
let row = null;
let place = 0;
let queue = Promise.resolve();

/** As records hold their texts. */
function tidy(text) {
  return text.normalize("NFC").trim();
}

/* Elements. */

function make(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

function say(key, values = {}) {
  return WORDS[language][key].replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function button(name, key, action, kind = "") {
  const word = make("span", { "data-word": name });
  const node = make("button", { type: "button", class: `button ${kind}`, "data-action": name }, word);
  if (key) node.append(make("kbd", {}, key));
  node.addEventListener("click", action);
  return node;
}

function field(name, attributes) {
  const area = make("textarea", { rows: "1", class: "field", dir: "auto", name, ...attributes });
  return { area, label: make("label", { class: "review-field" }, make("span", { "data-word": name }), area) };
}

const buttons = {
  accept: button("accept", "a", accept, "accept"),
  reject: button("reject", "r", openNote, "reject"),
  edit: button("edit", "e", openEdit),
  undo: button("undo", "u", undo),
  next: button("next", "n", () => advance()),
};
const meter = make("progress", { max: "1", value: "0" });
const progress = make("span", { class: "note" });
const state = make("p", { class: "review-state", role: "status" });
const remedies = make("span", { class: "review-remedies" });
const alarm = make("div", { class: "review-alert", role: "alert", hidden: "" });
const change = make("div", { class: "review-change" });
const note = field("note", { maxlength: "2000" });
const noteForm = make("form", { class: "review-form", hidden: "" }, note.label, actions(button("reject", "Enter", reject, "primary"), button("cancel", "Esc", closeForms)));
const editFields = Object.fromEntries(FIELDS.map((name) => [name, field(name)]));
const editNote = field("note", { maxlength: "2000" });
const preview = make("div", { class: "review-change" });
const discardButton = button("discard", "", discardDraft);
const saveButton = button("save", "Ctrl Enter", saveEdit, "primary");
const editForm = make(
  "form",
  { class: "review-form", hidden: "" },
  ...FIELDS.map((name) => editFields[name].label),
  editNote.label,
  preview,
  actions(saveButton, button("cancel", "Esc", closeForms), discardButton),
);

function actions(...nodes) {
  return make("div", { class: "review-actions" }, ...nodes);
}

/* Talking to the server: one request after the other, in the order of the decisions. */

function decide(id, request) {
  waiting.set(id, { ...request, error: null });
  draw();
  queue = queue.then(() => send(id));
}

async function send(id) {
  const request = waiting.get(id);
  if (!request || request.error !== null) return;
  const { verdict, edited, note: reason } = request;
  const body = { record: id, verdict, edited, note: reason, seen: standing.get(id)?.place ?? null };
  let answer;
  try {
    const response = await fetch("/decisions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    answer = await readAnswer(response);
  } catch {
    answer = { error: say("gone", { port: location.port }) };
  }
  if (answer.standing !== undefined) settle(id, answer.standing);
  // An answer that was lost on its way comes back as a conflict with oneself.
  if (answer.error && !isSame(request, standing.get(id))) request.error = answer.error;
  else finish(id, request);
  draw();
}

async function readAnswer(response) {
  if (response.ok) return response.json();
  if (response.status === 409) {
    const found = await response.json();
    return { ...found, error: found.standing ? `${say("took", found.standing)} ${describe(found.standing)}` : found.error };
  }
  return { error: response.status === 403 ? say("locked") : (await response.text()).trim() };
}

function finish(id, request) {
  if (waiting.get(id) === request) waiting.delete(id);
  if (request.verdict === "withdraw") return;
  history.push(id);
  const draft = drafts.get(id);
  // Who went on writing meanwhile has a newer text than the saved one.
  if (draft && request.edited && FIELDS.every((name) => tidy(draft[name]) === tidy(request.edited[name]))) drafts.delete(id);
}

function settle(id, decision) {
  if (decision) standing.set(id, decision);
  else standing.delete(id);
  page.refresh(id, { decision });
}

function isSame(request, decision) {
  if (!decision) return request.verdict === "withdraw";
  const isAlike = decision.verdict === request.verdict && tidy(decision.note) === tidy(request.note);
  return isAlike && FIELDS.every((name) => tidy(decision.edited?.[name] ?? "") === tidy(request.edited?.[name] ?? ""));
}

function tryAgain() {
  for (const [id, request] of waiting) {
    if (request.error === null) continue;
    request.error = null;
    queue = queue.then(() => send(id));
  }
  draw();
}

/** Read what others, or this reader in another tab, have decided. */
async function load() {
  let found;
  try {
    found = await readAnswer(await fetch("/decisions", { signal: AbortSignal.timeout(PATIENCE_MS) }));
  } catch {
    found = { error: say("gone", { port: location.port }) };
  }
  if (found.error) return page.say(found.error);
  all = found.records;
  const before = JSON.stringify([...standing].sort());
  standing.clear();
  for (const [id, decision] of Object.entries(found.decisions)) standing.set(id, decision);
  if (JSON.stringify([...standing].sort()) !== before) page.replace([...standing.values()]);
  draw();
}

/* What the reader does. */

function isTwin() {
  return row !== null && !row.kept && Boolean(page.records.get(row.id)?.kept);
}

function canDecide() {
  return row !== null && !isTwin();
}

function accept() {
  if (!canDecide()) return;
  decideAndAdvance({ verdict: "accept", edited: null, note: "" });
}

function reject() {
  if (!canDecide()) return;
  const reason = note.area.value;
  closeForms();
  decideAndAdvance({ verdict: "reject", edited: null, note: reason });
}

function decideAndAdvance(request) {
  const { id } = row;
  advance({ isQuiet: true, leaving: id });
  decide(id, request);
}

function openNote() {
  if (!canDecide()) return;
  closeForms();
  note.area.value = waiting.get(row.id)?.note ?? "";
  noteForm.hidden = false;
  note.area.focus();
}

function openEdit() {
  if (!canDecide() || row.cut) return;
  closeForms();
  const texts = drafts.get(row.id) ?? waiting.get(row.id)?.edited ?? standing.get(row.id)?.edited ?? row;
  for (const name of FIELDS) {
    editFields[name].area.value = texts[name];
    editFields[name].area.lang = row.language;
  }
  editNote.area.value = drafts.get(row.id)?.note ?? "";
  editForm.hidden = false;
  drawPreview();
  draw();
  editFields.output.area.focus();
}

function readEdit() {
  return Object.fromEntries(FIELDS.map((name) => [name, editFields[name].area.value]));
}

function isChanged(texts) {
  const before = standing.get(row.id)?.edited ?? row;
  return FIELDS.some((name) => tidy(texts[name]) !== tidy(before[name]));
}

function keepDraft() {
  const texts = readEdit();
  if (isChanged(texts)) drafts.set(row.id, { ...texts, note: editNote.area.value });
  else drafts.delete(row.id);
  drawPreview();
}

function saveEdit() {
  const texts = readEdit();
  if (!isChanged(texts) || !texts.instruction.trim() || !texts.output.trim()) return;
  const { id } = row;
  const reason = editNote.area.value;
  drafts.set(id, { ...texts, note: reason });
  closeForms();
  // Edited back to what it was, it is right as it is.
  const isOriginal = FIELDS.every((name) => tidy(texts[name]) === tidy(row[name]));
  if (isOriginal) drafts.delete(id);
  decide(id, isOriginal ? { verdict: "accept", edited: null, note: reason } : { verdict: "edit", edited: texts, note: reason });
}

function discardDraft() {
  drafts.delete(row.id);
  closeForms();
}

function closeForms() {
  const hadFocus = editForm.contains(document.activeElement) || noteForm.contains(document.activeElement);
  noteForm.hidden = true;
  note.area.value = "";
  editForm.hidden = true;
  if (hadFocus) document.getElementById("story-scroll").focus({ preventScroll: true });
  draw();
}

/** Take back the decision about the open record, else the last one that was made here. */
function undo() {
  let id = row?.id;
  if (id === undefined || (!standing.has(id) && !waiting.has(id))) id = history.findLast((one) => standing.has(one));
  if (id === undefined) {
    page.say(say("nothing"));
    return;
  }
  if (row?.id !== id) page.open(id);
  if (waiting.get(id)?.error) {
    waiting.delete(id);
    draw();
  } else {
    decide(id, { verdict: "withdraw", edited: null, note: "" });
  }
}

function advance({ isQuiet = false, leaving = null } = {}) {
  const ids = page.order();
  const found = row === null ? -1 : ids.indexOf(row.id);
  // A record that the filters hide by now has given its place to the next one.
  const start = found >= 0 ? found + 1 : Math.min(place, ids.length);
  const isOpen = (id) => id !== leaving && id !== row?.id && !standing.has(id) && !waiting.has(id);
  const next = ids.slice(start).find(isOpen) ?? ids.slice(0, start).find(isOpen);
  if (next !== undefined) page.open(next);
  else if (!isQuiet || ids.length > 1) page.say(say("done"));
}

/* Drawing. */

function describe(decision) {
  const isDraft = row !== null && row.id === decision.record && !row.kept;
  const key = { accept: isDraft ? "restored" : "accepted", reject: isDraft ? "confirmed" : "rejected", edit: "edited" }[decision.verdict];
  const format = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" });
  const text = say(key, { author: decision.author, time: format.format(new Date(decision.time)) });
  return decision.note ? `${text} “${decision.note}”` : text;
}

function draw() {
  drawWords();
  drawAlarm();
  meter.max = Math.max(1, all);
  meter.value = standing.size;
  const number = new Intl.NumberFormat(language);
  progress.textContent = say("progress", { decided: number.format(standing.size), all: number.format(all) });
  if (row === null) return;
  const request = waiting.get(row.id);
  const decision = standing.get(row.id);
  buttons.accept.disabled = buttons.reject.disabled = isTwin();
  buttons.edit.disabled = isTwin() || row.cut;
  buttons.edit.title = row.cut ? say("cut") : "";
  for (const verdict of ["accept", "reject", "edit"]) {
    buttons[verdict].setAttribute("aria-pressed", String((request?.verdict ?? decision?.verdict) === verdict));
  }
  buttons.undo.disabled = !decision && !request && !history.some((id) => standing.has(id));
  drawState(request, decision);
  const shown = request?.edited ?? decision?.edited;
  change.replaceChildren(...(shown && editForm.hidden ? compare(row, shown) : []));
}

function drawWords() {
  for (const node of document.querySelectorAll("#review [data-word]")) node.textContent = say(node.dataset.word);
  const isDraft = row !== null && !row.kept;
  buttons.accept.firstChild.textContent = say(isDraft ? "restore" : "accept");
  for (const one of document.querySelectorAll("#review [data-action=reject] > span")) one.textContent = say(isDraft ? "confirm" : "reject");
}

function drawState(request, decision) {
  state.classList.toggle("failed", Boolean(request?.error));
  remedies.replaceChildren();
  if (isTwin()) {
    state.textContent = say("twin");
    remedies.append(button("open", "", () => page.open(row.id)));
  } else if (request?.error) {
    state.textContent = say("failed", { error: request.error });
    remedies.append(button("again", "", tryAgain), button("discard", "", () => discard(row.id)));
  } else if (request) {
    state.textContent = say(request.verdict === "withdraw" ? "withdrawing" : "saving");
  } else if (drafts.has(row.id) && editForm.hidden) {
    state.textContent = say("kept");
  } else {
    state.textContent = decision ? describe(decision) : say("undecided");
  }
  for (const node of remedies.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
}

function discard(id) {
  waiting.delete(id);
  draw();
}

function drawAlarm() {
  const failed = [...waiting].filter(([, request]) => request.error !== null).map(([id]) => id);
  const others = failed.filter((id) => id !== row?.id);
  alarm.hidden = !others.length;
  if (alarm.hidden) return;
  const show = button("show", "", () => page.open(others[0]));
  alarm.replaceChildren(make("span", {}, say("alert", { count: failed.length, error: waiting.get(others[0]).error })), button("again", "", tryAgain), show);
  for (const node of alarm.querySelectorAll("[data-word]")) node.textContent = say(node.dataset.word);
}

function drawPreview() {
  const texts = readEdit();
  const nodes = compare(row, texts);
  saveButton.disabled = !isChanged(texts) || !texts.instruction.trim() || !texts.output.trim();
  discardButton.hidden = !drafts.has(row.id);
  preview.replaceChildren(...(nodes.length ? nodes : [make("p", { class: "note" }, say("unchanged"))]));
}

/** What an edit changes, column by column: what goes is struck out, what comes is marked. */
function compare(before, after) {
  return FIELDS.filter((name) => tidy(before[name]) !== tidy(after[name])).map((name) => {
    const box = make("div", { class: "prose", dir: "auto", lang: before.language });
    for (const piece of page.compare(before[name], after[name])) {
      if (piece.same) box.append(piece.left);
      else box.append(...[["del", piece.left], ["ins", piece.right]].filter(([, text]) => text).map(([tag, text]) => make(tag, {}, text)));
    }
    return make("div", {}, make("h4", { class: "note" }, say(name)), box);
  });
}

/* Wiring. */

function onOpen(opened) {
  if (opened?.id !== row?.id) {
    noteForm.hidden = editForm.hidden = true;
    note.area.value = "";
  }
  row = opened;
  if (row !== null) place = Math.max(0, page.order().indexOf(row.id));
  draw();
}

const COMMANDS = { a: accept, r: openNote, e: openEdit, u: undo, n: () => advance() };

function onKey(event) {
  // A key that is held down would decide about records that nobody has read.
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input, textarea, select, dialog")) return;
  const command = COMMANDS[JAMO[event.key] ?? event.key];
  if (!command || (row === null && command !== undo && command !== COMMANDS.n)) return;
  if (document.body.dataset.view !== "records") return;
  event.preventDefault();
  command();
}

/** Keys inside a form; while a syllable is being composed, Enter only ends it. */
function onFormKey(event, save, isOneLine) {
  if (event.isComposing) return;
  const isEnter = event.key === "Enter" && (isOneLine ? !event.shiftKey : event.ctrlKey || event.metaKey);
  if (!isEnter && event.key !== "Escape") return;
  event.preventDefault();
  event.stopPropagation();
  if (isEnter) save();
  else closeForms();
}

function start() {
  const bar = make("div", { class: "review-bar" }, buttons.accept, buttons.reject, buttons.edit, buttons.undo, buttons.next);
  document.getElementById("review").append(bar, alarm, make("div", { class: "review-line" }, state, remedies, make("span", { class: "review-progress" }, meter, progress)), noteForm, editForm, change);
  noteForm.addEventListener("keydown", (event) => onFormKey(event, reject, true));
  editForm.addEventListener("keydown", (event) => onFormKey(event, saveEdit, false));
  editForm.addEventListener("input", keepDraft);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => document.hidden || load());
  window.addEventListener("beforeunload", (event) => {
    if (waiting.size || drafts.size) event.preventDefault();
  });
  page.onLanguage((code) => {
    language = code;
    draw();
    if (!editForm.hidden) drawPreview();
  });
  page.onOpen(onOpen);
  page.ready.then(load);
}

start();
})();
