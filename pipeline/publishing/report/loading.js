/* Unpack blocks: all records one after the other, stories when they are asked for.
 *
 * The columns are arrays over all rows. `chunks` hold the text for the search.
 */

const CHUNK_CHARACTERS = 2_000_000;
const BETWEEN = "\u0001";

const columns = {};
const chunks = [];
const rowsById = new Map();
const rowsByCompletion = new Map();
const unpacked = new Map();
let loadedRows = 0;
let open = null;

function toBytes(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

async function unpack(id) {
  const node = byId(id);
  if (!node) throw new Error(`this page has no block ${id}`);
  const packed = new Blob([toBytes(node.textContent)]).stream();
  const stream = packed.pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

/** Unpack once; rare blocks stay in memory. */
function unpackOnce(id) {
  if (!unpacked.has(id)) unpacked.set(id, unpack(id));
  return unpacked.get(id);
}

async function loadRows(progressed) {
  for (let number = 0; number < OVERVIEW.row_blocks; number++) {
    const id = `rows-${number}`;
    takeBlock(await unpack(id));
    byId(id).remove();
    progressed(loadedRows);
  }
  closeChunk();
  progressed(loadedRows);
}

function takeBlock(block) {
  const size = block.id.length;
  for (const [name, values] of Object.entries(block)) {
    const column = (columns[name] ||= []);
    for (const value of values) column.push(value);
  }
  for (let i = 0; i < size; i++) {
    const row = loadedRows + i;
    if (!rowsById.has(block.id[i])) rowsById.set(block.id[i], row);
    addText(row, [block.instruction[i], block.input[i], block.output[i], block.id[i]]);
  }
  loadedRows += size;
}

function addText(row, texts) {
  open ||= { firstRow: row, starts: [], pieces: [], size: 0 };
  open.starts.push(open.size);
  const text = fold(texts.join(BETWEEN)) + BETWEEN;
  open.pieces.push(text);
  open.size += text.length;
  if (open.size > CHUNK_CHARACTERS) closeChunk();
}

function closeChunk() {
  if (!open) return;
  const text = open.pieces.join("");
  chunks.push({
    firstRow: open.firstRow,
    starts: Uint32Array.from([...open.starts, text.length]),
    text,
    initials: null,
  });
  open = null;
}

/** The text of a chunk with initials in place of syllables, made when first wanted. */
function initialsOf(chunk) {
  chunk.initials ??= toInitials(chunk.text);
  return chunk.initials;
}

/** Make them while nobody waits, so that the first search by initials is fast too. */
function prepareInitials() {
  const idle = window.requestIdleCallback || ((work) => setTimeout(work, 50));
  const next = chunks.find((chunk) => chunk.initials === null);
  if (!next) return;
  initialsOf(next);
  idle(prepareInitials);
}

/** Rows that come from the same answer, in its order. */
function siblingsOf(row) {
  if (!rowsByCompletion.size) {
    columns.completion.forEach((id, place) => {
      const rows = rowsByCompletion.get(id);
      if (rows) rows.push(place);
      else rowsByCompletion.set(id, [place]);
    });
  }
  const rows = rowsByCompletion.get(columns.completion[row]) || [row];
  return [...rows].sort((one, other) => columns.position[one] - columns.position[other]);
}

/** The prompt and answer with this id, or null where the page does not hold them. */
async function findStory(id) {
  const firsts = OVERVIEW.stories.firsts;
  let block = -1;
  while (block + 1 < firsts.length && firsts[block + 1] <= id) block++;
  if (block < 0) return null;
  const [stories, lines] = await Promise.all([unpackOnce(`stories-${block}`), unpackOnce("lines")]);
  const story = stories.find((one) => one.id === id);
  if (!story) return null;
  const join = (pieces) =>
    pieces.map((one) => (typeof one === "number" ? lines[one] : one)).join("\n");
  return {
    ...story,
    messages: story.messages.map(([role, pieces]) => ({ role, content: join(pieces) })),
    raw: story.raw ? join(story.raw) : "",
  };
}

async function findSeed(id) {
  const seeds = await unpackOnce("seeds");
  return seeds.find((one) => one.id === id) || null;
}
