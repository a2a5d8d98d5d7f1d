/* Unpack the answers, a block a task, and find where each model's answer to an item stands. */

const blocks = [];
/** Every cell of every task: {block, shots, wording, draw, columns: Map(model -> column)}. */
const cells = [];

async function unpack(id) {
  const node = byId(id);
  const binary = atob(node.textContent);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  const packed = new Blob([bytes]).stream();
  const text = await new Response(packed.pipeThrough(new DecompressionStream("deflate-raw"))).text();
  node.remove();
  return JSON.parse(text);
}

async function loadBlocks(progressed) {
  for (let number = 0; number < OVERVIEW.blocks.length; number++) {
    takeBlock(await unpack(`block-${number}`));
    progressed();
  }
}

function takeBlock(block) {
  blocks.push(block);
  block.folded = block.texts.map((text, item) =>
    fold([text, block.labels[item], ...block.references[item], block.ids[item]].join("\n")),
  );
  block.foldedStrings = block.strings.map(fold);
  const asked = groupBy(block.columns, (one) => JSON.stringify([one.shots, one.wording, one.draw]));
  for (const columns of asked.values()) {
    const { shots, wording, draw: drawn } = columns[0];
    for (const column of columns) index(block, column);
    const byModel = new Map(columns.map((column) => [column.model, column]));
    cells.push({ block, shots, wording, draw: drawn, columns: byModel });
  }
}

/** `at`: where an item stands in the column, or -1; `from`: where its probabilities begin. */
function index(block, column) {
  const size = block.ids.length;
  column.at = new Int32Array(size).fill(-1);
  column.from = new Int32Array(size);
  let from = 0;
  for (let i = 0; i < column.marks.length; i++) {
    const item = column.items ? column.items[i] : i;
    column.at[item] = i;
    column.from[item] = from;
    if (column.chances.length) from += block.answers[item].length;
  }
}

function fold(text) {
  return text.normalize("NFC").toLowerCase();
}

/** What a column says of an item, or null where it was not asked. */
function answerOf(block, column, item) {
  const at = column ? column.at[item] : -1;
  if (at < 0) return null;
  const answers = block.answers[item];
  const chances = column.chances.length
    ? answers.map((answer, number) => [
        block.strings[answer],
        column.chances[column.from[item] + number] / 1000,
      ])
    : [];
  return {
    text: block.strings[column.predictions[at]],
    marks: column.marks[at],
    ended: column.ended[at],
    chances,
  };
}

/** How much certainty a model put on the right answer; of written ones the marks. 0 to 1. */
function certainty(block, column, item) {
  if (!column.chances.length) return column.marks[column.at[item]] / 100;
  const right = block.answers[item].findIndex((one) => block.strings[one] === block.labels[item]);
  return right < 0 ? 0 : column.chances[column.from[item] + right] / 1000;
}
